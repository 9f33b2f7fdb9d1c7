package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/governor/sim"
)

// tune looks for step-wise's best parameters on the training half: the fewest
// violations first, then the highest utility.
func tune(ctx context.Context, f flags) (governor.StepwiseConfig, error) {
	var grid []governor.StepwiseConfig
	for _, margin := range []float64{0.5, 1} {
		for _, band := range []float64{2, 4, 7} {
			for _, dwell := range []time.Duration{5 * time.Second, 20 * time.Second} {
				grid = append(grid, governor.StepwiseConfig{MarginKelvin: margin, BandKelvin: band, Dwell: dwell})
			}
		}
	}
	var policies []governor.Spec
	for i := range grid {
		policies = append(policies, governor.Spec{Name: governor.StepwiseName, Stepwise: &grid[i]})
	}
	list, err := setups(sim.Training, 1000, 1, nil)
	if err != nil {
		return governor.StepwiseConfig{}, err
	}
	all, err := compareAll(ctx, "step-wise's parameters", list, policies, true, f)
	if err != nil {
		return governor.StepwiseConfig{}, err
	}
	best, bestViolations, bestUtility := 0, len(all)+1, 0.
	for i := range grid {
		violations, utility := 0, 0.
		for _, c := range all {
			a := c.Policies[i]
			utility += a.Utility() / float64(len(all))
			if !a.Meets(c.Limits(lateTolerance)) {
				violations++
			}
		}
		if violations < bestViolations || violations == bestViolations && utility > bestUtility {
			best, bestViolations, bestUtility = i, violations, utility
		}
	}
	g := grid[best]
	fmt.Fprintf(os.Stderr, "step-wise: margin %g K, band %g K, dwell %v: %d violations in %d cases, utility %.4f\n",
		g.MarginKelvin, g.BandKelvin, g.Dwell, bestViolations, len(all), bestUtility)
	return g, nil
}
