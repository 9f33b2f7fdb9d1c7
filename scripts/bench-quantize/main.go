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
	"os"

	"github.com/fathom-edge/fathom/internal/results"
)

const (
	output = "docs/results/convert-int8.json"
	family = "testdata/families/demo"
	cache  = ".cache/quantize/"
)

// steps are the parts of the benchmark, in the order in which they run.
var steps = []results.Part{
	{Name: "convert", Measure: convert},
	{Name: "choice", Measure: choice},
	{Name: "accuracy", Measure: accuracy, Owns: []string{"drop/"}},
	{Name: "size", Measure: size},
	{Name: "kernels", Measure: kernels, Owns: []string{"kernels/"}},
	{Name: "arm64", Measure: arm64, Owns: []string{"arm64/"}},
	{Name: "latency", Measure: latency, Owns: []string{"latency/"}},
}

func main() { os.Exit(results.Bench("bench-quantize", output, steps, os.Args[1:], os.Stderr)) }
