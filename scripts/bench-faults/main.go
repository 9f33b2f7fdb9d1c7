// Command bench-faults runs the real fathomd at a high frame rate and does to it
// what happens to a board in a garden: kills, full and read-only disks, cameras and
// brokers that go away or talk nonsense, sensors that vanish or lie, bad
// configurations, hostile clients, lack of memory and of file descriptors, a clock
// that is set. All come
// at random, several at a time. After each it asks whether /metrics and the log told
// of it and whether all is well again once it has ended; after each kill it reads
// every file; in quiet moments it looks for leaks:
//
//	make native
//	go run ./scripts/bench-faults --for 20m --seed 1        as root: it mounts a tmpfs
//	go run ./scripts/bench-faults --for 30s --results ""    a short try
//
// The camera, the broker and the webhook's receiver are real servers in this
// process, the board is a fixture tree, the network is the tiny bundle's. Rows go to
// docs/results/daemon-faults.json. It ends with 1 if anything was wrong.
//
// A kill comes only in the first third, so that one process lives through the rest.
// fathomd is built for this with a clock that can be set; that of the machine stays as it is.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
)

type options struct {
	length  time.Duration
	seed    uint64
	results string
	keep    string
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	var o options
	flags := flag.NewFlagSet("bench-faults", flag.ContinueOnError)
	flags.DurationVar(&o.length, "for", 20*time.Minute, "how `long`, at least 20s")
	flags.Uint64Var(&o.seed, "seed", 1, "chooses which faults come, and when")
	flags.StringVar(&o.results, "results", "docs/results/daemon-faults.json", "`file` of results; empty for none")
	flags.StringVar(&o.keep, "log", "", "`file` for the daemon's whole log; empty for none")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if o.length < 20*time.Second || flags.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "bench-faults: --for must be at least 20s, and there are no other arguments")
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	t, err := newTrial(o)
	if err == nil {
		t.run(ctx)
		err = t.close()
		if ctx.Err() != nil {
			err = errors.New("interrupted: nothing was written")
		}
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench-faults: %v\n", err)
		return 1
	}
	rows := t.rows()
	if o.results != "" {
		if err := results.Merge(o.results, rows); err != nil {
			fmt.Fprintf(os.Stderr, "bench-faults: %v\n", err)
			return 1
		}
	}
	code := 0
	for _, r := range rows {
		fmt.Printf("%-40s %12.6g %-8s %s\n", r.ID, r.Value, r.Unit, r.Verdict())
		if r.Verdict() == "does not hold" {
			code = 1
		}
	}
	return code
}
