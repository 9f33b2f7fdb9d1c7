package main

import (
	"context"
	"fmt"
	"testing"

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
		var micros []float64
		var allocations int64
		for range 5 {
			r := testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				for i := range b.N {
					record := &records[i%len(records)]
					policy.Step(record.Before, record.Input)
				}
			})
			micros = append(micros, float64(r.NsPerOp())/1000)
			allocations = max(allocations, r.AllocsPerOp())
		}
		worst := 0.
		for _, m := range micros {
			worst = max(worst, m)
		}
		if f.Table {
			fmt.Printf("%s: %.2f µs, %d allocations\n", name, worst, allocations)
			continue
		}
		rows := []results.Row{
			{ID: "cost/" + name, What: "one decision of " + name + ", worst of 5 runs", Value: worst, Unit: "µs", Samples: micros},
			{ID: "cost-allocations/" + name, What: "allocations in one decision of " + name, Value: float64(allocations), Unit: "", Samples: []float64{float64(allocations)}},
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
