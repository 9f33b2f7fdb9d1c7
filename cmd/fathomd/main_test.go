//go:build cgo

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/daemon"
	"github.com/fathom-edge/fathom/runtime/probe"
)

const tiny = "../../testdata/bundles/tiny"

// The tests run this very binary as fathomd.
const asDaemon = "FATHOMD_TEST_RUN"

func TestMain(m *testing.M) {
	probe.Main() // the child does not get the variable
	if os.Getenv(asDaemon) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a fathomd of its own.
type process struct {
	*exec.Cmd
	url    string
	stderr lockedBuffer
}

// log is what the process has written so far.
func (p *process) log() string { return p.stderr.String() }

// lockedBuffer is written by one goroutine and read by another.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// launch starts fathomd and waits until it says where its page is.
func launch(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], args...)}
	p.Env = append(os.Environ(), asDaemon+"=1")
	p.Stderr = &p.stderr
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "fathomd: ")
	if err != nil || !ok {
		_ = p.Wait()
		t.Fatalf("%q, %v:\n%s", line, err, &p.stderr)
	}
	p.url = url
	return p
}

// until polls /api/state.
func (p *process) until(t *testing.T, what string, wanted func(daemon.State) bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		answer, err := http.Get(p.url + "/api/state")
		if err != nil {
			t.Fatal(err)
		}
		var s daemon.State
		err = json.NewDecoder(answer.Body).Decode(&s)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if wanted(s) {
			return
		}
	}
	t.Fatalf("%s: not within a minute:\n%s", what, &p.stderr)
}

func TestDemoGoesShallowerUnderHeatAndEndsOnSIGTERM(t *testing.T) {
	demo, err := os.ReadFile("../../testdata/demo/fathomd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	fast := strings.Replace(string(demo), "acceleration: 8\n", "acceleration: 300\n", 1)
	if fast == string(demo) {
		t.Fatal("the demo has another acceleration: change this test")
	}
	config := filepath.Join(t.TempDir(), "fathomd.yaml")
	if err := os.WriteFile(config, []byte(fast), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, "--config", config, "--bundle", tiny, "--listen", "127.0.0.1:0")
	p.until(t, "the first classification", func(s daemon.State) bool { return s.Frame != nil })
	p.until(t, "a shallower variant", func(s daemon.State) bool { return s.Switches > 0 && s.Active < len(s.Ladder)-1 })

	began := time.Now()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, &p.stderr)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("ended after %v", took)
	}
}

func TestSystemdIsTold(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	p := launch(t, "--bundle", tiny, "--source", "synthetic", "--listen", "127.0.0.1:0")
	told := func(want string) {
		t.Helper()
		if err := l.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		var buf [256]byte
		n, err := l.Read(buf[:])
		if err != nil || string(buf[:n]) != want {
			t.Errorf("told %q, %v; want %q", buf[:n], err, want)
		}
	}
	told("EXTEND_TIMEOUT_USEC=120000000") // the first load of the bundle may take that long
	told("READY=1")
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	told("STOPPING=1")
	if err := p.Wait(); err != nil {
		t.Errorf("after SIGINT: %v\n%s", err, &p.stderr)
	}
}

func TestCommandLine(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	address := busy.Addr().String()
	for name, test := range map[string]struct {
		args []string
		code int
		want string // in the output
	}{
		"help":           {[]string{"--help"}, 0, "fathomd --demo"},
		"help of init":   {[]string{"init", "--help"}, 0, "fathomd init --stdout"},
		"check the demo": {[]string{"check-config", "../../testdata/demo/fathomd.yaml"}, 0, "../../testdata/demo/fathomd.yaml is fine\n"},
		"check nothing":  {[]string{"check-config", "nowhere.yaml"}, 1, "fathomd: config: open nowhere.yaml"},
		"print a token":  {[]string{"token"}, 0, "\n"},
		"remote":         {[]string{"--bundle", tiny, "--listen", "0.0.0.0:0"}, 1, "other machines may reach the page, which needs a token"},
		"unknown flag":   {[]string{"--bogus"}, 2, "fathomd: unknown flag --bogus (fathomd --help lists the flags)"},
		"no bundle":      {nil, 1, "fathomd: config: bundle: missing"},
		"no such bundle": {[]string{"--bundle", "nowhere", "--listen", "127.0.0.1:0"}, 1, "fathomd: bundle: nowhere has no manifest.json"},
		"no such config": {[]string{"--config", "nowhere.yaml"}, 1, "fathomd: config: open nowhere.yaml"},
		"two configs":    {[]string{"--demo", "--config", "x"}, 1, "drop --config"},
		"demo elsewhere": {[]string{"--demo"}, 1, "fathomd: --demo: found none of testdata/demo/fathomd.yaml"},
		"port in use":    {[]string{"--bundle", tiny, "--listen", address}, 1, "fathomd: listen " + address + ": address already in use (another fathomd? choose another port with --listen)"},
		"bad listen":     {[]string{"--bundle", tiny, "--listen", "8080"}, 1, `fathomd: config: listen: "8080" is not host:port`},
		"no such folder": {[]string{"--bundle", tiny, "--listen", "127.0.0.1:0", "--source", "nowhere"}, 1, "nowhere"},
		"bad camera":     {[]string{"--bundle", tiny, "--listen", "127.0.0.1:0", "--source", "http://"}, 1, "http://"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(test.args, &stdout, &stderr)
			output := stdout.String() + stderr.String()
			if code != test.code || !strings.Contains(output, test.want) {
				t.Errorf("exit %d, want %d with %q:\n%s", code, test.code, test.want, output)
			}
			if code != 0 && strings.Count(stderr.String(), "\n") != 1 {
				t.Errorf("not one line: %q", &stderr)
			}
		})
	}
}
