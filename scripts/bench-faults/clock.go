package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// clockFile names the environment variable with the file that says by how many seconds the wall clock is off.
const clockFile = "BENCH_CLOCK_FILE"

// What is built into the fathomd under test, and nowhere else: SIGUSR1 lets it read the file, and package time add what it says to the
// wall clock, as if somebody had set that of the machine. The monotonic clock stays as it is.
const (
	shiftOfTime = `package time

import "sync/atomic"

var shift atomic.Int64

// Shift sets the wall clock forward by so many seconds.
func Shift(seconds int64) { shift.Store(seconds) }
`
	shiftOfMain = `package main

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func init() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			text, err := os.ReadFile(os.Getenv("` + clockFile + `"))
			for ; err != nil; text, err = os.ReadFile(os.Getenv("` + clockFile + `")) {
				time.Sleep(50 * time.Millisecond) // while it may open no files
			}
			if seconds, err := strconv.ParseInt(string(text), 10, 64); err == nil {
				time.Shift(seconds)
			}
		}
	}()
}
`
	reading = "sec, nsec, mono := runtimeNow()\n\tif mono == 0 {"
	shifted = "sec, nsec, mono := runtimeNow()\n\tsec += shift.Load()\n\tif mono == 0 {"
)

// buildShifted builds fathomd of this tree with a clock that can be set.
func buildShifted(dir string) (binary string, err error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	library := filepath.Join(strings.TrimSpace(string(root)), "src/time")
	source, err := os.ReadFile(filepath.Join(library, "time.go"))
	if err != nil {
		return "", err
	}
	text := strings.Replace(string(source), reading, shifted, 1)
	if text == string(source) {
		return "", errors.New("this release of Go reads the clock in another way than this program knows")
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for _, f := range []struct{ name, text, of string }{
		{"time.go", text, filepath.Join(library, "time.go")},
		{"shift.go", shiftOfTime, filepath.Join(library, "shift.go")},
		{"main.go", shiftOfMain, filepath.Join(here, "cmd/fathomd/shift.go")},
	} {
		overlay.Replace[f.of] = filepath.Join(dir, f.name)
		if err := os.WriteFile(overlay.Replace[f.of], []byte(f.text), 0o644); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o644); err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "fathomd")
	build := exec.Command("bash", "-c", `eval "$(scripts/env.sh)"; exec go build -trimpath -overlay "$1" -o "$2" ./cmd/fathomd`, "build", filepath.Join(dir, "overlay.json"), binary)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build fathomd: %w: %s", err, out)
	}
	return binary, nil
}

// clockFaults set the clock of a process that lives on, as what a kill left behind is told by its time.
func (t *trial) clockFaults() []fault {
	file := filepath.Join(t.dir, "clock")
	set := func(to time.Duration) error {
		if err := os.WriteFile(file, fmt.Append(nil, int64(to/time.Second)), 0o644); err != nil {
			return err
		}
		return syscall.Kill(t.subject.pid(), syscall.SIGUSR1)
	}
	jump := func(kind string, least, most time.Duration) fault {
		return fault{kind: "clock: set " + kind, counters: []string{"fathom_clock_set_total"}, says: "the clock was set", hold: 2 * time.Second,
			begin: func(rng *rand.Rand) (func() error, error) {
				if t.kills {
					return nil, errNotBegun
				}
				return func() error {
					defer sleep(context.Background(), 2*time.Second) // in which it is noticed: it is looked at once a second
					return set(0)
				}, set(least + time.Duration(rng.Int64N(int64(most-least))))
			}}
	}
	const day = 24 * time.Hour
	return []fault{
		jump("forward by hours", time.Hour, day), jump("back by hours", -day, -time.Hour),
		jump("forward by seconds", 2*time.Second, time.Minute), jump("back by seconds", -time.Minute, -2*time.Second),
		jump("forward by years", 365*day, 5*365*day), jump("back by years", -20*365*day, -365*day),
	}
}
