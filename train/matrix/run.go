package matrix

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gomlx/compute"

	"github.com/fathom-edge/fathom/internal/atomicfile"
	"github.com/fathom-edge/fathom/train"
	"github.com/fathom-edge/fathom/train/dataset"
)

// Result is what a cell gave.
type Result struct {
	Method string        `json:"method"`
	Seed   uint64        `json:"seed"`
	Config *train.Config `json:"config"`
	// Images seen by each net, the time of training them, and whether other cells ran at the same time.
	Images  int        `json:"images"`
	Seconds float64    `json:"seconds"`
	Beside  int        `json:"cells_beside"`
	Paths   []Measured `json:"paths"`
	// Bytes of the weights of all paths that would be deployed together (float32).
	Bytes int64 `json:"bytes"`
	// TrainingMACs are those of the forward pass of one image in training.
	TrainingMACs int64             `json:"training_macs"`
	Statistics   *train.Statistics `json:"statistics,omitempty"`
}

// Measured is one path of a result.
type Measured struct {
	Path string `json:"path"`
	// Trained is false for depths that were only measured.
	Trained bool  `json:"trained"`
	MACs    int64 `json:"macs"`
	// Accuracy by split.
	Top1    map[string]float64 `json:"top1"`
	Samples map[string]int     `json:"samples"`
}

// Options of a matrix run.
type Options struct {
	// Dir receives a file for each cell, Checkpoints holds the cells in progress.
	Dir, Checkpoints string
	// Jobs is how many cells run at a time.
	Jobs int
	// Backend makes a backend for each cell.
	Backend func() (compute.Backend, error)
	// Progress is told of each step of a cell, from its goroutine; Done of each result, old ones too.
	Progress func(cell Cell, p train.Progress)
	Done     func(cell Cell, r *Result)
}

// Run trains the cells that have no result yet, in order, and returns the results of all.
func Run(ctx context.Context, cells []Cell, o Options) ([]*Result, error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("matrix: %w", err)
	}
	results := make([]*Result, len(cells))
	var open []int
	for i, c := range cells {
		r, err := read(filepath.Join(o.Dir, c.Name()+".json"), c)
		if err != nil {
			return nil, err
		}
		if results[i] = r; r == nil {
			open = append(open, i)
		} else {
			o.Done(c, r)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	next := make(chan int)
	go func() {
		defer close(next)
		for _, i := range open {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	var running sync.WaitGroup
	failures := make([]error, max(1, o.Jobs))
	for job := range failures {
		running.Go(func() {
			for i := range next {
				r, err := cells[i].run(ctx, o)
				if err != nil {
					failures[job] = fmt.Errorf("matrix: %s: %w", cells[i].Name(), err)
					cancel()
					return
				}
				results[i] = r
				o.Done(cells[i], r)
			}
		})
	}
	running.Wait()
	if err := errors.Join(failures...); err != nil {
		return nil, err
	}
	return results, ctx.Err()
}

// read returns the result of a cell, nil if there is none.
func read(file string, c Cell) (*Result, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("matrix: %w", err)
	}
	r := &Result{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("matrix: %s: %w", file, err)
	}
	if !equal(r.Config, c.Config) {
		return nil, fmt.Errorf("matrix: %s is the result of another configuration: choose another folder, or remove it", file)
	}
	return r, nil
}

// equal compares configurations as they are written.
func equal(a, b *train.Config) bool {
	x, xerr := json.Marshal(a)
	y, yerr := json.Marshal(b)
	return xerr == nil && yerr == nil && bytes.Equal(x, y)
}

func (c Cell) run(ctx context.Context, o Options) (*Result, error) {
	data, err := dataset.Open(c.Config.Data)
	if err != nil {
		return nil, err
	}
	backend, err := o.Backend()
	if err != nil {
		return nil, err
	}
	t, err := train.NewTrainer(c.Config, backend, data)
	if err != nil {
		return nil, err
	}
	options := train.RunOptions{Progress: func(p train.Progress) { o.Progress(c, p) }}
	if o.Checkpoints != "" {
		options.Checkpoints = filepath.Join(o.Checkpoints, c.Name())
		switch have, err := train.CheckpointConfig(options.Checkpoints); {
		case errors.Is(err, train.ErrNoCheckpoint):
		case err != nil:
			return nil, err
		case !equal(have, c.Config):
			return nil, fmt.Errorf("%s is of another configuration: choose another folder, or remove it", options.Checkpoints)
		default:
			if err := t.Resume(options.Checkpoints); err != nil {
				return nil, err
			}
		}
	}
	resumed := t.Step()
	start := time.Now()
	if err := t.Run(ctx, options); err != nil {
		return nil, err
	}
	spent := time.Since(start)
	report, err := t.Finish(nil)
	if err != nil {
		return nil, err
	}
	r := &Result{Method: c.Method, Seed: c.Config.Seed, Config: c.Config, Images: c.Config.Steps * c.Config.Batch, Beside: max(1, o.Jobs) - 1,
		TrainingMACs: t.TrainingMACs(), Bytes: t.Bytes(c.Config.Deployed()), Statistics: report.Statistics}
	if resumed < c.Config.Steps {
		r.Seconds = spent.Seconds() * float64(c.Config.Steps) / float64(c.Config.Steps-resumed)
	}
	extra, err := t.Measure(c.Extra)
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		paths   []train.Path
		report  *train.Report
		trained bool
	}{{c.Config.Paths(), report, true}, {c.Extra, extra, false}} {
		for _, p := range part.paths {
			m := Measured{Path: p.String(), Trained: part.trained, MACs: t.Cost(p).MACs(), Top1: map[string]float64{}, Samples: map[string]int{}}
			for _, a := range part.report.Accuracy[p.String()] {
				m.Top1[a.Split], m.Samples[a.Split] = a.Top1, a.Samples
			}
			r.Paths = append(r.Paths, m)
		}
	}
	encoded, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return nil, err
	}
	if err := atomicfile.Write(filepath.Join(o.Dir, c.Name()+".json"), append(encoded, '\n')); err != nil {
		return nil, err
	}
	if options.Checkpoints != "" {
		return r, os.RemoveAll(options.Checkpoints)
	}
	return r, nil
}
