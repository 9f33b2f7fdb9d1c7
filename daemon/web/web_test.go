package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func testConfig() Config {
	return Config{
		State:   func() any { return map[string]int{"frames": 3} },
		History: func(span string) (any, bool) { return []string{span}, span == "hour" },
		Frame: func() (*Picture, error) {
			return &Picture{ID: "7-3", Answer: map[string]string{"label": "Käfer\n"}, JPEG: []byte("jpeg")}, nil
		},
		Health:   func() (any, string, bool) { return "camera: gone", "degraded", true },
		Metrics:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics") }),
		Controls: func() any { return "controls" },
		Change:   func(change io.Reader) error { _, err := io.ReadAll(change); return err },
		Reset:    func() error { return nil },
		Events:   func() any { return []string{"an event"} },
		Snapshot: func(name string, width int) ([]byte, error) {
			if name != "a.jpg" {
				return nil, fs.ErrNotExist
			}
			return fmt.Appendf(nil, "%s, %d wide", name, width), nil
		},
		Reload:       func() (any, error) { return "reloaded", nil },
		AllowedHosts: []string{"cam.example"},
		Token:        "the token of the test",
		Log:          slog.New(slog.DiscardHandler),
	}
}

var (
	loopback = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	anywhere = &net.TCPAddr{IP: net.IPv4zero, Port: 8080}
)

func ask(c Config, on net.Addr, method, target, host string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, target, nil)
	request.Host = host
	answer := httptest.NewRecorder()
	handler(c, on, time.Now).ServeHTTP(answer, request)
	return answer
}

func TestAnswers(t *testing.T) {
	c := testConfig()
	dead := testConfig()
	dead.Health = func() (any, string, bool) { return "no frame", "degraded", false }
	dead.Frame = func() (*Picture, error) { return nil, nil }
	for _, test := range []struct {
		config Config
		target string
		status int
		kind   string
		body   string
	}{
		{c, "/", 200, "text/html; charset=utf-8", "<title>Fathom</title>"},
		{c, "/page.js", 200, "text/javascript; charset=utf-8", "api/state"},
		{c, "/api/state", 200, "application/json", `{"frames":3}`},
		{c, "/api/history?span=hour", 200, "application/json", `["hour"]`},
		{c, "/api/history", 400, "application/json", "span must be"},
		{c, "/api/session", 200, "application/json", `{"token":true,"signed_in":false,"may_look":true}`},
		{c, "/api/controls", 200, "application/json", "controls"},
		{c, "/frame.jpg", 200, "image/jpeg", "jpeg"},
		{dead, "/frame.jpg", 204, "", ""},
		{c, "/api/events", 200, "application/json", "an event"},
		{c, "/snapshots/a.jpg?width=160", 200, "image/jpeg", "a.jpg, 160 wide"},
		{c, "/snapshots/a.jpg", 200, "image/jpeg", "a.jpg, 0 wide"},
		{c, "/snapshots/a.jpg?width=0", 400, "application/json", "width must be"},
		{c, "/snapshots/b.jpg", 404, "application/json", "no such picture"},
		{c, "/snapshots/..%2fa.jpg", 404, "", ""},
		{c, "/healthz", 200, "application/json", `"camera: gone"`},
		{dead, "/healthz", 503, "application/json", `"no frame"`},
		{c, "/metrics", 200, "", "metrics"},
		{c, "/nothing", 404, "text/plain; charset=utf-8", "not found"},
		{c, "/page/index.html", 404, "", ""},
		{c, "/../web.go", 307, "", ""}, // cleaned to a path inside the page
	} {
		a := ask(test.config, loopback, "GET", test.target, "127.0.0.1:8080")
		if a.Code != test.status || a.Header().Get("Content-Type") != test.kind && test.kind != "" || !strings.Contains(a.Body.String(), test.body) {
			t.Errorf("%s: %d %s %.80q", test.target, a.Code, a.Header().Get("Content-Type"), a.Body)
		}
		if a.Header().Get("Content-Security-Policy") != contentPolicy {
			t.Errorf("%s: no content policy", test.target)
		}
	}
}

