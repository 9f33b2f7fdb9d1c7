package sim

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fathom-edge/fathom/governor"
)

// Comparison is one case under several policies.
type Comparison struct {
	Case     *Case
	Bound    Bound
	Policies []Account // in the order that was asked for
	// Fixed are the accounts of every rung alone, shallowest first. Best is the one
	// of them with the greatest utility that keeps the limits, chosen with hindsight,
	// or the shallowest, where none does (and BestMeets is false).
	Fixed     []Account
	Best      int
	BestMeets bool
	// Unavoidable is by how much the battery's goal is missed at the least depth and
	// the least rate, in per cent of the capacity.
	Unavoidable float64
}

// Gained is the utility of an account between that of the shallowest rung alone
// and the bound, as sums that can be added up over cases.
func (c Comparison) Gained(a Account) (gained, possible float64) {
	shallowest := c.Fixed[0].Utility()
	return a.Utility() - shallowest, c.Bound.Utility - shallowest
}

// Limits are those that the user of the case asked for, as far as they can be kept;
// lateTolerance is added to the share of frames that may be late.
func (c Comparison) Limits(lateTolerance float64) Limits {
	return Limits{LateShare: c.Case.Objectives.LateShare() + lateTolerance, MissedPercent: c.Unavoidable}
}

// Compare runs a case under several policies, and under every rung alone.
func Compare(ctx context.Context, c *Case, policies []governor.Spec) (Comparison, error) {
	r := Comparison{Case: c, Bound: c.Bound()}
	if c.Battery != nil {
		least := *c
		least.Objectives.FPS = 1 / c.Objectives.LongestPeriod().Seconds()
		a, err := least.Run(ctx, governor.Spec{Name: governor.FixedName, Variant: c.Ladder[0].Variant}, RunOptions{})
		if err != nil {
			return Comparison{}, err
		}
		r.Unavoidable = a.MissedPercent
	}
	for _, spec := range policies {
		a, err := c.Run(ctx, spec, RunOptions{})
		if err != nil {
			return Comparison{}, err
		}
		r.Policies = append(r.Policies, a)
	}
	for i, d := range c.Ladder {
		a, err := c.Run(ctx, governor.Spec{Name: governor.FixedName, Variant: d.Variant}, RunOptions{})
		if err != nil {
			return Comparison{}, err
		}
		r.Fixed = append(r.Fixed, a)
		if a.Meets(r.Limits(0)) && (!r.BestMeets || a.Utility() > r.Fixed[r.Best].Utility()) {
			r.Best, r.BestMeets = i, true
		}
	}
	return r, nil
}

// CompareAll does so for many setups on several processors at once. done is called
// after each, by one goroutine at a time, in any order; nil for nothing.
func CompareAll(ctx context.Context, setups []Setup, policies []governor.Spec, workers int, done func()) ([]Comparison, error) {
	results := make([]Comparison, len(setups))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i, s := range setups {
		group.Go(func() error {
			c, err := New(s)
			if err != nil {
				return err
			}
			results[i], err = Compare(ctx, c, policies)
			if err != nil {
				return err
			}
			results[i].Case.Weather = nil // a day of it has megabytes
			if done != nil {
				mu.Lock()
				defer mu.Unlock()
				done()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return results, nil
}
