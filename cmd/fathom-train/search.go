package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/fathom-edge/fathom/train"
	"github.com/fathom-edge/fathom/train/dataset"
	"github.com/fathom-edge/fathom/train/matrix"
)

type searchCmd struct {
	Config     string `arg:"" type:"existingfile" help:"Configuration (YAML) of the run."`
	Checkpoint string `required:"" placeholder:"DIR" help:"Folder with the checkpoint of the finished run."`
	Output     string `short:"o" placeholder:"FAMILY" help:"Family folder to write the ladder to; none only searches."`
	Rungs      int    `default:"5" help:"Number of rungs of the ladder, at most."`
	Budget     int64  `placeholder:"BYTES" help:"Bytes (float32) that the weights of all rungs may take together."`
	Samples    int    `default:"2000" help:"Images of the validation split to measure each candidate on."`
	Plot       string `placeholder:"FILE.png" help:"Draw all candidates, the front and the ladder."`
	backendFlag
	JSON bool `name:"json" help:"Print all candidates as JSON."`
}

func (c *searchCmd) Help() string {
	return `Measure every per-stage combination of depths of the Leader and the Teammates, and choose the ladder: the rungs with the
highest mean accuracy over all budgets of MACs.

Example:

  fathom-train search train/demo.yaml --checkpoint checkpoints --rungs 4 --budget 3000000 --plot front.png -o family`
}

func (c *searchCmd) Run(ctx context.Context) error {
	cfg, err := train.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	if c.Samples < 1 || c.Budget < 0 {
		return fmt.Errorf("--samples and --budget must be positive")
	}
	data, err := dataset.Open(cfg.Data)
	if err != nil {
		return err
	}
	backend, err := c.open()
	if err != nil {
		return err
	}
	t, err := train.NewTrainer(cfg, backend, data)
	if err != nil {
		return err
	}
	if err := t.Resume(c.Checkpoint); err != nil {
		return err
	}
	bar := newBar(len(cfg.CandidatePaths()), "candidates")
	// The bar only draws; a terminal that refuses must not end the search.
	list, err := t.Candidates(ctx, c.Samples, func(done, _ int) { _ = bar.Set(done) })
	if err != nil {
		return err
	}
	ladder, err := train.Ladder(list, c.Rungs, c.Budget, t.Bytes)
	if err != nil {
		return err
	}
	if c.Plot != "" {
		if err := matrix.PlotFront(c.Plot, list, ladder); err != nil {
			return err
		}
	}
	if c.JSON {
		if err := json.NewEncoder(os.Stdout).Encode(list); err != nil {
			return err
		}
	} else {
		printLadder(t, list, ladder)
	}
	if c.Output == "" {
		return nil
	}
	paths := make([]train.Path, len(ladder))
	for i, at := range ladder {
		paths[i] = list[at].Path
	}
	report, err := t.Measure(paths)
	if err != nil {
		return err
	}
	return t.Export(c.Output, paths, report)
}

func printLadder(t *train.Trainer, list []train.Candidate, ladder []int) {
	front := 0
	for _, c := range list {
		if c.Front {
			front++
		}
	}
	fmt.Printf("%d candidates, %d on the front of accuracy, MACs, bytes and shared prefix\n\n", len(list), front)
	fmt.Printf("%-12s %10s %14s %14s %22s\n", "rung", "top-1", "million MACs", "kB more", "prefix of its deepest")
	var paths []train.Path
	before := int64(0)
	for _, i := range ladder {
		c := list[i]
		paths = append(paths, c.Path)
		bytes := t.Bytes(paths)
		fmt.Printf("%-12s %8.2f %% %14.3f %14.1f %20.0f %%\n", c.Name, 100*c.Top1, float64(c.MACs)/1e6, float64(bytes-before)/1e3,
			100*float64(c.PrefixMACs)/float64(c.MACs))
		before = bytes
	}
}
