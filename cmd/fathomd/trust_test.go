//go:build cgo

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/daemon"
)

// A bundle that kills TensorFlow Lite ends the daemon at its start with one line
// that names the file, and is never run by the daemon itself.
func TestHostileBundleIsToldAndNotRun(t *testing.T) {
	cmd := exec.Command(os.Args[0], "--bundle", "../../testdata/hostile/crash", "--listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), asDaemon+"=1", "STATE_DIRECTORY="+t.TempDir())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	const want = "fathomd: probe: crashed while loading segments/ab1daacae4ed.tflite: the process died of SIGSEGV"
	if cmd.ProcessState.ExitCode() != exitFailure || !strings.Contains(stderr.String(), want) {
		t.Errorf("%v, want exit code 1 with %q:\n%s", err, want, &stderr)
	}
}

// The second start finds the record of the first.
func TestSecondStartProbesNothing(t *testing.T) {
	state := t.TempDir()
	t.Setenv("STATE_DIRECTORY", state)
	for _, probed := range []bool{true, false} {
		p := launch(t, "--bundle", tiny, "--listen", "127.0.0.1:0")
		p.until(t, "the first classification", func(s daemon.State) bool { return s.Frame != nil })
		if err := p.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := p.Wait(); err != nil {
			t.Errorf("%v\n%s", err, &p.stderr)
		}
		if strings.Contains(p.stderr.String(), "first load of this bundle") != probed {
			t.Errorf("probed: want %v\n%s", probed, &p.stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(state, "probed.json")); err != nil {
		t.Error(err)
	}
}

// Three times as often as systemd asks for.
func TestWatchdogIsSystemds(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "3000000")
	t.Setenv("WATCHDOG_PID", "")
	if w := watchdog(); w == nil || w.Every != time.Second {
		t.Errorf("%+v, want every second", w)
	}
	t.Setenv("WATCHDOG_USEC", "")
	if w := watchdog(); w != nil {
		t.Errorf("%+v, want none", w)
	}
}
