// Command bench-soak runs one engine for a long time while several goroutines
// switch variants, swap bundles, change threads, set deadlines and let frames go
// deeper, all at random. It compares every answer with what the variant that the
// result names gives alone, to the last bit, and watches the memory and whether
// frames still come:
//
//	eval "$(scripts/env.sh)"
//	go run ./scripts/bench-soak --for 1h
//	go run -race ./scripts/bench-soak --for 1h
//	go run ./scripts/bench-soak --for 1h --memory 96
//
// It runs the demo bundle in float32, float16 and int8 (bin/fathom converts it)
// and writes the rows of its kind of run to docs/results/engine-soak.json, and
// what it told on the way to engine-soak-KIND.log beside it. It ends with 1 if
// anything was wrong, and with 3 after a deadlock.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fathom-edge/fathom/internal/atomicfile"
	"github.com/fathom-edge/fathom/internal/results"
)

type options struct {
	length  time.Duration
	memory  int     // MiB of data beyond what the program has at the start; 0 for no limit
	rate    float64 // frames per second; 0 for as many as can be
	seed    uint64
	results string
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	var o options
	flags := flag.NewFlagSet("bench-soak", flag.ContinueOnError)
	flags.DurationVar(&o.length, "for", time.Hour, "how `long`, at least 10s")
	flags.IntVar(&o.memory, "memory", 0, "`MiB` of data (RLIMIT_DATA) that the program may take beyond what it has when it starts; 0 for no limit")
	flags.Float64Var(&o.rate, "rate", 0, "`frames` per second; 0 for as many as can be")
	flags.Uint64Var(&o.seed, "seed", 1, "chooses what happens")
	flags.StringVar(&o.results, "results", "docs/results/engine-soak.json", "`file` of results; empty for none")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if o.length < 10*time.Second || o.memory < 0 || o.rate < 0 || flags.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "bench-soak: --for must be at least 10s, --memory and --rate at least 0, and there are no other arguments")
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	rows, log, err := soak(ctx, o)
	if rows != nil && o.results != "" {
		err = errors.Join(err, o.write(rows, log))
	}
	for _, r := range rows {
		fmt.Printf("%-24s %12.6g %-8s %s\n", r.ID, r.Value, r.Unit, r.Verdict())
		if r.Verdict() == "does not hold" && err == nil {
			err = fmt.Errorf("%s: %g %s, want %s %g", r.What, r.Value, r.Unit, r.Op, r.Limit)
		}
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench-soak: %v\n", err)
		return 1
	}
	return 0
}

// write merges the rows into the file of results and puts the log beside it.
func (o options) write(rows []results.Row, log []byte) error {
	head := fmt.Sprintf("%s, on %s, ended %s\n", o.command(os.Args[1:]), results.Machine(), time.Now().UTC().Format(time.RFC3339))
	if err := atomicfile.Write(strings.TrimSuffix(o.results, ".json")+"-"+o.kind()+".log", append([]byte(head), log...)); err != nil {
		return err
	}
	return results.Merge(o.results, rows)
}

// kind names this sort of run in the results.
func (o options) kind() string {
	switch {
	case raceDetector:
		return "race"
	case o.memory > 0:
		return "memory"
	}
	return "plain"
}

func (o options) command(args []string) string {
	race := ""
	if raceDetector {
		race = "-race "
	}
	return "go run " + race + "./scripts/bench-soak " + strings.Join(args, " ")
}

// confine limits the data of this process, for Go softly below what the kernel enforces.
func confine(mib int) error {
	if mib == 0 {
		return nil
	}
	limit := status("VmData")<<10 + int64(mib)<<20
	debug.SetMemoryLimit(status("VmRSS")<<10 + int64(mib)<<19)
	return unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: uint64(limit), Max: uint64(limit)})
}
