package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/train"
	"github.com/fathom-edge/fathom/train/matrix"
)

type speedCmd struct {
	Config  string `arg:"" help:"Configuration (YAML) of the cooperative run."`
	Rounds  int    `default:"7" help:"Rounds; each times every net once."`
	Steps   int    `default:"8" help:"Steps of a round."`
	Results string `placeholder:"FILE" help:"Merge the numbers into a file of rows, e.g. docs/results/training.json."`
	backendFlag
}

func (c *speedCmd) Help() string {
	return `Time steps of the cooperative run and of each offered depth trained alone, in turns.

Example:

  fathom-train speed train/demo.yaml`
}

func (c *speedCmd) Run(ctx context.Context) error {
	cfg, err := train.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	if c.Rounds < 1 || c.Steps < 1 {
		return fmt.Errorf("--rounds and --steps must be at least 1")
	}
	cells, err := matrix.Compare(cfg, cfg.Seed)
	if err != nil {
		return err
	}
	cells = slices.DeleteFunc(cells, func(c matrix.Cell) bool {
		return c.Method != matrix.Cooperative && !strings.HasPrefix(c.Method, matrix.Alone)
	})
	bar := newBar(c.Rounds+1, "rounds")
	// The bar only draws; a terminal that refuses must not end the measurement.
	speeds, err := matrix.Speeds(ctx, cells, c.open, c.Rounds, c.Steps, func(round int) { _ = bar.Set(round + 1) })
	if err != nil {
		return err
	}
	ratios := matrix.CostRatio(speeds)
	command := fmt.Sprintf("fathom-train speed %s --backend %s", c.Config, c.Backend)
	var rows []results.Row
	for _, s := range speeds {
		fmt.Printf("%-14s %8.0f images/s\n", s.Cell.Method, s.ImagesPerSecond())
		var samples []float64
		for _, seconds := range s.Seconds {
			samples = append(samples, float64(cfg.Batch)/seconds)
		}
		rows = append(rows, results.Row{ID: "speed-" + cfg.Name + "/" + s.Cell.Method, What: fmt.Sprintf("%s, %s: training", cfg.Name, s.Cell.Method),
			Value: s.ImagesPerSecond(), Unit: "images/s", Samples: samples, Command: command, Machine: results.Machine()})
	}
	median := slices.Sorted(slices.Values(ratios))[len(ratios)/2]
	fmt.Printf("a cooperative run costs %.2f times the training of its offered depths one by one\n", median)
	rows = append(rows, results.Row{ID: "training-time-" + cfg.Name, What: fmt.Sprintf("%s: time of a cooperative run against that of training each offered depth alone", cfg.Name),
		Value: median, Unit: "x", Op: "<=", Limit: 1, Samples: ratios, Command: command, Machine: results.Machine()})
	if c.Results == "" {
		return nil
	}
	return results.Merge(c.Results, rows)
}
