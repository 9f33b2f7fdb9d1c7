// Command bench-governor measures the governor's policies on simulated boards and
// writes the numbers to docs/results/governor.json:
//
//	go run ./scripts/bench-governor                 everything
//	go run ./scripts/bench-governor fit cost        only these parts
//	go run ./scripts/bench-governor --seeds 2 --half training --table compare
//	                                                a quick look while tuning; nothing is written
//
// Parameters of step-wise are chosen on the training half of the traces, and all
// policies are compared on the other half. It uses every processor, and goes on
// where it was interrupted: what was computed from the same sources is kept in
// .cache/bench-governor.jsonl.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/schollz/progressbar/v3"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/governor/sim"
	"github.com/fathom-edge/fathom/internal/results"
)

const (
	output  = "docs/results/governor.json"
	command = "go run ./scripts/bench-governor "

	defaultSeeds = 20
)

// boards are those of the comparison: hot ones in cases, one with a fan, one that hardly heats.
var boards = []string{"pi-zero-2-w-case", "pi3-solid-case", "pi4-closed-case", "pi5-cooler", "jetson-nano"}

type flags struct {
	Parts    []string  `arg:"" optional:"" help:"fit, cost, compare, wrong, steady; all by default."`
	Seeds    int       `default:"20" help:"Draws of every trace on every board."`
	Half     sim.Split `default:"test" enum:"training,test" help:"Traces to compare on."`
	Policies []string  `help:"Policies beside fixed (all others by default)."`
	Table    bool      `help:"Print a table by trace and board, and write nothing."`
	Workers  int       `help:"Simulations at once (the number of processors by default)."`

	memory *memory
}

type part struct {
	name    string
	measure func(context.Context, flags) ([]results.Row, error)
}

var parts = []part{{"fit", fit}, {"cost", cost}, {"compare", compare}, {"wrong", wrong}, {"steady", steady}}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("bench-governor"))
	if f.Workers <= 0 {
		f.Workers = runtime.NumCPU()
	}
	if len(f.Policies) == 0 {
		f.Policies = slices.DeleteFunc(governor.Policies(), func(name string) bool { return name == governor.FixedName })
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, name := range f.Parts {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			fmt.Fprintf(os.Stderr, "bench-governor: no part %q\n", name)
			os.Exit(2)
		}
	}
	memory, err := openMemory(memoryFile)
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench-governor: %v\n", err)
		os.Exit(1)
	}
	defer memory.Close()
	f.memory = memory
	for _, p := range parts {
		if len(f.Parts) > 0 && !slices.Contains(f.Parts, p.name) {
			continue
		}
		rows, err := p.measure(ctx, f)
		if err == nil && !f.Table {
			machine := results.Machine()
			for i := range rows {
				rows[i].Command, rows[i].Machine = command+p.name, machine
				if f.Seeds != defaultSeeds {
					rows[i].Command = fmt.Sprintf("%s--seeds %d %s", command, f.Seeds, p.name)
				}
			}
			// Rows of traces that the part measures no longer go.
			if err = results.Remove(output, func(r results.Row) bool {
				return strings.HasPrefix(r.Command, command) && strings.HasSuffix(r.Command, p.name)
			}); err == nil {
				err = results.Merge(output, rows)
			}
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench-governor: %s: %v\n", p.name, err)
			os.Exit(1)
		}
	}
}

// setups are all traces of a half on all boards with seeds from first on.
func setups(half sim.Split, first, seeds int, change func(i int, s *sim.Setup)) ([]sim.Setup, error) {
	traces, err := sim.Traces(half)
	if err != nil {
		return nil, err
	}
	return setupsOf(traces, first, seeds, change)
}

func setupsOf(traces []sim.Trace, first, seeds int, change func(i int, s *sim.Setup)) ([]sim.Setup, error) {
	var list []sim.Setup
	for _, t := range traces {
		for _, name := range boards {
			preset, err := sim.FindPreset(name)
			if err != nil {
				return nil, err
			}
			for seed := range seeds {
				s := sim.Setup{Board: preset.Model(), CeilingCelsius: preset.CeilingCelsius, Trace: t, Seed: uint64(first + seed)}
				if change != nil {
					change(seed, &s)
				}
				list = append(list, s)
			}
		}
	}
	return list, nil
}

// compareAll is sim.Compare with a progress bar.
func compareAll(ctx context.Context, what string, list []sim.Setup, policies []governor.Spec, shallowestOnly bool, f flags) ([]sim.Comparison, error) {
	bar := progressbar.NewOptions(len(list), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true))
	defer fmt.Fprintln(os.Stderr)
	return sim.Compare(ctx, list, sim.CompareOptions{
		Policies: policies, ShallowestOnly: shallowestOnly, Workers: f.Workers, Memory: f.memory, Done: func() { _ = bar.Add(1) },
	})
}

func specs(names []string, tuned *governor.StepwiseConfig) []governor.Spec {
	var list []governor.Spec
	for _, name := range names {
		s := governor.Spec{Name: name}
		if name == governor.StepwiseName {
			s.Stepwise = tuned
		}
		list = append(list, s)
	}
	return list
}
