// Command bench-xla trains the same steps with the built-in backend and with an XLA plugin, one after the other, and
// compares losses and speed:
//
//	go run ./scripts/bench-xla NAME /path/of/plugin.so
//
// NAME says in the rows what the plugin computes on, e.g. cpu or cuda. The rows go to docs/results/training.json.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/fathom-edge/fathom/internal/results"
)

const (
	config  = "train/evidence.yaml"
	steps   = "40"
	maxDiff = 1e-3 // relative; sums are rounded in another order
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bench-xla NAME /path/of/plugin.so")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "bench-xla:", err)
		os.Exit(1)
	}
}

// metric is what a line of metrics says of the last 20 steps.
type metric struct {
	Kind    string
	Images  int
	Seconds float64
	Losses  map[string]float64
}

func run(name, plugin string) error {
	dir, err := os.MkdirTemp("", "bench-xla-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	train := func(backend string, env []string, tags ...string) ([]metric, error) {
		binary, file := filepath.Join(dir, "fathom-train"), filepath.Join(dir, "metrics.jsonl")
		build := exec.Command("go", append(append([]string{"build", "-o", binary}, tags...), "./cmd/fathom-train")...)
		build.Env = append(os.Environ(), env...)
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, out)
		}
		if err := os.RemoveAll(file); err != nil {
			return nil, err
		}
		cmd := exec.Command(binary, "run", config, "--steps", steps, "-o", filepath.Join(dir, "family"), "--metrics", file, "--backend", backend)
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", backend, err, out)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var list []metric
		for line := range bytes.Lines(data) {
			var m metric
			if err := json.Unmarshal(line, &m); err != nil {
				return nil, err
			}
			if m.Kind == "step" {
				list = append(list, m)
			}
		}
		if len(list) != 2 {
			return nil, fmt.Errorf("%s: %d lines of metrics, want 2", backend, len(list))
		}
		return list, nil
	}
	ours, err := train("go", []string{"GOEXPERIMENT=simd", "CGO_ENABLED=0"})
	if err != nil {
		return err
	}
	theirs, err := train("xla:"+plugin, []string{"CGO_ENABLED=1"}, "-tags", "xla")
	if err != nil {
		return err
	}
	var differences []float64
	worst := 0.0
	for i := range ours {
		d := math.Abs(theirs[i].Losses["total"]-ours[i].Losses["total"]) / ours[i].Losses["total"]
		differences, worst = append(differences, d), max(worst, d)
	}
	row := func(id, what string, v float64, unit, op string, limit float64, samples ...float64) results.Row {
		return results.Row{ID: "xla-" + name + "/" + id, What: what, Value: v, Unit: unit, Op: op, Limit: limit, Samples: samples,
			Command: "go run ./scripts/bench-xla " + name + " PLUGIN", Machine: results.Machine()}
	}
	// The first 20 steps build the graphs.
	speed := func(list []metric) float64 {
		return float64(list[1].Images-list[0].Images) / (list[1].Seconds - list[0].Seconds)
	}
	own, xla := speed(ours), speed(theirs)
	return results.Merge("docs/results/training.json", []results.Row{
		row("loss", "xla:"+name+" against go: largest difference of the total loss, means of steps 1-20 and 21-40", worst, "relative", "<=", maxDiff, differences...),
		row("speed", config+": xla:"+name+", steps 21-40", xla, "images/s", "", 0, xla),
		row("speed-go", config+": go on the same machine, just before", own, "images/s", "", 0, own),
	})
}
