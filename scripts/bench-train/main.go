// Command bench-train compares the trainer's backend with GoMLX's own on the
// convolutions of the demo network, forward with both gradients, in one run,
// and writes docs/results/training-backend.json.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/internal/results"
)

const line = "go test ./train/fastcpu -run ^$ -bench Conv/.*/grad=true -benchtime 300ms -count 5"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench-train:", err)
		os.Exit(1)
	}
}

func run() error {
	words := strings.Fields(line)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(), "GOEXPERIMENT=simd", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", line, err, out)
	}
	samples := map[string][]float64{}
	var order []string
	row := regexp.MustCompile(`(?m)^BenchmarkConv/(\S+)/grad=true/(\S+?)(?:-\d+)?\s.*\s([0-9.]+) GFLOP/s`)
	for _, m := range row.FindAllStringSubmatch(string(out), -1) {
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			return err
		}
		id := "conv-" + m[1] + "/" + m[2]
		if samples[id] == nil {
			order = append(order, id)
		}
		samples[id] = append(samples[id], v)
	}
	if len(order) == 0 {
		return fmt.Errorf("%s printed no result:\n%s", line, out)
	}
	var rows []results.Row
	for _, id := range order {
		sorted := slices.Sorted(slices.Values(samples[id]))
		shape, form, _ := strings.Cut(strings.TrimPrefix(id, "conv-"), "/")
		rows = append(rows, results.Row{ID: id, What: fmt.Sprintf("3x3 convolution with both gradients, batch x side x channels %s, %s, median", shape, form),
			Value: sorted[len(sorted)/2], Unit: "GFLOP/s", Samples: samples[id], Command: "GOEXPERIMENT=simd " + line, Machine: results.Machine()})
	}
	return results.Merge("docs/results/training-backend.json", rows)
}
