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

	"github.com/fathom-edge/fathom/train/arch"
	"github.com/fathom-edge/fathom/train/dataset"
)

// Trainer holds the weights of the nets and trains them.
type Trainer struct {
	cfg     *Config
	data    dataset.Dataset
	arch    arch.Architecture
	backend compute.Backend
	store   *model.Store
	// learn does one optimizer step, for each choice of sub-networks that take turns.
	learn   []*model.Exec
	moments *model.Exec
	terms   []string // names of what learn returns after the total
	// sums of the losses since the last metric, and over how many steps.
	sums  map[string]float64
	since int
	// chosen is the choice of normalization statistics that the variables hold; nil while training.
	chosen *Statistics
}

// NewTrainer prepares a run on the given backend, from initial weights. The configuration must have been checked.
func NewTrainer(cfg *Config, backend compute.Backend, data dataset.Dataset) (*Trainer, error) {
	a, err := arch.New(cfg.Net.Config)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	t := &Trainer{cfg: cfg, data: data, arch: a, backend: backend, store: model.NewStore(), sums: map[string]float64{}}
	return t, t.build()
}

func (t *Trainer) classes() int { return len(t.data.Labels()) }

// mate is a net to be trained at the given depths, deepest first.
type mate struct {
	name   string
	depths []Depth
}

// mates lists the nets of the run: l, a and b, as far as there are.
func (n *Net) mates() []mate {
	var list []mate
	if n.Leader != nil {
		list = append(list, mate{"l", []Depth{n.Leader}})
	}
	list = append(list, mate{"a", n.A})
	if len(n.B) > 0 {
		list = append(list, mate{"b", n.B})
	}
	return list
}

// turns is the number of choices of sub-networks that take turns: after so many steps, all of a Teammate's had as many.
func (c *Config) turns() int {
	turns := 1
	for _, depths := range [][]Depth{c.Net.A, c.Net.B} {
		if subs := len(depths) - 1; c.Loss.SubsPerStep > 0 && c.Loss.SubsPerStep < subs {
			turns = turns / gcd(turns, subs) * subs
		}
	}
	return turns
}

