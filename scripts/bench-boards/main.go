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
	"slices"
	"strings"

	"github.com/fathom-edge/fathom/boards/boardtest"
	"github.com/fathom-edge/fathom/internal/results"
)

const (
	output   = "docs/results/boards.json"
	fixtures = "testdata/boards"
)

type step struct {
	name    string
	measure func() ([]results.Row, error)
}

// steps are the parts of the benchmark, in the order in which they run.
var steps = []step{
	{"quantities", quantities},
	{"devices", devices},
	{"drains", drains},
	{"peers", peers},
	{"cost", cost},
	{"deadline", deadline},
	{"leak", leak},
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == childArgument {
		os.Exit(child(os.Args[2], os.Args[3]))
	}
	wanted := os.Args[1:]
	for _, w := range wanted {
		if !slices.ContainsFunc(steps, func(s step) bool { return s.name == w }) {
			fmt.Fprintf(os.Stderr, "bench-boards: no part %q: there are quantities, devices, drains, peers, cost, deadline and leak\n", w)
			os.Exit(2)
		}
	}
	for _, s := range steps {
		if len(wanted) > 0 && !slices.Contains(wanted, s.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench-boards: %s\n", s.name)
		rows, err := s.measure()
		if err == nil {
			machine := results.Machine()
			for i := range rows {
				rows[i].Machine, rows[i].Command = machine, "go run ./scripts/bench-boards "+s.name
			}
			err = results.Merge(output, rows)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench-boards: %s: %v\n", s.name, err)
			os.Exit(1)
		}
	}
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
