package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/governor/sim"
	"github.com/fathom-edge/fathom/internal/results"
)

// steady counts the changes of the pair of rungs in still air, in the hour after
// the board has warmed up.
func steady(ctx context.Context, f flags) ([]results.Row, error) {
	const warmUp = time.Hour
	name := f.Policies[judged(f)]
	list, err := setupsOf([]sim.Trace{{
		Name: "still-air", Duration: warmUp + time.Hour, Utilisation: 0.85,
		Ambient: sim.Signal{{Points: []sim.SignalPoint{{Value: 28}}}},
	}}, 0, f.Seeds, nil)
	if err != nil {
		return nil, err
	}
	changes := make([]float64, len(list))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(f.Workers)
	for i, s := range list {
		group.Go(func() error {
			c, err := sim.New(s)
			if err != nil {
				return err
			}
			var last [2]int
			_, err = c.Run(ctx, governor.Spec{Name: name}, sim.RunOptions{Record: func(r governor.Record) {
				if r.Time.Sub(c.Start) > warmUp && r.Decision.Pair != last {
					changes[i]++
				}
				last = r.Decision.Pair
			}})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if f.Table {
		fmt.Printf("%s: changes of the pair in the second hour of still air: %v\n", name, changes)
	}
	return []results.Row{{ID: "pairs", What: name + ": changes of the pair of rungs in still air, in the second hour, worst case", Value: slices.Max(changes), Unit: "per hour", Op: "<=", Limit: 30, Samples: changes}}, nil
}