func gcd(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// takes returns the depths of a net that are trained in the given turn.
func (c *Config) takes(depths []Depth, turn int) []Depth {
	subs := depths[1:]
	if n := c.Loss.SubsPerStep; n != 0 && n < len(subs) {
		var some []Depth
		for i, d := range subs {
			if (i-turn%len(subs)+len(subs))%len(subs) < n {
				some = append(some, d)
			}
		}
		subs = some
	}
	return append([]Depth{depths[0]}, subs...)
}

func (t *Trainer) build() (err error) {
	t.learn = make([]*model.Exec, t.cfg.turns())
	for turn := range t.learn {
		if t.learn[turn], err = model.NewExec(t.backend, t.store, func(scope *model.Scope, images, targets, ramp *graph.Node) []*graph.Node {
			return t.learnGraph(scope, images, targets, ramp, turn)
		}); err != nil {
			return fmt.Errorf("train: %w", err)
		}
	}
	if t.moments, err = model.NewExec(t.backend, t.store, func(scope *model.Scope, images, keep *graph.Node) *graph.Node {
		var sum *graph.Node
		for _, m := range t.cfg.Net.mates() {
			for _, y := range t.logits(scope, images, m, learn, keep) {
				sum = plus(sum, graph.ReduceAllSum(y))
			}
		}
		return sum
	}); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// logits builds one net at the depths of m. A depth that was not trained can be had only if its normalization can.
func (t *Trainer) logits(scope *model.Scope, images *graph.Node, m mate, mode mode, keep *graph.Node) []*graph.Node {
	n := &net{arch: t.arch, name: m.name, scope: scope, seed: t.cfg.Seed, classes: t.classes(), mode: mode, keep: keep,
		sets: t.cfg.Net.sets(m.name), depths: m.depths}
	out, err := n.logits(images)
	if err != nil {
		panic(err) // model.Exec turns it into its error
	}
	return out
}

// sets tells the normalization sets of a net.
func (n *Net) sets(name string) normSets {
	for _, m := range n.mates() {
		if m.name == name {
			return normSets{n.Norm, m.depths}
		}
	}
	return normSets{}
}

func (t *Trainer) learnGraph(scope *model.Scope, images, targets, ramp *graph.Node, turn int) []*graph.Node {
	var o Outputs
	for _, m := range t.cfg.Net.mates() {
		m.depths = t.cfg.takes(m.depths, turn)
		logits := t.logits(scope, images, m, learn, nil)
		switch m.name {
		case "l":
			o.Leader = logits[0]
		case "a":
			o.A = logits
		case "b":
			o.B = logits
		}
	}
	terms := Objective(o, targets, t.cfg.Loss)
	total := Total(terms, ramp)
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

// ramp is the factor of all distillation in the given step (from 0).
func (c *Config) ramp(step int) float32 {
	if step >= c.Loss.DistillWarmup {
		return 1
	}
	return float32(step) / float32(c.Loss.DistillWarmup)
}

// Step is the number of optimizer steps done so far.
func (t *Trainer) Step() int { return int(optimizer.GetGlobalStep(t.store)) }

// learnBatch does one optimizer step and returns the value of each term of the objective and their "total".
func (t *Trainer) learnBatch(step int, b *dataset.Batch) (map[string]float64, error) {
	rate := optimizer.LearningRateVar(t.store.RootScope(), dtypes.Float32, t.cfg.Optimizer.LearningRate)
	if err := rate.SetValue(tensors.FromScalar(float32(t.cfg.LearningRate(step)))); err != nil {
		return nil, err
	}
	t.chosen = nil
	images := t.images(b)
	targets := tensors.FromFlatDataAndDimensions(b.Targets, len(b.Labels), t.classes())
	out, err := t.learn[step%len(t.learn)].Call(images, targets, t.cfg.ramp(step))
	if err != nil {
		return nil, fmt.Errorf("train: step %d: %w", step, err)
	}
	images.MustFinalizeAll()
	targets.MustFinalizeAll()
	values := map[string]float64{}
	for i, name := range append([]string{"total"}, t.terms...) {
		values[name] = float64(tensors.ToScalar[float32](out[i]))
		out[i].MustFinalizeAll()
	}
	return values, finite(step, values)
}

// finite complains of a loss that is no number, the terms before their sum.
func finite(step int, values map[string]float64) error {
	for _, name := range []string{"ce", "sub_ce", "from_leader", "from_mate", "from_teammate", "total"} {
		if v, ok := values[name]; ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
			return fmt.Errorf("train: step %d: loss %s is %v: %s", step, name, v, tooFast)
		}
	}
	return nil
}

// tooFast is what to do about numbers that are not finite.
const tooFast = "lower optimizer.learning_rate, and go on with --resume or start anew"

func (t *Trainer) images(b *dataset.Batch) *tensors.Tensor {
	s := t.data.Spec()
	return tensors.FromFlatDataAndDimensions(b.Images, len(b.Labels), s.Height, s.Width, 3)
}

// Path names one output of the nets.
type Path struct {
	Net   string // "L", "A" or "B"
	Depth Depth
}

// String is the variant's name, e.g. "a-3-3-3".
func (p Path) String() string { return p.mate() + "-" + p.Depth.String() }

// mate is the net's name in lower case, as in variables and initializers.
func (p Path) mate() string { return string(p.Net[0] | 0x20) }

// Paths lists what is trained: the Leader, A and B, each deepest first.
func (c *Config) Paths() []Path {
	var paths []Path
	for _, m := range c.Net.mates() {
		for _, d := range m.depths {
			paths = append(paths, Path{string(m.name[0] &^ 0x20), d})
		}
	}
	return paths
}
