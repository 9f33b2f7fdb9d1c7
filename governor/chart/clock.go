package chart

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
)

type plotFont = font.Font

// clock marks a time axis in seconds, up to last; labels stand under the bottom panel only.
type clock struct {
	last   float64
	labels bool
}

// marks are distances between labels, in seconds.
var marks = []float64{1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 24 * 3600}

// Ticks implements plot.Ticker.
func (c clock) Ticks(least, greatest float64) []plot.Tick {
	step := marks[len(marks)-1]
	for _, m := range marks {
		if c.last/m <= 10 {
			step = m
			break
		}
	}
	step *= math.Ceil(max(c.last/step/14, 1))
	var ticks []plot.Tick
	for at := math.Ceil(least/step) * step; at <= greatest+1e-6; at += step {
		t := plot.Tick{Value: at, Label: " "}
		if c.labels {
			t.Label = hours(at)
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// hours is 1:05:00.
func hours(seconds float64) string {
	s := int(math.Round(seconds))
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
