package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/governor/sim"
	"github.com/fathom-edge/fathom/internal/results"
)

// fit says how far the simulated boards are from published measurements.
func fit(_ context.Context, f flags) ([]results.Row, error) {
	var rows []results.Row
	for _, r := range sim.References() {
		rms, err := r.RMS()
		if err != nil {
			return nil, err
		}
		if f.Table {
			fmt.Printf("%s: %s: %.2f K\n", r.Preset, r.Source, rms)
		}
		id := "fit/" + r.Preset
		i := slices.IndexFunc(rows, func(row results.Row) bool { return row.ID == id })
		if i < 0 {
			i = len(rows)
			rows = append(rows, results.Row{ID: id, What: "greatest rms difference of the simulated " + r.Preset + " from a published rise", Unit: "K"})
		}
		rows[i].Samples = append(rows[i].Samples, rms)
		rows[i].Value = max(rows[i].Value, rms)
	}
	return rows, nil
}
