// Command bench-fuzz runs all fuzz functions of the tree in turn, each for the
// same time with one worker, and writes to docs/results/fuzzing.json what came of it:
//
//	eval "$(scripts/env.sh)"
//	go run ./scripts/bench-fuzz --each 1m                    everything (more than an hour)
//	go run ./scripts/bench-fuzz --each 1m daemon boards      only what is below these folders
//
// Inputs that raised the coverage stay in Go's cache for the next run; those that
// fail are written below testdata/fuzz of the package, as go test does. Run it from
// the repository's root. It ends with 1 if anything failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
)

const file = "docs/results/fuzzing.json"

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	flags := flag.NewFlagSet("bench-fuzz", flag.ContinueOnError)
	each := flags.Duration("each", time.Minute, "how `long` each function runs, at least 1s")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *each < time.Second {
		fmt.Fprintln(os.Stderr, "bench-fuzz: --each must be at least 1s")
		return 2
	}
	folders := flags.Args()
	if len(folders) == 0 {
		folders = []string{"."}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := fuzzAll(ctx, folders, *each); err != nil {
		fmt.Fprintf(os.Stderr, "bench-fuzz: %v\n", err)
		return 1
	}
	return 0
}

// fuzzAll writes the rows of each package as soon as it is done.
func fuzzAll(ctx context.Context, folders []string, each time.Duration) error {
	packages, err := find(folders)
	if err != nil {
		return err
	}
	total, done, failed := 0, 0, 0
	for _, p := range packages {
		total += len(p.functions)
	}
	command := fmt.Sprintf("go run ./scripts/bench-fuzz --each %v", each)
	dir, err := os.MkdirTemp("", "bench-fuzz-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, p := range packages {
		program, err := p.build(ctx, dir)
		if err != nil {
			failed += len(p.functions)
			done += len(p.functions)
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		var sum outcome
		for _, name := range p.functions {
			done++
			o, err := program.fuzz(ctx, name, each)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				failed++
				o.failures++
				fmt.Fprintf(os.Stderr, "%s %s: %v\n", p.folder, name, err)
			}
			sum.add(o)
			fmt.Fprintf(os.Stderr, "%s %d of %d: %s %s: %d executions, %d inputs, %d failures\n", time.Now().Format("15:04:05"), done, total,
				p.folder, name, o.executions, o.inputs, o.failures)
		}
		if err := record(p, sum, command); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d functions failed", failed, total)
	}
	return nil
}

// What is counted of each package, and of all that the file has.
var sums = []struct{ id, what, unit, op string }{
	{"functions", "fuzz functions", "", ""},
	{"hours", "processor time, without building", "h", ""},
	{"executions", "inputs tried", "", ""},
	{"corpus", "inputs kept, each of which reaches code that the others do not", "", ""},
	{"failures", "functions that failed", "", "<="},
}

// record writes a package's rows, and those of all packages that the file has.
func record(p fuzzed, o outcome, command string) error {
	machine := results.Machine()
	values := []float64{float64(len(p.functions)), o.processor.Hours(), float64(o.executions), float64(o.inputs), float64(o.failures)}
	var rows []results.Row
	for i, s := range sums {
		r := results.One(s.id+" "+strings.ReplaceAll(p.folder, "/", "."), p.folder+": "+s.what, values[i], s.unit, s.op, 0, command)
		r.Machine = machine
		rows = append(rows, r)
	}
	if err := results.Merge(file, rows); err != nil {
		return err
	}
	all, err := results.Read(file)
	if err != nil {
		return err
	}
	rows = nil
	for _, s := range sums {
		value := 0.
		for _, r := range all {
			if strings.HasPrefix(r.ID, s.id+" ") {
				value += r.Value
			}
		}
		r := results.One(s.id, "everything: "+s.what, value, s.unit, s.op, 0, command)
		r.Machine = machine
		rows = append(rows, r)
	}
	return results.Merge(file, rows)
}
