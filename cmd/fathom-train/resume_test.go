package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fathom-edge/fathom/train"
)

const (
	asCommand = "FATHOM_TRAIN_TEST_COMMAND" // set: the test binary is the command
	fileLimit = "FATHOM_TRAIN_TEST_FSIZE"   // and no file may grow beyond so many bytes
)

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "" {
		os.Exit(m.Run())
	}
	if limit := os.Getenv(fileLimit); limit != "" {
		var n uint64
		if err := json.Unmarshal([]byte(limit), &n); err != nil {
			panic(err)
		}
		// A write beyond the limit is an error then, as on a disk that is full.
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			panic(err)
		}
	}
	main()
}

// command runs this test binary as fathom-train.
func command(t *testing.T, env []string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(append(os.Environ(), asCommand+"=1"), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

// files of a run in a folder of its own.
type files struct{ config, family, checkpoints, metrics, report string }

func newFiles(t *testing.T, config string) files {
	t.Helper()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	f := files{in("run.yaml"), in("family"), in("checkpoints"), in("metrics.jsonl"), in("report.html")}
	if err := os.WriteFile(f.config, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f files) args(more ...string) []string {
	return append([]string{"run", f.config, "-o", f.family, "--checkpoint", f.checkpoints, "--metrics", f.metrics, "--report", f.report}, more...)
}

// checkpoint says which one there is.
func (f files) checkpoint() string {
	names, _ := filepath.Glob(filepath.Join(f.checkpoints, "step-*"))
	if len(names) == 0 {
		return ""
	}
	return filepath.Base(names[len(names)-1])
}

func (f files) metricLines(t *testing.T) []train.Metric {
	t.Helper()
	data, err := os.ReadFile(f.metrics)
	if err != nil {
		t.Fatal(err)
	}
	var lines []train.Metric
	for line := range strings.Lines(string(data)) {
		var m train.Metric
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		lines = append(lines, m)
	}
	return lines
}

// killed starts the command, kills it when the condition holds, and says whether it was still running.
func killed(t *testing.T, f files, when func() bool) bool {
	t.Helper()
	cmd, out := command(t, nil, f.args("--resume")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !when() {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			return false
		case <-time.After(time.Millisecond):
		}
	}
	// The process may have ended meanwhile: the error of Wait tells.
	_ = cmd.Process.Kill()
	return <-ended != nil
}

var resumedConfig = strings.NewReplacer("steps: 4", "steps: 60", "every: 2", "every: 12", "checkpoint_every: 2", "checkpoint_every: 5").Replace(smallConfig)

// A run that is killed at any moment and goes on gives the metrics and the family of one that is left alone.
func TestResumeAfterKills(t *testing.T) {
	whole := newFiles(t, resumedConfig)
	start := time.Now()
	cmd, out := command(t, nil, whole.args()...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	took := time.Since(start)

	f := newFiles(t, resumedConfig)
	kills := 0
	after := func(d time.Duration) func() bool {
		start := time.Now()
		return func() bool { return time.Since(start) > d }
	}
	for _, moment := range []struct {
		name string
		when func() bool
	}{
		{"at random", after(time.Duration((0.3 + 0.4*rand.Float64()) * float64(took)))},
		{"while a checkpoint is written", func() bool {
			names, _ := filepath.Glob(filepath.Join(f.checkpoints, ".new-*"))
			return len(names) > 0 && f.checkpoint() != ""
		}},
		{"in the final measurements", func() bool { return f.checkpoint() == "step-00000060" }},
		{"when the statistics are chosen", func() bool { return f.checkpoint() == "step-00000060+" }},
	} {
		if killed(t, f, moment.when) {
			kills++
		} else {
			t.Logf("ended before it was killed %s", moment.name)
		}
	}
	if kills < 2 {
		t.Fatalf("%d kills, want 2 at least", kills)
	}
	cmd, out = command(t, nil, f.args("--resume")...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if diff := cmp.Diff(whole.metricLines(t), f.metricLines(t), cmpopts.IgnoreFields(train.Metric{}, "Seconds", "ImagesPerSecond"),
		cmpopts.EquateApprox(1e-5, 0)); diff != "" {
		t.Errorf("metrics (-uninterrupted +killed %d times):\n%s", kills, diff)
	}
	for _, name := range []string{"family.json", "weights.bin", "a-1.onnx", "a-0.onnx", "b-1.onnx"} {
		want, err := os.ReadFile(filepath.Join(whole.family, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(f.family, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs from the uninterrupted run's (%v)", name, err)
		}
	}
	page, err := os.ReadFile(f.report)
	if err != nil || !bytes.Contains(page, []byte("Finished: 60 steps")) {
		t.Errorf("the report does not tell of the end (%v)", err)
	}
	if names, _ := filepath.Glob(filepath.Join(f.checkpoints, ".new-*")); len(names) > 0 {
		t.Errorf("left over: %v", names)
	}
}