// A picture says which frame it is, and what that was taken for; who has it already does not get it again.
func TestFrameWithItsAnswer(t *testing.T) {
	h := ask(testConfig(), loopback, "GET", "/frame.jpg", "localhost").Header()
	if diff := cmp.Diff([]string{`"7-3"`, "%7B%22label%22:%22K%C3%A4fer%5Cn%22%7D"}, []string{h.Get("ETag"), h.Get("Fathom-Answer")}); diff != "" {
		t.Error(diff)
	}
	request := httptest.NewRequest("GET", "/frame.jpg", nil)
	request.Host = "localhost"
	request.Header.Set("If-None-Match", `"7-3"`)
	a := httptest.NewRecorder()
	handler(testConfig(), loopback, time.Now).ServeHTTP(a, request)
	if a.Code != http.StatusNotModified || a.Body.Len() > 0 {
		t.Errorf("again: %d, %q", a.Code, a.Body)
	}
}

func TestMethods(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		if a := ask(testConfig(), loopback, method, "/api/state", "localhost"); a.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, a.Code)
		}
	}
	if a := ask(testConfig(), loopback, "HEAD", "/healthz", "localhost"); a.Code != 200 {
		t.Errorf("HEAD: %d", a.Code)
	}
}

func TestHosts(t *testing.T) {
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST.:8080": 200, "127.0.0.1": 200, "127.0.0.1:99": 200, "[::1]:8080": 200,
		"10.0.0.7:8080": 401, "cam.example": 401, "Cam.Example:8080": 401, own: 401, own + ".local:80": 401, // reached through a proxy
		"evil.example": 421, "localhost.evil.example:8080": 421, "127.0.0.1.evil.example": 421, "": 421, "cam.example.evil": 421,
	} {
		if a := ask(testConfig(), loopback, "GET", "/api/state", host); a.Code != want {
			t.Errorf("host %q on loopback: %d, want %d", host, a.Code, want)
		}
		if want == 200 {
			want = 401 // who listens everywhere cannot tell who asks
		}
		if a := ask(testConfig(), anywhere, "GET", "/api/state", host); a.Code != want {
			t.Errorf("host %q on every address: %d, want %d", host, a.Code, want)
		}
	}
}

// The page must work on a board that reaches nothing, and under its own policy.
func TestPageLoadsNothingFromElsewhere(t *testing.T) {
	if len(assets()) < 6 {
		t.Fatalf("%d files", len(assets()))
	}
	outside := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]{2,}|@import|<script>|\son[a-z]+=|\sstyle=`)
	for name, a := range assets() {
		for _, hit := range outside.FindAllString(string(a.plain), -1) {
			if !strings.HasPrefix(name, "/uplot/") && hit != "http://www.w3.org" { // the name of SVG, not an address that is asked
				t.Errorf("%s: %q", name, hit)
			}
		}
	}
}

func TestAssetsAreCompressedAndRevalidated(t *testing.T) {
	for name, a := range assets() {
		request := httptest.NewRequest("GET", name, nil)
		request.Host = "localhost"
		request.Header.Set("Accept-Encoding", "gzip")
		answer := httptest.NewRecorder()
		handler(testConfig(), loopback, time.Now).ServeHTTP(answer, request)
		body := io.Reader(answer.Body)
		if answer.Header().Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		} else if len(a.plain) > 2000 {
			t.Errorf("%s: %d bytes are not compressed", name, len(a.plain))
		}
		if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, a.plain) || a.kind == "" {
			t.Errorf("%s: %d bytes of %d, %v, %q", name, len(got), len(a.plain), err, a.kind)
		}
		request.Header.Set("If-None-Match", answer.Header().Get("ETag"))
		answer = httptest.NewRecorder()
		if handler(testConfig(), loopback, time.Now).ServeHTTP(answer, request); answer.Code != http.StatusNotModified || answer.Body.Len() > 0 {
			t.Errorf("%s: %d, %d bytes", name, answer.Code, answer.Body.Len())
		}
	}
}

func TestStateThatIsNoJSON(t *testing.T) {
	c := testConfig()
	c.State = func() any { return func() {} }
	if a := ask(c, loopback, "GET", "/api/state", "localhost"); a.Code != http.StatusInternalServerError {
		t.Errorf("%d", a.Code)
	}
}

func TestServe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	asked, release := make(chan bool), make(chan bool)
	c := testConfig()
	c.State = func() any { close(asked); <-release; return 1 }
	go func() { done <- Serve(ctx, l, time.Minute, c) }()
	answer := make(chan int)
	go func() {
		r, err := http.Get("http://" + l.Addr().String() + "/api/state")
		if err != nil {
			t.Error(err)
			close(answer)
			return
		}
		defer r.Body.Close()
		var n int
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &n); err != nil {
			t.Errorf("%q: %v", body, err)
		}
		answer <- n
	}()
	<-asked
	cancel()
	close(release)
	if n := <-answer; n != 1 {
		t.Errorf("a running request was cut off: %d", n)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}
