package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/governor/sim"
	"github.com/fathom-edge/fathom/internal/results"
)

// cost times one decision of each policy, on inputs recorded from a run.
func cost(ctx context.Context, f flags) ([]results.Row, error) {
	trace, err := sim.FindTrace("night-on-battery")
	if err != nil {
		return nil, err
	}
	c, err := sim.New(sim.Setup{Board: sim.Pi4ClosedCase(), Trace: trace, Seed: 1})
	if err != nil {
		return nil, err
	}
	var list []results.Row
	calls := 0
	for _, name := range f.Policies {
		spec := governor.Spec{Name: name}
		var records []governor.Record
		_, err := c.Run(ctx, spec, sim.RunOptions{Record: func(r governor.Record) {
			if len(records) < 3600 {
				r.Input.Profile = c.Profile
				records = append(records, r)
			}
		}})
		if err != nil {
			return nil, err
		}
		policy, err := governor.New(spec, c.Profile)
		if err != nil {
			return nil, err
		}
		step := func(i int) {
			record := &records[i%len(records)]
			policy.Step(*record.Before, record.Input)
		}
		var micros []float64
		for range 5 {
			micros = append(micros, processorMicros(20_000, step))
		}
		allocations := testing.AllocsPerRun(len(records), func() { step(calls); calls++ })
		worst := slices.Max(micros)
		if f.Table {
			fmt.Printf("%s: %.2f µs, %g allocations\n", name, worst, allocations)
			continue
		}
		rows := []results.Row{
			{ID: "cost/" + name, What: "processor time of one decision of " + name + " on this machine, worst of 5 runs", Value: worst, Unit: "µs", Samples: micros},
			{ID: "cost-allocations/" + name, What: "allocations in one decision of " + name, Value: allocations, Unit: "", Samples: []float64{allocations}},
		}
		if name == f.Policies[judged(f)] {
			rows[0].Op, rows[0].Limit = "<=", 20
			rows[1].Op, rows[1].Limit = "<=", 0
			rows = append(rows, results.Row{ID: "cost-core", What: "share of a core at two decisions a second", Value: worst * 2 / 1e6 * 100, Unit: "%", Op: "<=", Limit: 0.1, Samples: []float64{worst * 2 / 1e4}})
		}
		list = append(list, rows...)
	}
	return list, nil
}

// processorMicros is the processor time of one call, in microseconds: unlike time
// on the wall it does not grow when other programs run.
func processorMicros(calls int, call func(i int)) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	used := func() float64 {
		var t unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
			panic(err) // every Linux has it
		}
		return float64(t.Nano()) / 1000
	}
	before := used()
	for i := range calls {
		call(i)
	}
	return (used() - before) / float64(calls)
}
