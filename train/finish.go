package train

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/fathom-edge/fathom/runtime/profile"
	"github.com/fathom-edge/fathom/train/dataset"
)

// Report is what the end of a run measured: per variant name, on the validation and test splits.
type Report struct {
	Accuracy map[string][]profile.Accuracy
	// Statistics compares the normalization statistics on the validation split; nil if there was no choice.
	Statistics *Statistics
}

// Statistics holds the top-1 accuracy of every path on the validation split, by variant name, with the running averages
// and with re-estimated normalization statistics.
type Statistics struct {
	Running     map[string]float64 `json:"running"`
	Reestimated map[string]float64 `json:"reestimated"`
	// Kept are the re-estimated ones.
	Kept bool `json:"reestimated_kept"`
}

func (s *Statistics) String() string {
	kept := "running averages kept"
	if s.Kept {
		kept = "re-estimated kept"
	}
	return fmt.Sprintf("normalization: running averages validate at %.4f, re-estimated at %.4f (means over paths); %s",
		mean(s.Running), mean(s.Reestimated), kept)
}

// Finish chooses the normalization statistics on the validation split, and measures every path on the validation and
// test splits. The test split decides nothing.
func (t *Trainer) Finish(metrics io.Writer) (r *Report, err error) {
	m := Metric{Kind: kindFinal, Step: t.Step(), Images: t.Step() * t.cfg.Batch}
	r = &Report{}
	if t.cfg.Eval.Recalibrate > 0 && t.hasStatistics() {
		if t.chosen == nil {
			if t.chosen, err = t.chooseStatistics(); err != nil {
				return nil, err
			}
		}
		r.Statistics, m.Note = t.chosen, t.chosen.String()
	}
	measured, err := t.Measure(t.cfg.Paths())
	if err != nil {
		return nil, err
	}
	r.Accuracy = measured.Accuracy
	for _, split := range finalSplits {
		m.Split, m.Top1 = split.String(), map[string]float64{}
		for name, list := range r.Accuracy {
			for _, a := range list {
				if a.Split == m.Split {
					m.Samples, m.Top1[name] = a.Samples, a.Top1
				}
			}
		}
		if len(m.Top1) == 0 {
			continue
		}
		if err := write(metrics, m); err != nil {
			return nil, err
		}
	}
	return r, nil
}

var finalSplits = []dataset.Split{dataset.Validation, dataset.Test}

// Measure returns the accuracy of the given paths on the validation and test splits, as far as the data set has them.
func (t *Trainer) Measure(paths []Path) (*Report, error) {
	r := &Report{Accuracy: map[string][]profile.Accuracy{}}
	if len(paths) == 0 {
		return r, nil
	}
	for _, split := range finalSplits {
		n := t.samples(split, t.cfg.Eval.Final)
		if n == 0 {
			continue
		}
		top1, err := t.Evaluate(paths, split, n)
		if err != nil {
			return nil, err
		}
		for i, p := range paths {
			r.Accuracy[p.String()] = append(r.Accuracy[p.String()], profile.Accuracy{Dataset: t.data.Name(), Split: split.String(),
				Top1: top1[i], Samples: n})
		}
	}
	return r, nil
}

// chooseStatistics replaces the running averages by a cumulative average over training batches with frozen weights,
// unless they validate worse on the mean over paths.
func (t *Trainer) chooseStatistics() (*Statistics, error) {
	s := &Statistics{}
	var err error
	if s.Running, err = t.top1(dataset.Validation, t.cfg.Eval.Final); err != nil {
		return nil, err
	}
	old := map[string][]float32{}
	for v := range t.statistics() {
		old[v.Path()] = tensors.MustCopyFlatData[float32](v.MustValue())
	}
	if err := t.recalibrate(t.cfg.Eval.Recalibrate); err != nil {
		return nil, err
	}
	if s.Reestimated, err = t.top1(dataset.Validation, t.cfg.Eval.Final); err != nil {
		return nil, err
	}
	if s.Kept = mean(s.Reestimated) > mean(s.Running); s.Kept {
		return s, nil
	}
	for v := range t.statistics() {
		if err := v.SetValue(tensors.FromFlatDataAndDimensions(old[v.Path()], v.Shape().Dimensions...)); err != nil {
			return nil, err
		}
	}
	return s, nil
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

// hasStatistics says whether the nets have batch normalization at all.
func (t *Trainer) hasStatistics() bool {
	for range t.statistics() {
		return true
	}
	return false
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

func mean(v map[string]float64) float64 {
	sum := 0.0
	for _, k := range slices.Sorted(maps.Keys(v)) {
		sum += v[k]
	}
	return sum / float64(len(v))
}
