// Command bench-train compares the trainer's backend with GoMLX's own, in one
// run, and writes docs/results/training-backend.json: whole training steps of
// a ResNet, a MobileNetV2 and a vision transformer at 32x32 and at 224x224, and
// the convolutions of the demo network.
//
//	go run ./scripts/bench-train            # everything
//	go run ./scripts/bench-train -samples 1 -parts steps
//
// Every measurement of a step is a process of its own, and the two backends
// take turns.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
)

const (
	pkg  = "./train/fastcpu"
	file = "docs/results/training-backend.json"
)

var nets = []string{"resnet-3x4-32", "mobilenetv2-32", "vit-6x128-32", "resnet-4x2-224", "mobilenetv2-224", "vit-12x192-224"}

func main() {
	samples := flag.Int("samples", 3, "processes for each measurement of a step")
	limit := flag.Duration("limit", 5*time.Minute, "longest time of one process; what takes longer has no row")
	parts := flag.String("parts", "steps,conv", "what to measure")
	flag.Parse()
	if err := run(strings.Split(*parts, ","), *samples, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "bench-train:", err)
		os.Exit(1)
	}
}

func run(parts []string, samples int, limit time.Duration) error {
	dir, err := os.MkdirTemp("", "bench-train")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{program: filepath.Join(dir, "fastcpu.test"), samples: map[string][]float64{}}
	build := exec.Command("go", "test", "-c", "-o", b.program, pkg)
	build.Env = append(os.Environ(), "GOEXPERIMENT=simd", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w: %s", build.Args, err, out)
	}
	if slices.Contains(parts, "steps") {
		if err := b.steps(samples, limit); err != nil {
			return err
		}
	}
	if slices.Contains(parts, "conv") {
		if err := b.convolutions(); err != nil {
			return err
		}
	}
	return results.Merge(file, b.rows())
}

// bench collects samples by row.
type bench struct {
	program string
	order   []results.Row // without value and samples
	samples map[string][]float64
}

func (b *bench) add(id, what, unit, command string, value float64) {
	if b.samples[id] == nil {
		b.order = append(b.order, results.Row{ID: id, What: what, Unit: unit, Command: command, Machine: results.Machine()})
	}
	b.samples[id] = append(b.samples[id], value)
}

func (b *bench) rows() []results.Row {
	rows := slices.Clone(b.order)
	for i := range rows {
		r := &rows[i]
		r.Samples = b.samples[r.ID]
		r.Value = slices.Sorted(slices.Values(r.Samples))[len(r.Samples)/2]
	}
	return rows
}

// output runs benchmarks of the test program and returns what it prints.
func (b *bench) output(limit time.Duration, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.program, append([]string{"-test.run", "^$"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return string(out), err
}

// steps measures the training steps of all nets on both backends.
func (b *bench) steps(samples int, limit time.Duration) error {
	metric := regexp.MustCompile(`\s([0-9.e+]+) (images/s|images/cpu-s|peak-MiB)`)
	what := map[string]string{
		"images/s":     "training step of %s on %s, on a machine shared with other programs, median (go: an eighth of the batch)",
		"images/cpu-s": "training step of %s on %s, images for each second of processor time, median (go: an eighth of the batch)",
		"peak-MiB":     "training step of %s on %s, largest resident size of the process, median (go: an eighth of the batch)",
	}
	slow := map[string]bool{}
	for range samples {
		for _, net := range nets {
			for _, backend := range []string{"fastcpu", "go"} {
				name := net + "/" + backend
				if slow[name] {
					continue
				}
				pattern := "^BenchmarkStep$/^" + net + "$/^" + backend + "$"
				out, err := b.output(limit, "-test.bench", pattern, "-test.benchtime", "1x")
				if err == context.DeadlineExceeded {
					fmt.Fprintf(os.Stderr, "bench-train: %s takes longer than %v: left out\n", name, limit)
					slow[name] = true
					continue
				}
				if err != nil {
					return fmt.Errorf("%s: %w: %s", name, err, out)
				}
				for _, m := range metric.FindAllStringSubmatch(out, -1) {
					v, err := strconv.ParseFloat(m[1], 64)
					if err != nil {
						return err
					}
					id, unit := "step-"+name, m[2]
					if unit != "images/s" {
						id += "-" + strings.TrimPrefix(unit, "images/")
					}
					unit = strings.TrimPrefix(unit, "peak-")
					b.add(id, fmt.Sprintf(what[m[2]], net, backend), unit,
						"GOEXPERIMENT=simd go test "+pkg+" -run ^$ -bench '"+pattern+"' -benchtime 1x", v)
				}
				if err := results.Merge(file, b.rows()); err != nil { // what is measured stays, whatever comes
					return err
				}
			}
		}
	}
	return nil
}

// convolutions measures single layers, forward with both gradients.
func (b *bench) convolutions() error {
	args := []string{"-test.bench", "Conv/.*/grad=true", "-test.benchtime", "300ms", "-test.count", "5"}
	out, err := b.output(time.Hour, args...)
	if err != nil {
		return fmt.Errorf("convolutions: %w: %s", err, out)
	}
	row := regexp.MustCompile(`(?m)^BenchmarkConv/(\S+)/grad=true/(\S+?)(?:-\d+)?\s.*\s([0-9.]+) GFLOP/s`)
	for _, m := range row.FindAllStringSubmatch(out, -1) {
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			return err
		}
		b.add("conv-"+m[1]+"/"+m[2], fmt.Sprintf("3x3 convolution with both gradients, batch x side x channels %s, %s, median", m[1], m[2]), "GFLOP/s",
			"GOEXPERIMENT=simd go test "+pkg+" -run ^$ -bench Conv/.*/grad=true -benchtime 300ms -count 5", v)
	}
	return nil
}
