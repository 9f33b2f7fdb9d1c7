// Command bench-boards measures what docs/results/boards.json states of package
// boards:
//
//	go run ./scripts/bench-boards               everything (some 10 minutes: a million snapshots)
//	go run ./scripts/bench-boards cost deadline only these
//
// Run it from the repository's root, as root: the peer periph has its paths built
// in and is asked in a changed root.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/fathom-edge/fathom/boards/boardtest"
	"github.com/fathom-edge/fathom/internal/results"
)

const (
	output   = "docs/results/boards.json"
	fixtures = "testdata/boards"
)

// steps are the parts of the benchmark, in the order in which they run.
var steps = []results.Part{
	{Name: "quantities", Measure: quantities},
	{Name: "devices", Measure: devices},
	{Name: "drains", Measure: drains},
	{Name: "peers", Measure: peers},
	{Name: "cost", Measure: cost},
	{Name: "deadline", Measure: deadline},
	{Name: "leak", Measure: leak},
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == childArgument {
		os.Exit(child(os.Args[2], os.Args[3]))
	}
	os.Exit(results.Bench("bench-boards", output, steps, os.Args[1:], os.Stderr))
}

// trees names the fixtures.
func trees() ([]string, error) {
	archives, err := filepath.Glob(filepath.Join(fixtures, "*.txtar"))
	if err != nil || len(archives) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no fixtures in %s (run it from the repository's root)", fixtures))
	}
	var names []string
	for _, a := range archives {
		names = append(names, strings.TrimSuffix(filepath.Base(a), ".txtar"))
	}
	return names, nil
}

// unpacked calls do with the root of a fixture, which is removed afterwards.
func unpacked(tree string, do func(root string) error) (err error) {
	root, err := os.MkdirTemp("", "bench-boards-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	closeAll, err := boardtest.Unpack(filepath.Join(fixtures, tree+".txtar"), root)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	return do(root)
}

// number is a row with one sample.
func number(id, what string, value float64, unit string) results.Row {
	return results.Row{ID: id, What: what, Value: value, Unit: unit, Samples: []float64{value}}
}
