// Command bench-quantize measures what float16 and int8 cost and gain on the demo
// family, and writes docs/results/convert-int8.json:
//
//	go run ./scripts/bench-quantize                 everything
//	go run ./scripts/bench-quantize accuracy size   only these
//
// It runs the built programs (make build, and make dist for the arm64 ones) from
// the repository's root, as the commands in the rows say. The part "convert" makes
// the bundles that all others measure, in .cache/quantize.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/fathom-edge/fathom/internal/results"
)

const (
	output = "docs/results/convert-int8.json"
	family = "testdata/families/demo"
	cache  = ".cache/quantize/"
)

type step struct {
	name    string
	measure func() ([]results.Row, error)
}

// steps are the parts of the benchmark, in the order in which they run.
var steps = []step{
	{"convert", convert},
	{"choice", choice},
	{"accuracy", accuracy},
	{"size", size},
	{"kernels", kernels},
	{"arm64", arm64},
	{"latency", latency},
}

func main() {
	wanted := os.Args[1:]
	var names []string
	for _, s := range steps {
		names = append(names, s.name)
	}
	for _, w := range wanted {
		if !slices.Contains(names, w) {
			fmt.Fprintf(os.Stderr, "bench-quantize: no part %q: there are %s\n", w, strings.Join(names, ", "))
			os.Exit(2)
		}
	}
	for _, s := range steps {
		if len(wanted) > 0 && !slices.Contains(wanted, s.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench-quantize: %s\n", s.name)
		rows, err := s.measure()
		if err == nil {
			machine := results.Machine()
			for i := range rows {
				rows[i].Machine = machine
			}
			err = results.Merge(output, rows)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench-quantize: %s: %v\n", s.name, err)
			os.Exit(1)
		}
	}
}

// run executes a command line as it stands in a row, and returns its standard output.
func run(line string) (string, error) {
	words := strings.Fields(line)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", line, err)
	}
	return string(out), nil
}

// one is a row with a single sample.
func one(id, what string, value float64, unit, op string, limit float64, command string) results.Row {
	return results.Row{ID: id, What: what, Value: value, Unit: unit, Op: op, Limit: limit, Samples: []float64{value}, Command: command}
}
