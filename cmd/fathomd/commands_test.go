//go:build cgo

package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/boardtest"
	"github.com/fathom-edge/fathom/daemon"
)

// call runs a command and returns its exit code and outputs.
func call(input string, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = runWith(args, streams{strings.NewReader(input), &out, &err})
	return code, out.String(), err.String()
}

func TestCheckConfigListsAllProblems(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fathomd.yaml")
	if err := os.WriteFile(path, []byte("threads: 0\nsource:\n  kind: webcam\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := call("", "check-config", path)
	want := path + ":3:3: source.kind: \"webcam\" is none of camera, folder, mjpeg, synthetic\n" +
		path + ":1:1: threads: 0 is outside of 1 to 64\n"
	if code != 1 || stdout != "" || stderr != want {
		t.Errorf("exit %d, %q, got\n%swant\n%s", code, stdout, stderr, want)
	}
	code, stdout, _ = call("", "check-config", path, "--json")
	var got struct {
		File     string
		OK       bool
		Problems []daemon.Problem
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 1 || got.OK || got.File != path {
		t.Fatalf("exit %d, %v: %s", code, err, stdout)
	}
	first := daemon.Problem{File: path, Line: 3, Column: 3, Field: "source.kind", Message: `"webcam" is none of camera, folder, mjpeg, synthetic`}
	if diff := cmp.Diff(first, got.Problems[0]); diff != "" || len(got.Problems) != 2 {
		t.Errorf("%d problems, (-want +got)\n%s", len(got.Problems), diff)
	}
}

// A configuration is written for every board whose files are kept here, and passes check-config.
func TestInitFitsEveryBoard(t *testing.T) {
	archives, err := filepath.Glob("../../testdata/boards/*.txtar")
	if err != nil || len(archives) < 5 {
		t.Fatalf("%d boards, %v", len(archives), err)
	}
	roots := []string{"/"}
	for _, a := range archives {
		roots = append(roots, boardtest.Mount(t, a))
	}
	for _, root := range roots {
		path := filepath.Join(t.TempDir(), "etc", "fathomd.yaml")
		if code, _, stderr := call("", "init", path, "--root", root); code != 0 {
			t.Errorf("%s: exit %d: %s", root, code, stderr)
			continue
		}
		if code, _, stderr := call("", "check-config", path); code != 0 {
			text, _ := os.ReadFile(path)
			t.Errorf("%s: exit %d: %s\n%s", root, code, stderr, text)
		}
	}
}

func TestInitUsesWhatItFinds(t *testing.T) {
	code, text, _ := call("", "init", "--stdout", "--root", boardtest.Mount(t, "../../testdata/boards/pi5.txtar"), "--bundle", "/b")
	for _, want := range []string{"# fathomd on Raspberry Pi 5", "bundle: /b ", "  ceiling_celsius: "} {
		if code != 0 || !strings.Contains(text, want) {
			t.Errorf("exit %d, no %q in\n%s", code, want, text)
		}
	}
}

func TestInitAsksBeforeItReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fathomd.yaml")
	if err := os.WriteFile(path, []byte("mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, answer := range []string{"", "n\n", "what?\n"} {
		code, _, stderr := call(answer, "init", path)
		if text, _ := os.ReadFile(path); code != 1 || string(text) != "mine\n" || !strings.Contains(stderr, "is left as it is") {
			t.Errorf("%q: exit %d, %q: %s", answer, code, stderr, text)
		}
	}
	code, _, _ := call("y\n", "init", path)
	if text, _ := os.ReadFile(path); code != 0 || string(text) == "mine\n" {
		t.Errorf("exit %d: %s", code, text)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("files are left over: %v", left)
	}
}

func TestInitWritesACertificateThatServes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fathomd.yaml")
	if code, _, stderr := call("", "init", path, "--tls", "--bundle", tiny); code != 0 {
		t.Fatal(stderr)
	}
	key := filepath.Join(filepath.Dir(path), "key.pem")
	if info, err := os.Stat(key); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := tls.LoadX509KeyPair(filepath.Join(filepath.Dir(path), "certificate.pem"), key); err != nil {
		t.Error(err)
	}
	p := launch(t, "--config", path, "--listen", "127.0.0.1:0", "--source", "synthetic")
	if !strings.HasPrefix(p.url, "https://127.0.0.1:") {
		t.Errorf("the page is at %s", p.url)
	}
}

func TestTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if code, _, stderr := call("", "token", path); code != 0 {
		t.Fatal(stderr)
	}
	first, err := os.ReadFile(path)
	info, statErr := os.Stat(path)
	if err != nil || statErr != nil || info.Mode() != 0o600 || len(first) != 44 {
		t.Errorf("%v, %v, %v, %q", err, statErr, info.Mode(), first)
	}
	if code, _, stderr := call("", "token", path); code != 1 || !strings.Contains(stderr, "exists") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	call("", "token", path, "--force")
	if second, _ := os.ReadFile(path); string(second) == string(first) {
		t.Error("the token is the same")
	}
}

// A signal makes the running daemon read its file again; a bad file changes nothing.
func TestSIGHUPReloads(t *testing.T) {
	bundle, err := filepath.Abs(tiny)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "fathomd.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("bundle: "+bundle+"\nlisten: 127.0.0.1:0\nprobe: false\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	p := launch(t, "--config", path)
	frames := uint64(0)
	reload := func(text, want string) {
		t.Helper()
		write(text)
		if err := p.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(20 * time.Second); !strings.Contains(p.log(), want); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("no %q in\n%s", want, p.log())
			}
		}
		p.until(t, "further frames", func(s daemon.State) bool {
			if s.Frames < frames {
				t.Fatal("the daemon began anew")
			}
			frames = s.Frames
			return s.Frames > frames-1 && s.Frame != nil
		})
	}
	reload("policy: {kind: step-wise}\nthreads: 2\n", "changed=[policy.kind] after_restart=[threads]")
	p.until(t, "the new policy", func(s daemon.State) bool { return s.Policy == "step-wise" })
	reload("policy: {kind: magic}\n", "the configuration before goes on")
	p.until(t, "the old policy", func(s daemon.State) bool { return s.Policy == "step-wise" })
}
