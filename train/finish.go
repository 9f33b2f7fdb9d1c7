package train

import (
	"context"
	"fmt"
	"io"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/fathom-edge/fathom/runtime/profile"
	"github.com/fathom-edge/fathom/train/dataset"
)

// Report is what the end of a run measured: per variant name, on the validation and test splits.
type Report struct {
	Accuracy map[string][]profile.Accuracy
}

// Finish chooses the normalization statistics on the validation split, and measures every path on the validation and
// test splits. The test split decides nothing.
func (t *Trainer) Finish(metrics io.Writer) (*Report, error) {
	m := metric{Kind: "final", Step: t.Step(), Images: t.Step() * t.cfg.Batch}
	if t.cfg.Eval.Recalibrate > 0 {
		note, err := t.chooseStatistics()
		if err != nil {
			return nil, err
		}
		m.Note = note
	}
	r := &Report{Accuracy: map[string][]profile.Accuracy{}}
	paths := t.cfg.Paths()
	for _, split := range []dataset.Split{dataset.Validation, dataset.Test} {
		n := t.samples(split, t.cfg.Eval.Final)
		if n == 0 {
			continue
		}
		top1, err := t.Evaluate(paths, split, n)
		if err != nil {
			return nil, err
		}
		m.Split, m.Samples, m.Top1 = split.String(), n, map[string]float64{}
		for i, p := range paths {
			m.Top1[p.String()] = top1[i]
			r.Accuracy[p.String()] = append(r.Accuracy[p.String()], profile.Accuracy{Dataset: t.data.Name(), Split: split.String(),
				Top1: top1[i], Samples: n})
		}
		if err := write(metrics, m); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// chooseStatistics replaces the running averages by a cumulative average over training batches with frozen weights,
// unless they validate worse on the mean over paths. It says what it chose.
func (t *Trainer) chooseStatistics() (note string, err error) {
	before, err := t.Evaluate(t.cfg.Paths(), dataset.Validation, t.cfg.Eval.Final)
	if err != nil {
		return "", err
	}
	old := map[string][]float32{}
	for v := range t.statistics() {
		old[v.Path()] = tensors.MustCopyFlatData[float32](v.MustValue())
	}
	if err := t.recalibrate(t.cfg.Eval.Recalibrate); err != nil {
		return "", err
	}
	after, err := t.Evaluate(t.cfg.Paths(), dataset.Validation, t.cfg.Eval.Final)
	if err != nil {
		return "", err
	}
	note = fmt.Sprintf("normalization: running averages validate at %.4f, re-estimated at %.4f (means over paths)", mean(before), mean(after))
	if mean(after) > mean(before) {
		return note + "; re-estimated kept", nil
	}
	for v := range t.statistics() {
		if err := v.SetValue(tensors.FromFlatDataAndDimensions(old[v.Path()], v.Shape().Dimensions...)); err != nil {
			return "", err
		}
	}
	return note + "; running averages kept", nil
}

// statistics iterates over the running averages.
func (t *Trainer) statistics() func(yield func(*model.Variable) bool) {
	return func(yield func(*model.Variable) bool) {
		for v := range t.store.IterVariables() {
			if n := v.Name(); (n == "running_mean" || n == "running_var") && !yield(v) {
				return
			}
		}
	}
}

// recalibrate sets the running averages to the mean over the next n training batches: with keep = i/(i+1) for batch i
// the moving average is the cumulative one.
func (t *Trainer) recalibrate(n int) error {
	loader, err := dataset.NewLoader(t.data, dataset.Options{Batch: t.cfg.Batch, Seed: t.cfg.Seed, Augment: t.cfg.Data.Augment})
	if err != nil {
		return err
	}
	i := 0
	for b, err := range loader.Train(context.Background(), t.Step()) {
		if err != nil {
			return err
		}
		images := t.images(b)
		out, err := t.moments.Call(images, float32(i)/float32(i+1))
		if err != nil {
			return fmt.Errorf("train: re-estimate normalization: %w", err)
		}
		images.MustFinalizeAll()
		for _, o := range out {
			o.MustFinalizeAll()
		}
		if i++; i == n {
			break
		}
	}
	return nil
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
