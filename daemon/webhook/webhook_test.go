package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers as told, in turn, and then 204; it keeps what was delivered.
type server struct {
	*httptest.Server
	mu        sync.Mutex
	answers   []func(http.ResponseWriter, *http.Request)
	tries     []string // IDs
	delivered []string // bodies
	headers   http.Header
}

func serve(t *testing.T, answers ...func(http.ResponseWriter, *http.Request)) *server {
	t.Helper()
	s := &server{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.tries = append(s.tries, r.Header.Get("Fathom-Delivery"))
		s.headers = r.Header
		if len(s.answers) > 0 {
			next := s.answers[0]
			s.answers = s.answers[1:]
			s.mu.Unlock()
			next(w, r)
			return
		}
		s.delivered = append(s.delivered, string(body))
		s.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	return s
}

func status(code int, headers ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}

// hangUp breaks the connection.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		c.Close()
	}
}

// running starts a sender that tries again after milliseconds.
func running(t *testing.T, url string, change func(*Config)) (*Sender, *[]string) {
	t.Helper()
	c := DefaultConfig()
	c.URL, c.Timeout = url, 200*time.Millisecond
	if change != nil {
		change(&c)
	}
	var mu sync.Mutex
	var health []string
	s, err := New(c, Options{First: time.Millisecond, Longest: 5 * time.Millisecond, Agent: "fathomd/test", Health: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		health = append(health, fmt.Sprint(err))
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s, &health
}

// until waits for the counts.
func until(t *testing.T, s *Sender, wanted func(Stats) bool) Stats {
	t.Helper()
	for range 2000 {
		if st := s.Stats(); wanted(st) {
			return st
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("not reached: %+v", s.Stats())
	return Stats{}
}

func TestDeliversInOrderThroughFaults(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	srv := serve(t, status(500), hangUp, status(429, "Retry-After", "garbage"), slow, status(503), status(404))
	s, health := running(t, srv.URL, nil)
	for i := range 4 {
		s.Send(fmt.Sprint("id", i), time.Now(), fmt.Appendf(nil, "body %d", i))
	}
	st := until(t, s, func(st Stats) bool { return st.Delivered+st.Refused == 4 })
	if diff := cmp.Diff(Stats{Delivered: 3, Refused: 1, Retries: 5}, st); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if diff := cmp.Diff([]string{"body 1", "body 2", "body 3"}, srv.delivered); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"id0", "id0", "id0", "id0", "id0", "id0", "id1", "id2", "id3"}, srv.tries); diff != "" {
		t.Errorf("tries (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"webhook: the server answers 500 Internal Server Error",
		"webhook: the server refuses an event with 404 Not Found", "<nil>"}, *health); diff != "" {
		t.Errorf("health (-want +got):\n%s", diff)
	}
}

func TestSignature(t *testing.T) {
	srv := serve(t)
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := running(t, srv.URL, func(c *Config) { c.SecretFile = file })
	s.Send("1", time.Now(), []byte(`{"a":1}`))
	until(t, s, func(st Stats) bool { return st.Delivered == 1 })
	mac := hmac.New(sha256.New, []byte("geheim"))
	mac.Write([]byte(`{"a":1}`))
	srv.mu.Lock()
	defer srv.mu.Unlock()
	for name, want := range map[string]string{"Fathom-Signature": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
		"Content-Type": "application/json", "User-Agent": "fathomd/test", "Fathom-Delivery": "1"} {
		if got := srv.headers.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// What is sent stays with the host it is for.
func TestRedirects(t *testing.T) {
	other := serve(t)
	srv := serve(t, status(http.StatusTemporaryRedirect, "Location", "/elsewhere"))
	s, health := running(t, srv.URL, nil)
	s.Send("1", time.Now(), []byte("here"))
	until(t, s, func(st Stats) bool { return st.Delivered == 1 })
	srv.mu.Lock()
	for range 3 {
		srv.answers = append(srv.answers, status(http.StatusTemporaryRedirect, "Location", other.URL))
	}
	srv.mu.Unlock()
	s.Send("2", time.Now(), []byte("there"))
	until(t, s, func(st Stats) bool { return st.Delivered == 2 && st.Retries == 3 })
	if len(other.tries) != 0 {
		t.Error("another host got an event")
	}
	if len(*health) != 2 || !strings.Contains((*health)[0], "redirected to another host") || strings.Contains((*health)[0], srv.URL) {
		t.Errorf("%q", *health)
	}
}

// The queue is bounded: the newest are kept while the server is away, and sent when it is back.
func TestServerAwayAndBack(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s, _ := running(t, "http://"+address, func(c *Config) { c.Queue = 50 })
	for i := range 5000 {
		s.Send(fmt.Sprint(i), time.Now(), fmt.Appendf(nil, "%d", i))
	}
	st := until(t, s, func(st Stats) bool { return st.Retries > 2 })
	if st.Waiting != 50 || st.Dropped != 4950 || st.Delivered != 0 {
		t.Errorf("%+v", st)
	}
	back := serve(t)
	if l, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: back.Config.Handler}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	// One more if an event was under way when it fell out of the queue.
	st = until(t, s, func(st Stats) bool { return st.Delivered >= 50 && st.Waiting == 0 })
	if st.Delivered+st.Dropped != 5000 {
		t.Errorf("%+v of 5000", st)
	}
	back.mu.Lock()
	defer back.mu.Unlock()
	if last := back.delivered[len(back.delivered)-50:]; last[0] != "4950" || last[49] != "4999" {
		t.Errorf("%v", back.delivered)
	}
}

func TestOldEventsAreGivenUp(t *testing.T) {
	srv := serve(t)
	s, _ := running(t, srv.URL, nil)
	s.Send("old", time.Now().Add(-25*time.Hour), []byte("old"))
	s.Send("new", time.Now(), []byte("new"))
	if st := until(t, s, func(st Stats) bool { return st.Delivered == 1 }); st.Dropped != 1 {
		t.Errorf("%+v", st)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-3": 0, "99999999999999999999": 0, "1000000000": time.Hour, "x": 0,
		"Fri, 01 May 2026 12:00:30 GMT": 30 * time.Second, "Fri, 01 May 2020 12:00:30 GMT": 0,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func TestConfigRefused(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"url: not an http":           func(c *Config) { c.URL = "ftp://x/" },
		"timeout: 1ns":               func(c *Config) { c.Timeout = 1 },
		"queue: 0":                   func(c *Config) { c.Queue = 0 },
		"give_up_after: 0s":          func(c *Config) { c.GiveUpAfter = 0 },
		`on: "x" is none of a, gone`: func(c *Config) { c.On = []string{"x"} },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate("a", "gone"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	c := DefaultConfig()
	c.SecretFile = filepath.Join(t.TempDir(), "none")
	if s, err := New(c, Options{}); err == nil || s != nil {
		t.Error("a key file that is missing")
	}
}
