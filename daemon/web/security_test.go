package web

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// served is a server that is asked over real connections.
type served struct {
	t      *testing.T
	url    string
	client *http.Client
}

// serve runs a server on a loopback address until the test ends. remote makes it take everybody for a stranger.
func serve(t *testing.T, c Config, remote bool) *served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := net.Listener(l)
	if remote {
		listener = everywhere{l}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- Serve(ctx, listener, time.Second, c) }()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(func() {
		cancel()
		transport.CloseIdleConnections()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return &served{t, "http://" + l.Addr().String(), &http.Client{Jar: jar, Transport: transport}}
}

// everywhere is a listener that says that it listens on all addresses.
type everywhere struct{ net.Listener }

func (everywhere) Addr() net.Addr { return anywhere }

// ask sends a request with headers ("Name: value"), and returns the status and the body.
func (s *served) ask(method, path, body string, headers ...string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	a, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return a.StatusCode, string(text)
}

// want asks, and compares the status.
func (s *served) want(status int, method, path, body string, headers ...string) string {
	s.t.Helper()
	got, text := s.ask(method, path, body, headers...)
	if got != status {
		s.t.Errorf("%s %s %.60s %v: %d, want %d: %s", method, path, body, headers, got, status, text)
	}
	return text
}

const right = `{"token": "the token of the test"}`

func TestStrangersSeeNothingAndChangeNothing(t *testing.T) {
	s := serve(t, testConfig(), true)
	for _, path := range []string{"/api/state", "/api/history?span=hour", "/api/controls", "/api/events", "/snapshots/a.jpg", "/frame.jpg", "/metrics"} {
		s.want(401, "GET", path, "")
	}
	for _, path := range []string{"/api/controls", "/api/controls/reset", "/api/reload"} {
		s.want(401, "POST", path, "{}")
	}
	s.want(200, "GET", "/", "")
	if text := s.want(200, "GET", "/healthz", ""); text != `{"status":"degraded"}`+"\n" {
		t.Errorf("healthz tells strangers %s", text)
	}
	if text := s.want(200, "GET", "/api/session", ""); !strings.Contains(text, `"may_look":false`) {
		t.Errorf("session %s", text)
	}
	bearer := "Authorization: Bearer the token of the test"
	s.want(200, "GET", "/metrics", "", bearer)
	s.want(200, "POST", "/api/controls", "{}", bearer)
	if text := s.want(200, "GET", "/healthz", "", bearer); !strings.Contains(text, "camera: gone") {
		t.Errorf("healthz tells %s", text)
	}
	s.want(401, "GET", "/metrics", "", "Authorization: Bearer the token of the tesT")
	s.want(401, "GET", "/metrics", "", "Authorization: Basic dGhlOnRva2Vu")
}

func TestSigningIn(t *testing.T) {
	s := serve(t, testConfig(), true)
	s.want(401, "POST", "/api/login", `{"token": ""}`)
	s.want(400, "POST", "/api/login", `{"token": "x", "more": 1}`)
	s.want(400, "POST", "/api/login", "{")
	s.want(415, "POST", "/api/login", right, "Content-Type: text/plain")
	s.want(415, "POST", "/api/login", right, "Content-Type: application/x-www-form-urlencoded")
	s.want(204, "POST", "/api/login", right)
	s.want(200, "GET", "/api/state", "")
	s.want(200, "POST", "/api/controls", "{}")
	s.want(415, "POST", "/api/controls", "{}", "Content-Type: text/plain")
	s.want(200, "POST", "/api/reload", "{}")
	s.want(204, "POST", "/api/logout", "{}")
	s.want(401, "GET", "/api/state", "")
}

func TestCookie(t *testing.T) {
	s := serve(t, testConfig(), true)
	a, err := s.client.Post(s.url+"/api/login", "application/json", strings.NewReader(right))
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	c := a.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.MaxAge <= 0 || strings.Contains(c.Value, "token") {
		t.Errorf("%+v", c)
	}
	s.client.Jar = nil
	s.want(200, "GET", "/api/state", "", "Cookie: "+c.Name+"="+c.Value)
	forged := "A" + c.Value[1:]
	if forged == c.Value {
		forged = "B" + c.Value[1:]
	}
	for _, value := range []string{"", "x", forged, c.Value[:len(c.Value)-1], c.Value + "AA"} {
		s.want(401, "GET", "/api/state", "", "Cookie: "+c.Name+"="+value)
	}
	other := testConfig()
	other.Token = "another token of the test"
	serve(t, other, true).want(401, "GET", "/api/state", "", "Cookie: "+c.Name+"="+c.Value) // a new token ends all sessions
}

func TestSessionsEnd(t *testing.T) {
	now := time.Unix(1e9, 0)
	a := &auth{token: "the token of the test", now: func() time.Time { return now }}
	cookie := a.sign(now.Add(sessionLength))
	if !a.session(cookie) {
		t.Error("the cookie does not hold")
	}
	now = now.Add(sessionLength)
	if a.session(cookie) {
		t.Error("the cookie holds for ever")
	}
}

func TestOtherSitesCannotChangeAnything(t *testing.T) {
	s := serve(t, testConfig(), true)
	s.want(204, "POST", "/api/login", right)
	for _, headers := range [][]string{
		{"Sec-Fetch-Site: cross-site"}, {"Sec-Fetch-Site: same-site"}, {"Origin: http://evil.example"}, {"Origin: null"},
	} {
		s.want(403, "POST", "/api/controls", "{}", headers...)
		s.want(403, "POST", "/api/login", right, headers...)
	}
	s.want(200, "POST", "/api/controls", "{}", "Sec-Fetch-Site: same-origin", "Origin: "+s.url)
	s.want(421, "POST", "/api/controls", "{}", "Host: evil.example")
	s.want(421, "GET", "/", "", "Host: evil.example")
}

func TestWithoutATokenNothingCanBeChanged(t *testing.T) {
	c := testConfig()
	c.Token = ""
	s := serve(t, c, false)
	s.want(200, "GET", "/api/state", "")
	for _, path := range []string{"/api/controls", "/api/controls/reset", "/api/reload"} {
		s.want(403, "POST", path, "{}")
		s.want(403, "POST", path, "{}", "Authorization: Bearer ")
	}
	s.want(403, "POST", "/api/login", `{"token": ""}`)
}

func TestGuessesAreLimited(t *testing.T) {
	s := serve(t, testConfig(), false)
	for range failureBurst {
		s.want(401, "POST", "/api/login", `{"token": "a guess"}`)
	}
	s.want(429, "POST", "/api/login", right)
	s.want(429, "POST", "/api/controls", "{}", "Authorization: Bearer the token of the test")
	s.want(200, "GET", "/api/state", "") // looking from here needs no token
}

func TestWhoIsSignedInIsNotShutOutByGuesses(t *testing.T) {
	s := serve(t, testConfig(), true)
	s.want(204, "POST", "/api/login", right)
	for range failureBurst + 1 {
		s.ask("POST", "/api/login", `{"token": "a guess"}`)
	}
	s.want(200, "POST", "/api/controls", "{}")
}

func TestChangesAreLimited(t *testing.T) {
	s := serve(t, testConfig(), false)
	s.want(204, "POST", "/api/login", right)
	refused := 0
	for range 2 * changeBurst {
		if status, _ := s.ask("POST", "/api/controls", "{}"); status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("any number of changes is taken at once")
	}
}

func TestLimiterForgives(t *testing.T) {
	now := time.Unix(1e9, 0)
	l := newLimiter(time.Minute, 2, func() time.Time { return now })
	a := network("2001:db8::1")
	if !l.take(a) || !l.take(network("2001:db8::2")) || l.take(a) || !l.empty(a) {
		t.Error("two events of one network are not the limit")
	}
	if now = now.Add(time.Minute); l.empty(a) || !l.take(a) || l.take(a) {
		t.Error("a minute does not forgive one")
	}
	for i := range 3 * maxAddresses {
		l.take(network(fmt.Sprintf("10.0.%d.%d", i/256, i%256)))
	}
	if len(l.buckets) > maxAddresses {
		t.Errorf("remembers %d addresses", len(l.buckets))
	}
}

func TestLargeRequestsAreRefused(t *testing.T) {
	s := serve(t, testConfig(), false)
	s.want(204, "POST", "/api/login", right)
	large := `{"x":"` + strings.Repeat("x", maxBodyBytes) + `"}`
	s.want(413, "POST", "/api/controls", large)
	s.want(413, "POST", "/api/login", `{"token":"`+strings.Repeat("x", maxBodyBytes)+`"}`)
	s.want(431, "GET", "/", "", "X-Large: "+strings.Repeat("x", maxHeaderBytes+5000))
}

// A client that sends its request a byte at a time is cut off.
func TestSlowRequestsAreCutOff(t *testing.T) {
	t.Parallel()
	s := serve(t, testConfig(), false)
	for name, begin := range map[string]string{
		"header": "GET / HTTP/1.1\r\nHost: localhost\r\n",
		"body":   "POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, begin); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if err := c.SetDeadline(began.Add(4 * readTimeout)); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(c)
			if err != nil || time.Since(began) < readTimeout/2 {
				t.Errorf("after %v: %q, %v", time.Since(began), answer, err)
			}
		})
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	var away atomic.Int64
	config := testConfig()
	config.TurnedAway = func() { away.Add(1) }
	s := serve(t, config, false)
	open := 0
	for range maxConnections + 20 {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			continue
		}
		if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 16)); err == nil {
			open++
		}
	}
	if open != maxConnections {
		t.Errorf("%d connections are open at once, want %d", open, maxConnections)
	}
	if n := away.Load(); n != 20 {
		t.Errorf("%d connections counted as turned away, want 20", n)
	}
}

