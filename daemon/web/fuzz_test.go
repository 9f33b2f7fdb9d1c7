package web

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Whatever a stranger sends: no panic, no failure of ours, nothing changed, and no answer without the headers that protect.
func FuzzRequests(f *testing.F) {
	f.Add("GET", "/api/history?span=hour", "localhost", "", "", "")
	f.Add("POST", "/api/login", "127.0.0.1:80", "application/json", `{"token": "a guess"}`, "")
	f.Add("POST", "/api/controls", "[::1]", "application/json", `{"objectives": {"fps": 1e999}}`, "Bearer x")
	f.Add("HEAD", "/%2e%2e/web.go", "evil.example", "text/plain", "\x00", "Bearer ")
	f.Fuzz(func(t *testing.T, method, target, host, kind, body, authorization string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(target, "/") || strings.ContainsFunc(method, func(r rune) bool { return r < 'A' || r > 'Z' }) || method == "" {
			return
		}
		c := testConfig()
		c.Change = func(io.Reader) error { t.Error("a stranger has changed something"); return nil }
		c.Reload = func() (any, error) { t.Error("a stranger has reloaded"); return nil, nil }
		r := httptest.NewRequest("GET", "/", strings.NewReader(body))
		r.Method, r.URL, r.Host, r.RequestURI = method, u, host, target
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Authorization", authorization)
		a := httptest.NewRecorder()
		handler(c, anywhere, time.Now).ServeHTTP(a, r)
		if a.Code >= 500 || a.Header().Get("Content-Security-Policy") != contentPolicy {
			t.Errorf("%s %s: %d", method, target, a.Code)
		}
		if a.Header().Get("Content-Type") == "application/json" && a.Header().Get("Content-Encoding") == "" && method != "HEAD" && !json.Valid(a.Body.Bytes()) {
			t.Errorf("%s %s: %q is no JSON", method, target, a.Body)
		}
		if strings.Contains(a.Body.String(), `"frames":3`) {
			t.Errorf("%s %s: a stranger sees the state", method, target)
		}
	})
}

// Nobody signs a cookie but who knows the token.
func FuzzSession(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	ours := &auth{token: "a-token-that-nobody-guesses", now: func() time.Time { return now }}
	good := ours.sign(now.Add(time.Hour))
	f.Add(good)
	f.Add(ours.sign(now.Add(-time.Hour)))
	f.Add((&auth{token: "another-one-of-the-kind"}).sign(now.Add(time.Hour)))
	f.Add("")
	f.Fuzz(func(t *testing.T, cookie string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", sessionCookie+"="+cookie)
		if ours.judge(r) == signedIn && !strings.HasPrefix(strings.Trim(cookie, `"`), good) {
			t.Errorf("%q signs in", cookie)
		}
	})
}
