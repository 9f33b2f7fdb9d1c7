package train

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/fathom-edge/fathom/train/dataset"
)

// Progress is told to the user of [Trainer.Run] after each step.
type Progress struct {
	Step, Steps int
	Loss        float64
	// ImagesPerSecond is the speed since the run began or was resumed, without measurements.
	ImagesPerSecond float64
}

// RunOptions are the parts of a run that do not change its result.
type RunOptions struct {
	// Metrics receives one JSON object per line; nil is nowhere.
	Metrics io.Writer
	// Progress is called after each step; nil is never.
	Progress func(Progress)
	// Measured is called after each measurement on the way, when its metric is written; nil is never.
	Measured func() error
	// Until is the step to pause before, to be run on from; 0 is the end of the run.
	Until int
	// Checkpoints is the folder of checkpoints; "" is none.
	Checkpoints string
}

// Metric is a line of the metrics file. Kinds are "step" (mean losses since the last line), "eval" and "final".
type Metric struct {
	Kind            string             `json:"kind"`
	Step            int                `json:"step"`
	Images          int                `json:"images"`
	Seconds         float64            `json:"seconds"` // of training since the start or resume
	ImagesPerSecond float64            `json:"images_per_second,omitempty"`
	LearningRate    float64            `json:"learning_rate,omitempty"`
	Losses          map[string]float64 `json:"losses,omitempty"`
	Split           string             `json:"split,omitempty"`
	Samples         int                `json:"samples,omitempty"`
	Top1            map[string]float64 `json:"top1,omitempty"`
	Note            string             `json:"note,omitempty"`
}

const (
	stepsPerMetric = 20
	kindFinal      = "final"
)

// Run trains from the current step to the last, measuring and saving checkpoints on the way. A cancelled context ends it
// after the current step with a checkpoint (if there is a folder for one) and the context's error.
func (t *Trainer) Run(ctx context.Context, o RunOptions) error {
	start := t.Step()
	end := t.cfg.Steps
	if o.Until > 0 {
		end = min(end, o.Until)
	}
	if start >= end {
		return nil
	}
	loader, err := dataset.NewLoader(t.data, dataset.Options{Batch: t.cfg.Batch, Seed: t.cfg.Seed, Augment: t.cfg.Data.Augment})
	if err != nil {
		return err
	}
	var spent time.Duration
	began := time.Now()
	// Loading is not bound to ctx: a cancelled run still ends its step.
	for b, err := range loader.Train(context.WithoutCancel(ctx), start) {
		if err != nil {
			return t.stopped(o, err)
		}
		step := b.Number
		losses, err := t.learnBatch(step, b)
		if err != nil {
			return t.stopped(o, err)
		}
		spent += time.Since(began)
		done := step + 1
		rate := float64((done-start)*t.cfg.Batch) / spent.Seconds()
		t.since++
		for k, v := range losses {
			t.sums[k] += v
		}
		m := Metric{Step: done, Images: done * t.cfg.Batch, Seconds: spent.Seconds()}
		if done%stepsPerMetric == 0 {
			m.Kind, m.ImagesPerSecond, m.LearningRate, m.Losses = "step", rate, t.cfg.LearningRate(step), map[string]float64{}
			for k, v := range t.sums {
				m.Losses[k] = v / float64(t.since)
			}
			clear(t.sums)
			t.since = 0
			if err := write(o.Metrics, m); err != nil {
				return err
			}
			// A rectifier hides a NaN from the loss.
			if err := t.finiteWeights(); err != nil {
				return t.stopped(o, fmt.Errorf("train: %w", err))
			}
		}
		if o.Progress != nil {
			o.Progress(Progress{Step: done, Steps: t.cfg.Steps, Loss: losses["total"], ImagesPerSecond: rate})
		}
		if done%t.cfg.Eval.Every == 0 && done < t.cfg.Steps {
			if err := t.measure(o.Metrics, m); err != nil {
				return err
			}
			if o.Measured != nil {
				if err := o.Measured(); err != nil {
					return err
				}
			}
		}
		interrupted := ctx.Err() != nil
		if o.Checkpoints != "" && (done%t.cfg.CheckpointEvery == 0 || done == t.cfg.Steps || interrupted) {
			if err := t.SaveCheckpoint(o.Checkpoints); err != nil {
				return t.stopped(o, err)
			}
		}
		if interrupted {
			return fmt.Errorf("train: stopped after step %d: %w", done, ctx.Err())
		}
		if done == end {
			break
		}
		began = time.Now()
	}
	if err := t.finiteWeights(); err != nil {
		return t.stopped(o, fmt.Errorf("train: %w", err))
	}
	return nil
}

// stopped adds to the error of a step from where the run can go on.
func (t *Trainer) stopped(o RunOptions, err error) error {
	if o.Checkpoints == "" {
		return err
	}
	path, nerr := newest(o.Checkpoints)
	if nerr != nil {
		return fmt.Errorf("%w (there is no checkpoint yet)", err)
	}
	return fmt.Errorf("%w (the newest checkpoint is %s)", err, path)
}

// measure evaluates the samples of the validation split and writes the result as a metric made from m.
func (t *Trainer) measure(w io.Writer, m Metric) error {
	var err error
	if m.Top1, err = t.top1(dataset.Validation, t.cfg.Eval.Samples); err != nil {
		return err
	}
	m.Kind, m.Split, m.Samples = "eval", dataset.Validation.String(), t.samples(dataset.Validation, t.cfg.Eval.Samples)
	m.Losses, m.LearningRate, m.ImagesPerSecond = nil, 0, 0
	return write(w, m)
}

func write(w io.Writer, m Metric) error {
	if w == nil {
		return nil
	}
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("train: metrics: %w", err)
	}
	if _, err := w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("train: write metrics: %w", err)
	}
	return nil
}
