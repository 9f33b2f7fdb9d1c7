package main

import (
	"fmt"
	"strings"

	"github.com/fathom-edge/fathom/boards/battery/batterytest"
	"github.com/fathom-edge/fathom/internal/results"
)

// drains empties packs while a device watches them, and compares what it says with what is true.
func drains() ([]results.Row, error) {
	var rows []results.Row
	for _, d := range batterytest.Drains() {
		r, err := d.Run()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
		id := "drain-" + strings.ReplaceAll(strings.ToLower(d.Name), " ", "-")
		for _, v := range []struct {
			id, what, unit string
			value          float64
		}{
			{"mean", "mean error of the charge", "points", r.MeanOff},
			{"most", "largest error of the charge", "points", r.MostOff},
			{"beyond", "charges off by more than two of their standard deviations", "%", 100 * r.ChargesBeyond},
			{"times-beyond", "times to empty off by more than two and a half", "%", 100 * r.TimesBeyond},
		} {
			if v.id == "times-beyond" && r.Times == 0 {
				continue
			}
			rows = append(rows, results.Row{ID: id + "-" + v.id, What: fmt.Sprintf("fake pack, %s: %s", d.Name, v.what), Value: v.value, Unit: v.unit,
				Samples: []float64{v.value}})
		}
	}
	return rows, nil
}
