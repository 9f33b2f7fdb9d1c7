//go:build cgo

package daemon

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTokenOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	for _, test := range []struct {
		text string
		mode os.FileMode
		want string // in the error; empty for none
	}{
		{NewToken() + "\n", 0o600, ""},
		{"a token of somebody", 0o600, "one word of ASCII"},
		{"sixteen-letters!", 0o400, ""},
		{"fifteen-letters", 0o600, "a token of 15 characters can be guessed"},
		{"", 0o600, "can be guessed"},
		{strings.Repeat("x", 300), 0o600, "at most 256"},
		{NewToken(), 0o640, "may be read by others, mode 0640 (run chmod 600"},
		{NewToken(), 0o604, "may be read by others"},
	} {
		_ = os.Remove(path)
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, test.mode); err != nil {
			t.Fatal(err)
		}
		token, err := Config{TokenFile: path}.token("the one of the environment")
		if test.want == "" && (err != nil || token != strings.TrimSpace(test.text)) {
			t.Errorf("%q: %q, %v", test.text, token, err)
		}
		if test.want != "" && (err == nil || token != "" || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%q, mode %#o: %q, %v", test.text, test.mode, token, err)
		}
	}
	if _, err := (Config{TokenFile: path + "x"}).token(""); err == nil || !strings.Contains(err.Error(), "fathomd token") {
		t.Errorf("missing file: %v", err)
	}
	if _, err := (Config{}).token("short"); err == nil || !strings.HasPrefix(err.Error(), "FATHOM_TOKEN: ") {
		t.Errorf("short variable: %v", err)
	}
}

func TestWhoIsReachableNeedsAToken(t *testing.T) {
	address := func(text string) net.Addr {
		a, err := net.ResolveTCPAddr("tcp", text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, test := range []struct {
		on    string
		hosts []string
		token string
		fine  bool
	}{
		{"127.0.0.1:80", nil, "", true},
		{"[::1]:80", nil, "", true},
		{"127.0.0.1:80", []string{"cam.example"}, "", false},
		{"127.0.0.1:80", []string{"cam.example"}, "a-token-for-the-tests", true},
		{"0.0.0.0:80", nil, "", false},
		{"[::]:80", nil, "", false},
		{"192.168.1.7:80", nil, "", false},
		{"192.168.1.7:80", nil, "a-token-for-the-tests", true},
	} {
		o := Options{Config: Config{AllowedHosts: test.hosts}, Token: test.token}
		if _, err := newAccess(o, address(test.on)); (err == nil) != test.fine {
			t.Errorf("%+v: %v", test, err)
		}
	}
	o := Options{Config: Config{TLS: TLS{Certificate: "nowhere.pem", Key: "nowhere.pem"}}}
	if _, err := newAccess(o, address("127.0.0.1:80")); err == nil || !strings.Contains(err.Error(), "tls: ") {
		t.Errorf("missing certificate: %v", err)
	}
}

// post sends JSON with the token, and returns the status and the answer.
func (r *running) post(path, body string) (int, string) {
	r.t.Helper()
	request, err := http.NewRequest("POST", r.url+path, bytes.NewBufferString(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer a-token-for-the-tests")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// What the page posts reaches the governor, wholly or not at all.
func TestThePageSteers(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("a-token-for-the-tests"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, func(c *Config) { c.TokenFile = token })
	if status, text := r.post("/api/controls", `{"policy": "step-wise", "objectives": {"ceiling_celsius": 61, "fps": 10}}`); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	s := r.until("the new settings", func(s State) bool { return s.Policy == "step-wise" && s.Ceiling == 61 })
	if s.Paused {
		t.Error("it is paused")
	}
	for body, want := range map[string]string{
		`{"policy": "magic"}`:                                         "magic",
		`{"objectives": {"fps": -1}}`:                                 "fps",
		`{"objectives": {"ceiling_celsius": 62, "least_depth": "x"}}`: "least_depth",
		`{"ceiling": 3}`:                                              "unknown field",
		`{`:                                                           "cannot read the change",
		``:                                                            "cannot read the change",
	} {
		if status, text := r.post("/api/controls", body); status != 422 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s, want one with %q", body, status, text, want)
		}
	}
	r.post("/api/controls", `{"paused": true}`)
	r.until("a pause", func(s State) bool { return s.Paused && s.Policy == "step-wise" && s.Ceiling == 61 })
	if status, text := r.post("/api/reload", `{}`); status != 422 || !strings.Contains(text, "no configuration file") {
		t.Errorf("reload without a file: %d %s", status, text)
	}
	r.stop()
}

func TestReloadKeepsWhatNeedsARestart(t *testing.T) {
	before := DefaultConfig()
	after := before
	after.Threads, after.TargetRate, after.Source.FPS = 4, 2, 7
	var applied []Config
	r := &reloader{now: before, load: func() (Config, error) { return after, nil },
		apply: func(c Config) error { applied = append(applied, c); return nil }}
	for _, want := range []Reloaded{
		{Changed: []string{"target_rate"}, Restart: []string{"source.fps", "threads"}},
		{Changed: []string{}, Restart: []string{"source.fps", "threads"}}, // still to be told
	} {
		if got, err := r.reload(); err != nil || strings.Join(got.Changed, " ") != strings.Join(want.Changed, " ") ||
			strings.Join(got.Restart, " ") != strings.Join(want.Restart, " ") {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	if len(applied) != 2 || r.now.TargetRate != 2 || r.now.Threads != 1 || r.now.Source.FPS != 0 {
		t.Errorf("%d times applied, now %+v", len(applied), r.now)
	}
	r.apply = func(Config) error { return os.ErrInvalid }
	after.TargetRate = 3
	if _, err := r.reload(); err == nil || r.now.TargetRate != 2 {
		t.Errorf("%v, now %v", err, r.now.TargetRate)
	}
}
