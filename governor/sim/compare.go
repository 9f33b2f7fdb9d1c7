package sim

import (
	"context"
	"encoding/json"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fathom-edge/fathom/governor"
)

// Comparison is one case under several policies.
type Comparison struct {
	Case     *Case // without its weather, of which a day has megabytes
	Bound    Bound
	Policies []Account // in the order that was asked for
	// Fixed are the accounts of every rung alone, shallowest first; of the shallowest
	// only where no more was asked for. Best is the one of them with the greatest
	// utility that keeps the limits, chosen with hindsight, or the shallowest, where
	// none does (and BestMeets is false).
	Fixed     []Account
	Best      int
	BestMeets bool
	// Unavoidable is by how much the battery's goal is missed at the least depth and
	// the least rate, in per cent of the capacity.
	Unavoidable float64
}

// Gained is the utility of an account above that of the shallowest rung alone, and
// how much of it was possible: sums that can be added up over cases.
func (c Comparison) Gained(a Account) (gained, possible float64) {
	shallowest := c.Fixed[0].Utility()
	return a.Utility() - shallowest, c.Bound.Utility - shallowest
}

// Limits are those that the user of the case asked for, as far as they can be kept;
// lateTolerance is added to the share of frames that may be late.
func (c Comparison) Limits(lateTolerance float64) Limits {
	return Limits{LateShare: c.Case.Objectives.LateShare() + lateTolerance, MissedPercent: c.Unavoidable}
}

// CompareOptions say what to compare and how.
type CompareOptions struct {
	Policies []governor.Spec
	// ShallowestOnly leaves out the other fixed depths.
	ShallowestOnly bool
	Workers        int // simulations at once, at least 1
	// Memory is asked before anything is computed, and told after. Any goroutine; nil for none.
	Memory Memory
	// Done is called after each setup, by one goroutine at a time; nil for nothing.
	Done func()
}

// Memory keeps results, so that a long comparison goes on where it was interrupted.
// What is a policy's spec as JSON, or "bound".
type Memory interface {
	Recall(s Setup, what string, into any) bool
	Keep(s Setup, what string, value any)
}

// Compare runs each setup under all policies, on several processors at once.
func Compare(ctx context.Context, setups []Setup, o CompareOptions) ([]Comparison, error) {
	results := make([]Comparison, len(setups))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(o.Workers, 1))
	for i, s := range setups {
		group.Go(func() error {
			c, err := compare(ctx, s, o)
			if err != nil {
				return err
			}
			results[i] = c
			if o.Done != nil {
				mu.Lock()
				defer mu.Unlock()
				o.Done()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return results, nil
}

func compare(ctx context.Context, s Setup, o CompareOptions) (Comparison, error) {
	c, err := New(s)
	if err != nil {
		return Comparison{}, err
	}
	run := func(c *Case, spec governor.Spec, note string) (a Account, err error) {
		key, err := json.Marshal(spec)
		if err != nil {
			return a, err
		}
		what := string(key) + note
		if o.Memory != nil && o.Memory.Recall(s, what, &a) {
			return a, nil
		}
		if a, err = c.Run(ctx, spec, RunOptions{}); err == nil && o.Memory != nil {
			o.Memory.Keep(s, what, a)
		}
		return a, err
	}

	r := Comparison{Case: c}
	if o.Memory == nil || !o.Memory.Recall(s, "bound", &r.Bound) {
		r.Bound = c.Bound()
		if o.Memory != nil {
			o.Memory.Keep(s, "bound", r.Bound)
		}
	}
	if c.Battery != nil {
		least := *c
		least.Objectives.FPS = 1 / c.Objectives.LongestPeriod().Seconds()
		a, err := run(&least, governor.Spec{Name: governor.FixedName, Variant: c.Ladder[0].Variant}, " at the least rate")
		if err != nil {
			return r, err
		}
		r.Unavoidable = a.MissedPercent
	}
	for _, spec := range o.Policies {
		a, err := run(c, spec, "")
		if err != nil {
			return r, err
		}
		r.Policies = append(r.Policies, a)
	}
	for i, d := range c.Ladder {
		if i > 0 && o.ShallowestOnly {
			break
		}
		a, err := run(c, governor.Spec{Name: governor.FixedName, Variant: d.Variant}, "")
		if err != nil {
			return r, err
		}
		r.Fixed = append(r.Fixed, a)
		if a.Meets(r.Limits(0)) && (!r.BestMeets || a.Utility() > r.Fixed[r.Best].Utility()) {
			r.Best, r.BestMeets = i, true
		}
	}
	c.Weather = nil
	return r, nil
}
