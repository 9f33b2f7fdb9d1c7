package main

import (
	"encoding/json"
	"fmt"

	"github.com/fathom-edge/fathom/internal/results"
)

// escalation is chosen on validation images, and judged on test images.
func escalation() ([]results.Row, error) {
	line := "bin/fathom eval " + cache + "demo-float32 glyphs:validation:3400 --escalation --report glyphs:test:6800 --json"
	out, err := results.Run(line)
	if err != nil {
		return nil, err
	}
	type difference struct{ Mean, Low, High float64 }
	var found struct {
		Report struct {
			Samples int
			Steps   []struct {
				From, To          string
				Cost, Top1, Share float64
				Single            struct{ Variant string }
				OverSingle        difference `json:"over_single"`
				OverMixture       difference `json:"over_mixture"`
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		return nil, fmt.Errorf("%s: %w", line, err)
	}
	var rows []results.Row
	for _, s := range found.Report.Steps {
		row := func(id, over string, d difference) results.Row {
			what := fmt.Sprintf("points of top-1 that %s, deepened to %s on doubt (%.0f %% of %d test images; %.2f %% at %.2f MMAC), is above %s: lower end of the 95 %% interval (mean %+.2f)",
				s.From, s.To, 100*s.Share, found.Report.Samples, 100*s.Top1, s.Cost, over, 100*d.Mean)
			return results.Row{ID: "escalation-" + id + "-" + s.From, What: what, Value: 100 * d.Low, Unit: "points", Op: ">=", Limit: 0,
				Samples: []float64{100 * d.Low, 100 * d.Mean, 100 * d.High}, Command: line}
		}
		rows = append(rows,
			row("single", "the best single depth that costs no more, "+s.Single.Variant, s.OverSingle),
			row("mixture", "a fixed mixture of depths of the same cost", s.OverMixture))
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: nothing was chosen", line)
	}
	return rows, nil
}
