package train

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/fathom-edge/fathom/train/dataset"
)

const evalBatch = 100

// Evaluate returns the top-1 accuracy of each path on the first n samples of a split, with the running averages. Paths need
// not be among those that were trained, only within the depth of their net.
func (t *Trainer) Evaluate(paths []Path, split dataset.Split, n int) ([]float64, error) {
	logits, err := t.infer(paths)
	if err != nil {
		return nil, fmt.Errorf("train: evaluate %s: %w", split, err)
	}
	defer logits.Finalize()
	loader, err := dataset.NewLoader(t.data, dataset.Options{Batch: evalBatch})
	if err != nil {
		return nil, fmt.Errorf("train: evaluate %s: %w", split, err)
	}
	right, total := make([]int, len(paths)), 0
	for b, err := range loader.Evaluate(context.Background(), split, n) {
		if err != nil {
			return nil, fmt.Errorf("train: evaluate %s: %w", split, err)
		}
		images := t.images(b)
		out, err := logits.Call(images)
		if err != nil {
			return nil, fmt.Errorf("train: evaluate %s: %w", split, err)
		}
		images.MustFinalizeAll()
		for p, y := range out {
			flat := tensors.MustCopyFlatData[float32](y)
			for i := range b.Count {
				if best(flat[i*t.classes():(i+1)*t.classes()]) == int(b.Labels[i]) {
					right[p]++
				}
			}
			y.MustFinalizeAll()
		}
		total += b.Count
	}
	top1 := make([]float64, len(right))
	for i, r := range right {
		top1[i] = float64(r) / float64(total)
	}
	return top1, nil
}

// top1 is the accuracy of everything that is trained, by variant name.
func (t *Trainer) top1(split dataset.Split, n int) (map[string]float64, error) {
	paths := t.cfg.Paths()
	list, err := t.Evaluate(paths, split, n)
	if err != nil {
		return nil, err
	}
	byName := map[string]float64{}
	for i, p := range paths {
		byName[p.String()] = list[i]
	}
	return byName, nil
}

// infer computes the logits of the given paths.
func (t *Trainer) infer(paths []Path) (*model.Exec, error) {
	return model.NewExec(t.backend, t.store, func(scope *model.Scope, images *graph.Node) []*graph.Node {
		out := make([]*graph.Node, len(paths))
		for _, m := range t.cfg.Net.mates() {
			var at []int
			some := mate{name: m.name}
			for i, p := range paths {
				if p.mate() == m.name {
					at, some.depths = append(at, i), append(some.depths, p.Depth)
				}
			}
			if len(at) == 0 {
				continue
			}
			for i, y := range t.logits(scope, images, some, infer, nil) {
				out[at[i]] = y
			}
		}
		return out
	})
}

// samples is n, or what the split has if that is less; 0 if there is no such split.
func (t *Trainer) samples(split dataset.Split, n int) int {
	switch has := t.data.Len(split); has {
	case dataset.Absent:
		return 0
	case dataset.Endless:
		return n
	default:
		return min(n, has)
	}
}

func best(v []float32) int {
	at := 0
	for i := range v {
		if v[i] > v[at] {
			at = i
		}
	}
	return at
}
