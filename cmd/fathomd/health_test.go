//go:build cgo

package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fathom-edge/fathom/daemon"
)

func TestHealthAsksTheDaemon(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	path := filepath.Join(t.TempDir(), "fathomd.yaml")
	if err := os.WriteFile(path, []byte("listen: "+address+"\nprobe: false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call("", "health", path); code != 1 || !strings.Contains(stderr, "fathomd does not answer") {
		t.Errorf("before it runs: exit %d: %s", code, stderr)
	}
	p := launch(t, "--config", path, "--bundle", tiny)
	p.until(t, "the first frame", func(s daemon.State) bool { return s.Frame != nil && !s.Health.Stale })
	if code, stdout, stderr := call("", "health", path, "--json"); code != 0 || !strings.Contains(stdout, `"status"`) {
		t.Errorf("while it runs: exit %d: %s%s", code, stdout, stderr)
	}
}

func TestHealthIsBadWhileNoFrameComes(t *testing.T) {
	answers := map[string]struct {
		status int
		body   string
		code   int
		want   string
	}{
		"degraded": {http.StatusOK, `{"status": "degraded", "reasons": ["temperature unknown"]}`, 0, "degraded\n  temperature unknown\n"},
		"stale":    {http.StatusServiceUnavailable, `{"status": "degraded", "reasons": ["no frame"], "stale": true}`, 1, "degraded\n  no frame\n"},
		"another":  {http.StatusOK, `<html>`, 1, "is not fathomd"},
	}
	for name, a := range answers {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(a.status)
				_, _ = w.Write([]byte(a.body))
			}))
			defer server.Close()
			path := filepath.Join(t.TempDir(), "fathomd.yaml")
			text := "listen: " + server.Listener.Addr().String() + "\ntls: {certificate: c.pem, key: k.pem}\n"
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			code, stdout, stderr := call("", "health", path)
			if code != a.code || !strings.Contains(stdout+stderr, a.want) {
				t.Errorf("exit %d, %q, want %d, %q", code, stdout+stderr, a.code, a.want)
			}
		})
	}
}

func TestHealthURL(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080/healthz",
		"0.0.0.0:80":     "http://127.0.0.1:80/healthz",
		":80":            "http://127.0.0.1:80/healthz",
		"[::]:80":        "http://[::1]:80/healthz",
		"birdbox:80":     "http://birdbox:80/healthz",
		"127.0.0.1:0":    "",
		"80":             "",
	} {
		got, err := healthURL(daemon.Config{Listen: listen})
		if got != want || (err == nil) == (want == "") {
			t.Errorf("%s: %q, %v, want %q", listen, got, err, want)
		}
	}
}
