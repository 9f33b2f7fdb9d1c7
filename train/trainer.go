package train

import (
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"github.com/fathom-edge/fathom/glyphs"
)

// Trainer holds the weights of the three nets and trains them.
type Trainer struct {
	cfg     *Config
	source  Source
	classes int
	backend compute.Backend
	store   *model.Store
	learn   *model.Exec
	infer   *model.Exec
	moments *model.Exec
	terms   []string // names of what learn returns after the total
}

// NewTrainer prepares a run on the given backend, from initial weights.
func NewTrainer(cfg *Config, backend compute.Backend, source Source, classes int) (*Trainer, error) {
	t := &Trainer{cfg: cfg, source: source, classes: classes, backend: backend, store: model.NewStore()}
	return t, t.build()
}

func (t *Trainer) build() (err error) {
	if t.learn, err = model.NewExec(t.backend, t.store, t.learnGraph); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if t.infer, err = model.NewExec(t.backend, t.store, func(scope *model.Scope, images *graph.Node) []*graph.Node {
		o := t.outputs(scope, images, infer, nil)
		return append(append([]*graph.Node{o.Leader}, o.A...), o.B...)
	}); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if t.moments, err = model.NewExec(t.backend, t.store, func(scope *model.Scope, images, keep *graph.Node) *graph.Node {
		o := t.outputs(scope, images, learn, keep)
		return graph.ReduceAllSum(o.Leader)
	}); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

func (t *Trainer) outputs(scope *model.Scope, images *graph.Node, m mode, keep *graph.Node) Outputs {
	logits := func(name string, depths []Depth) []*graph.Node {
		n := &net{name: name, scope: scope, seed: t.cfg.Seed, stem: t.cfg.Net.Stem, channels: t.cfg.Net.Channels,
			classes: t.classes, mode: m, keep: keep}
		return n.logits(images, depths)
	}
	return Outputs{Leader: logits("l", []Depth{t.cfg.Net.Leader})[0], A: logits("a", t.cfg.Net.A), B: logits("b", t.cfg.Net.B)}
}

func (t *Trainer) learnGraph(scope *model.Scope, images, labels *graph.Node) []*graph.Node {
	terms := Objective(t.outputs(scope, images, learn, nil), labels, t.cfg.Loss)
	total := Total(terms)
	optimizer.Adam().LearningRate(t.cfg.Optimizer.LearningRate).WeightDecay(t.cfg.Optimizer.WeightDecay).Done().
		UpdateGraph(scope, images.Graph(), total)
	out := []*graph.Node{total}
	t.terms = t.terms[:0]
	for _, term := range terms {
		t.terms = append(t.terms, term.Name)
		out = append(out, term.Value)
	}
	return out
}

// LearningRate is the rate of the given step (from 0): a linear rise over the warm-up, then half a cosine down to 0.
func (c *Config) LearningRate(step int) float64 {
	if step < c.Optimizer.Warmup {
		return c.Optimizer.LearningRate * float64(step+1) / float64(c.Optimizer.Warmup)
	}
	rest := float64(step-c.Optimizer.Warmup) / float64(max(1, c.Steps-c.Optimizer.Warmup))
	return c.Optimizer.LearningRate * (1 + math.Cos(math.Pi*min(1, rest))) / 2
}

// Step is the number of optimizer steps done so far.
func (t *Trainer) Step() int { return int(optimizer.GetGlobalStep(t.store)) }

// learnBatch does one optimizer step and returns the value of each term of the objective and their "total".
func (t *Trainer) learnBatch(step int, b *batch) (map[string]float64, error) {
	rate := optimizer.LearningRateVar(t.store.RootScope(), dtypes.Float32, t.cfg.Optimizer.LearningRate)
	if err := rate.SetValue(tensors.FromScalar(float32(t.cfg.LearningRate(step)))); err != nil {
		return nil, err
	}
	images, labels := t.tensors(b)
	out, err := t.learn.Call(images, labels)
	if err != nil {
		return nil, fmt.Errorf("train: step %d: %w", step, err)
	}
	images.MustFinalizeAll()
	labels.MustFinalizeAll()
	values := map[string]float64{}
	for i, name := range append([]string{"total"}, t.terms...) {
		v := float64(tensors.ToScalar[float32](out[i]))
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("train: step %d: loss %s is %v: lower optimizer.learning_rate or lengthen optimizer.warmup", step, name, v)
		}
		values[name] = v
		out[i].MustFinalizeAll()
	}
	return values, nil
}

func (t *Trainer) tensors(b *batch) (images, labels *tensors.Tensor) {
	return tensors.FromFlatDataAndDimensions(b.images, len(b.labels), glyphs.Size, glyphs.Size, 3),
		tensors.FromFlatDataAndDimensions(b.labels, len(b.labels))
}

// Path names one output of the nets.
type Path struct {
	Net   string // "L", "A" or "B"
	Depth Depth
}

// String is the variant's name, e.g. "a-3-3-3".
func (p Path) String() string { return string(p.Net[0]|0x20) + "-" + p.Depth.String() }

// Paths lists the outputs in the order of evaluations.
func (t *Trainer) Paths() []Path {
	paths := []Path{{"L", t.cfg.Net.Leader}}
	for _, d := range t.cfg.Net.A {
		paths = append(paths, Path{"A", d})
	}
	for _, d := range t.cfg.Net.B {
		paths = append(paths, Path{"B", d})
	}
	return paths
}

const evalBatch = 100

// Evaluate returns the top-1 accuracy of each path on the first n samples of a split, with the running averages.
func (t *Trainer) Evaluate(split glyphs.Split, n int) ([]float64, error) {
	l, err := newLoader(t.source)
	if err != nil {
		return nil, err
	}
	right := make([]int, len(t.Paths()))
	for first := 0; first < n; first += evalBatch {
		// The last batch is filled up with samples that are not counted, so that one graph serves all.
		b, err := l.load(split, uint64(first), evalBatch)
		if err != nil {
			return nil, err
		}
		images, labels := t.tensors(b)
		labels.MustFinalizeAll()
		out, err := t.infer.Call(images)
		if err != nil {
			return nil, fmt.Errorf("train: evaluate %s: %w", split, err)
		}
		images.MustFinalizeAll()
		for p, logits := range out {
			flat := tensors.MustCopyFlatData[float32](logits)
			for i := range min(evalBatch, n-first) {
				if best(flat[i*t.classes:(i+1)*t.classes]) == int(b.labels[i]) {
					right[p]++
				}
			}
			logits.MustFinalizeAll()
		}
	}
	top1 := make([]float64, len(right))
	for i, r := range right {
		top1[i] = float64(r) / float64(n)
	}
	return top1, nil
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
