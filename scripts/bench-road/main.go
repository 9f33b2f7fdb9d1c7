// Command bench-road measures the numbers of the road from training to a
// governed daemon and writes them to docs/results/road.json:
//
//	go run ./scripts/bench-road               everything
//	go run ./scripts/bench-road accuracy size only these
//
// It runs the built programs (make build, and make dist for the arm64 ones) from
// the repository's root, as the commands in the rows say.
package main

import (
	"os"

	"github.com/fathom-edge/fathom/internal/results"
)

const (
	output = "docs/results/road.json"
	demo   = "testdata/bundles/demo"
	family = "testdata/families/demo"
)

// steps are the parts of the benchmark, in the order in which they run.
var steps = []results.Part{
	{Name: "accuracy", Measure: accuracy, Owns: []string{"accuracy/"}},
	{Name: "reference", Measure: reference, Owns: []string{"reference/"}},
	{Name: "size", Measure: size},
	{Name: "labels", Measure: labels, Owns: []string{"labels-"}},
	{Name: "demo", Measure: firstClassification},
	{Name: "test", Measure: testTime},
}

func main() { os.Exit(results.Bench("bench-road", output, steps, os.Args[1:], os.Stderr)) }
