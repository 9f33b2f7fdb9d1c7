// Command bench-resume kills a training ten times at random moments, lets it go on with --resume each time, and compares
// its losses with those of a training that is left alone. It writes a row to docs/results/training.json.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
)

const (
	kills   = 10
	maxDiff = 1e-5 // relative
	config  = `
name: resume
seed: 1
data: {kind: glyphs, augment: {pad: 2, brightness: 0.2, mixup: 0.2}}
net: {stem: 16, stem_stride: 4, channels: [16, 16], leader: 3-3, a: [3-3, 1-1], b: [2-2, 0-0]}
loss:
  ce: 1
  sub_ce: 0.3
  from_leader: {weight: 1, temperature: 2}
  from_mate: {weight: 0.5, temperature: 2}
  from_teammate: {weight: 1, temperature: 2}
optimizer: {learning_rate: 0.003, weight_decay: 0.01, warmup: 50}
batch: 32
steps: 600
eval: {every: 50, samples: 500, final: 1000, recalibrate: 10}
checkpoint_every: 20
`
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench-resume:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "bench-resume-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "fathom-train")
	build := exec.Command("go", "build", "-o", binary, "./cmd/fathom-train")
	build.Env = append(os.Environ(), "GOEXPERIMENT=simd", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "run.yaml"), []byte(config), 0o644); err != nil {
		return err
	}
	train := func(name string) *exec.Cmd {
		return exec.Command(binary, "run", filepath.Join(dir, "run.yaml"), "-o", filepath.Join(dir, name), "--checkpoint", filepath.Join(dir, name+"-checkpoints"),
			"--metrics", filepath.Join(dir, name+".jsonl"), "--resume")
	}
	began := time.Now()
	if out, err := train("whole").CombinedOutput(); err != nil {
		return fmt.Errorf("uninterrupted: %w: %s", err, out)
	}
	took := time.Since(began)
	killed := 0
	for killed < kills {
		// On average all kills together fall within one length of the training.
		ended, err := killAfter(train("killed"), time.Duration(0.16*rand.Float64()*float64(took)))
		if err != nil {
			return err
		}
		if ended {
			break
		}
		killed++
	}
	if out, err := train("killed").CombinedOutput(); err != nil {
		return fmt.Errorf("after %d kills: %w: %s", killed, err, out)
	}
	if killed < kills {
		return fmt.Errorf("the training ended after %d kills: run again on a machine that is less unevenly busy", killed)
	}
	want, err := losses(filepath.Join(dir, "whole.jsonl"))
	if err != nil {
		return err
	}
	got, err := losses(filepath.Join(dir, "killed.jsonl"))
	if err != nil {
		return err
	}
	if len(got) != len(want) || len(want) == 0 {
		return fmt.Errorf("%d points of losses after the kills, %d without", len(got), len(want))
	}
	last, whole := 0.0, 0.0
	for i := range want {
		if len(got[i]) != len(want[i]) {
			return fmt.Errorf("point %d has other terms", i)
		}
		last = 0
		for term, v := range want[i] {
			last = max(last, math.Abs(got[i][term]-v)/math.Abs(v))
		}
		whole = max(whole, last)
	}
	const command = "go run ./scripts/bench-resume"
	row := func(id, what string, v float64) results.Row {
		return results.Row{ID: id, What: what, Value: v, Unit: "relative", Op: "<=", Limit: maxDiff, Samples: []float64{v}, Command: command, Machine: results.Machine()}
	}
	return results.Merge("docs/results/training.json", []results.Row{
		row("resume/final", fmt.Sprintf("resumption after %d kills at random moments: largest difference of the last losses from an uninterrupted run's", killed), last),
		row("resume/curve", fmt.Sprintf("resumption after %d kills at random moments: largest difference over the whole curve of every term", killed), whole),
	})
}

// killAfter starts a command and kills it after some time; it says whether the command had ended before.
func killAfter(cmd *exec.Cmd, d time.Duration) (ended bool, err error) {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return false, err
	}
	wait := make(chan error, 1)
	go func() { wait <- cmd.Wait() }()
	select {
	case err := <-wait:
		if err != nil {
			return false, fmt.Errorf("%w: %s", err, out.String())
		}
		return true, nil
	case <-time.After(d):
	}
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return false, err
	}
	return <-wait == nil, nil
}

// losses of the step lines of a metrics file, in order.
func losses(file string) ([]map[string]float64, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []map[string]float64
	for line := range strings.Lines(string(data)) {
		var m struct {
			Kind   string
			Losses map[string]float64
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if m.Kind == "step" {
			list = append(list, m.Losses)
		}
	}
	return list, nil
}
