// Command bench-daemon measures what fathomd costs beside its network, and what
// its page costs whoever opens it. It writes docs/results/daemon.json:
//
//	make build
//	eval "$(scripts/env.sh)"
//	go run ./scripts/bench-daemon                   # everything, some minutes
//	go run ./scripts/bench-daemon page size         # some parts of it
package main

import (
	"os"

	"github.com/fathom-edge/fathom/internal/results"
)

const file = "docs/results/daemon.json"

// binary and bundle are what is measured.
const (
	binary = "bin/fathomd"
	bundle = "testdata/bundles/demo"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == modelsArgument {
		os.Exit(models())
	}
	os.Exit(results.Bench("bench-daemon", file, []results.Part{
		{Name: "page", Measure: page},
		{Name: "size", Measure: size},
		{Name: "start", Measure: start},
		{Name: "memory", Measure: memory},
		{Name: "cpu", Measure: cpu},
		{Name: "delay", Measure: delay},
		{Name: "throughput", Measure: throughput}, // of what bench-engine made
	}, os.Args[1:], os.Stderr))
}
