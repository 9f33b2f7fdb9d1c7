package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/train"
	"github.com/fathom-edge/fathom/train/matrix"
)

// matrixFlags are what compare and ablate have in common.
type matrixFlags struct {
	Config      string   `arg:"" help:"Configuration (YAML) of the cooperative run, e.g. train/evidence.yaml."`
	Output      string   `short:"o" required:"" placeholder:"DIR" help:"Folder for the results, a file for each training; those that are there are not run again."`
	Checkpoints string   `placeholder:"DIR" help:"Folder for the checkpoints of trainings in progress, to go on from after an end."`
	Seeds       int      `default:"3" help:"Number of seeds, from the configuration's on."`
	Only        []string `placeholder:"METHOD" help:"Train these methods only."`
	Jobs        int      `default:"1" help:"Trainings at a time."`
	Results     string   `placeholder:"FILE" help:"Merge the numbers into a file of rows, e.g. docs/results/training.json, with the plot beside it."`
	backendFlag
}

type compareCmd struct{ matrixFlags }

func (c *compareCmd) Help() string {
	return `Train the cooperative method and its rivals on the same images: each depth alone (and the deepest truncated), one net
with embedded distillation, and the two extremes of Adaptive Depth Networks.

Example:

  fathom-train compare train/evidence.yaml -o cells --checkpoints checkpoints --seeds 3`
}

func (c *compareCmd) Run(ctx context.Context) error {
	return c.run(ctx, "compare", matrix.Compare, "test", matrix.Rows)
}

type ablateCmd struct{ matrixFlags }

func (c *ablateCmd) Help() string {
	return `Train the cooperative method with one thing changed at a time: each term of the objective left out, temperatures,
normalization, warm-up of the distillation, sampling of sub-networks.

Example:

  fathom-train ablate train/evidence.yaml -o cells --checkpoints checkpoints --seeds 3`
}

func (c *ablateCmd) Run(ctx context.Context) error {
	return c.run(ctx, "ablate", func(base *train.Config, seed uint64) ([]matrix.Cell, error) { return matrix.Ablate(base, seed), nil },
		"validation", matrix.AblationRows)
}

// run trains the cells that of gives for each seed, prints the table of a split and writes the rows.
func (f *matrixFlags) run(ctx context.Context, name string, of func(*train.Config, uint64) ([]matrix.Cell, error), split string,
	rows func(list []*matrix.Result, command, machine string) []results.Row) error {
	cfg, err := train.LoadConfig(f.Config)
	if err != nil {
		return err
	}
	if f.Seeds < 1 || f.Jobs < 1 {
		return fmt.Errorf("--seeds and --jobs must be at least 1")
	}
	var cells []matrix.Cell
	for i := range f.Seeds {
		some, err := of(cfg, cfg.Seed+uint64(i))
		if err != nil {
			return err
		}
		for _, c := range some {
			if len(f.Only) == 0 || slices.Contains(f.Only, c.Method) {
				cells = append(cells, c)
			}
		}
	}
	if len(cells) == 0 {
		return fmt.Errorf("--only %s: no such method", strings.Join(f.Only, ","))
	}
	show := newMatrixProgress(len(cells))
	list, err := matrix.Run(ctx, cells, matrix.Options{Dir: f.Output, Checkpoints: f.Checkpoints, Jobs: f.Jobs,
		Backend: f.open, Progress: show.step, Done: show.done})
	if err != nil {
		return err
	}
	points := matrix.Points(list, split)
	fmt.Printf("Top-1 accuracy on the %s split, %%: mean ± standard deviation over %d seeds.\n\n%s", split, f.Seeds, matrix.Table(points))
	if f.Results == "" {
		return nil
	}
	command := fmt.Sprintf("fathom-train %s %s --seeds %d", name, f.Config, f.Seeds)
	if err := results.Merge(f.Results, rows(list, command, results.Machine())); err != nil {
		return err
	}
	return matrix.Plot(strings.TrimSuffix(f.Results, ".json")+"-"+name+".png", "Top-1 on the "+split+" split, "+name, points)
}

// matrixProgress tells on stderr how far the cells are.
type matrixProgress struct {
	mu           sync.Mutex
	cells, ended int
	told         map[string]time.Time
}

const matrixProgressInterval = 15 * time.Second

func newMatrixProgress(cells int) *matrixProgress {
	return &matrixProgress{cells: cells, told: map[string]time.Time{}}
}

func (m *matrixProgress) step(c matrix.Cell, p train.Progress) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); now.Sub(m.told[c.Name()]) >= matrixProgressInterval {
		m.told[c.Name()] = now
		fmt.Fprintf(os.Stderr, "%d/%d  %-28s step %d/%d, loss %.3f, %.0f images/s, %v left\n", m.ended, m.cells, c.Name(), p.Step, p.Steps,
			p.Loss, p.ImagesPerSecond, timeLeft(p, c.Config.Batch))
	}
}

func (m *matrixProgress) done(c matrix.Cell, r *matrix.Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended++
	fmt.Fprintf(os.Stderr, "%d/%d  %-28s done:", m.ended, m.cells, c.Name())
	for _, p := range r.Paths {
		if p.Trained {
			fmt.Fprintf(os.Stderr, " %s %.1f %%", p.Path, 100*p.Top1["validation"])
		}
	}
	fmt.Fprintln(os.Stderr)
}
