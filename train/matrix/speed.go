package matrix

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gomlx/compute"

	"github.com/fathom-edge/fathom/train"
	"github.com/fathom-edge/fathom/train/dataset"
)

// Speed is how long the steps of a cell took: one entry for each round, in seconds per step.
type Speed struct {
	Cell    Cell
	Seconds []float64
}

// ImagesPerSecond of the median round.
func (s Speed) ImagesPerSecond() float64 {
	sorted := slices.Sorted(slices.Values(s.Seconds))
	return float64(s.Cell.Config.Batch) / sorted[len(sorted)/2]
}

// Speeds times the cells in turn, round by round, so that what else the machine does meets all of them. A round is some
// steps, after some that are not counted at the beginning.
func Speeds(ctx context.Context, cells []Cell, backend func() (compute.Backend, error), rounds, steps int, progress func(round int)) ([]Speed, error) {
	speeds := make([]Speed, len(cells))
	trainers := make([]*train.Trainer, len(cells))
	for i, c := range cells {
		cfg := *c.Config
		cfg.Steps, cfg.Eval.Every = (rounds+1)*steps, (rounds+2)*steps
		data, err := dataset.Open(cfg.Data)
		if err != nil {
			return nil, err
		}
		b, err := backend()
		if err != nil {
			return nil, err
		}
		if trainers[i], err = train.NewTrainer(&cfg, b, data); err != nil {
			return nil, err
		}
		speeds[i].Cell = c
	}
	for round := range rounds + 1 {
		for i, t := range trainers {
			start := time.Now()
			if err := t.Run(ctx, train.RunOptions{Until: (round + 1) * steps}); err != nil {
				return nil, fmt.Errorf("matrix: %s: %w", cells[i].Name(), err)
			}
			if round > 0 {
				speeds[i].Seconds = append(speeds[i].Seconds, time.Since(start).Seconds()/float64(steps))
			}
		}
		progress(round)
	}
	return speeds, nil
}

// CostRatio is, for each round, the time of the cooperative step over that of a step of every depth alone.
func CostRatio(speeds []Speed) []float64 {
	var ratios []float64
	var together Speed
	for _, s := range speeds {
		if s.Cell.Method == Cooperative {
			together = s
		}
	}
	for round := range together.Seconds {
		alone := 0.0
		for _, s := range speeds {
			if s.Cell.isAlone() {
				alone += s.Seconds[round]
			}
		}
		ratios = append(ratios, together.Seconds[round]/alone)
	}
	return ratios
}