func TestAnswersAreCounted(t *testing.T) {
	c := testConfig()
	counts := map[int]int{}
	c.Answered = func(code int) { counts[code]++ }
	h := handler(c, anywhere, time.Now)
	for _, path := range []string{"/", "/api/state", "/nowhere", "/nowhere"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "http://localhost"+path, nil))
	}
	if diff := cmp.Diff(map[int]int{200: 1, 401: 1, 404: 2}, counts); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestConnectionsFromOneAddressAreLimited(t *testing.T) {
	l := limitConnections(nil, nil).(*limitedListener)
	a, here := network("10.0.0.7"), network("127.0.0.1")
	for range maxConnectionsFromOne {
		if !l.enter(a) || !l.enter(here) {
			t.Fatal("refused too early")
		}
	}
	if l.enter(a) || !l.enter(network("10.0.0.8")) || !l.enter(here) {
		t.Error("the limit is not for one address other than this machine's")
	}
	l.leave(a)
	if !l.enter(a) {
		t.Error("who has left does not make room")
	}
}

func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c := testConfig()
	c.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	s := serve(t, c, true)
	plain := s.url
	s.url = "https" + strings.TrimPrefix(s.url, "http")
	a, err := s.client.Post(s.url+"/api/login", "application/json", bytes.NewReader([]byte(right)))
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	if len(a.Cookies()) != 1 || !a.Cookies()[0].Secure {
		t.Errorf("cookies %v", a.Cookies())
	}
	s.want(200, "GET", "/api/state", "")
	if a, err := s.client.Get(plain + "/"); err == nil {
		if a.Body.Close(); a.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS: %d", a.StatusCode)
		}
	}
	old := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}}
	defer old.CloseIdleConnections()
	if a, err := (&http.Client{Transport: old}).Get(s.url); err == nil {
		a.Body.Close()
		t.Error("TLS 1.1 is taken")
	}
}
