// Command bench-engine measures what docs/results/engine.json states of the engine:
//
//	go run ./scripts/bench-engine                  everything (about eight minutes on two free cores)
//	go run ./scripts/bench-engine latency switch   only these parts
//
// It runs from the repository's root with the environment of scripts/env.sh, and
// needs bin/fathom (make build). The part "families" makes the bundles that the
// others measure, in .cache/engine: a ResNet and a MobileNetV2 with random weights,
// and the demo. Nothing else should run meanwhile; fathom bench's warnings are
// printed.
package main

import (
	"fmt"
	"os"

	"github.com/fathom-edge/fathom/internal/results"
)

const (
	output = "docs/results/engine.json"
	cache  = ".cache/engine/"
)

// parts run in this order.
var parts = []results.Part{
	{Name: "families", Measure: families},
	{Name: "latency", Measure: latency, Owns: []string{"bare-demo-", "segments-demo-", "switch-demo-"}},
	{Name: "depthwise", Measure: depthwise},
	{Name: "allocations", Measure: allocations},
	{Name: "free", Measure: free},
	{Name: "deadline", Measure: deadline},
	{Name: "escalation", Measure: escalation, Owns: []string{"escalation-single-", "escalation-mixture-"}},
	{Name: "spending", Measure: spending, Owns: []string{"escalation-governed-"}},
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == hogArgument {
		hog()
	}
	if _, err := os.Stat("bin/fathom"); err != nil {
		fmt.Fprintln(os.Stderr, "bench-engine: no bin/fathom: run make build, and start from the repository's root")
		os.Exit(1)
	}
	os.Exit(results.Bench("bench-engine", output, parts, os.Args[1:], os.Stderr))
}
