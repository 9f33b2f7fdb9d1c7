package train

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/fathom-edge/fathom/train/arch"
)

const (
	normEpsilon  = 1e-5
	normMomentum = 0.99 // share of the old running average that stays, per step
)

// Norm is batch normalization over all rows and pixels of the paths that use the same set of variables. In training it
// uses their moments and moves the running averages towards them; else it uses the running averages.
func (n *net) Norm(name string, x arch.Value, scale float32) arch.Value {
	s := x.(stack)
	var keys []string
	members := map[string][]int{}
	for g, paths := range s.groups {
		key, err := n.sets.key(n.depths[paths[0]], n.stage, n.block)
		if err != nil && n.err == nil {
			n.err = err
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
		members[key] = append(members[key], g)
	}
	if len(keys) == 1 {
		return s.with(n.batchNorm(setName(name, keys[0]), s.x, scale))
	}
	parts := make([]*graph.Node, len(s.groups))
	for _, key := range keys {
		some := s.pick(members[key], make([][]int, len(members[key])))
		some.x = n.batchNorm(setName(name, key), some.x, scale)
		for i, g := range members[key] {
			parts[g] = some.group(i)
		}
	}
	return s.with(join(parts))
}

// setName is the layer's name with that of the set of normalization variables.
func setName(layer, key string) string {
	if key == "" {
		return layer
	}
	return layer + "@" + key
}

func (n *net) batchNorm(name string, x *graph.Node, scale float32) *graph.Node {
	c := x.Shape().Dimensions[3]
	gamma := n.variable(name, "weight", func() *tensors.Tensor { return constant(scale, c) }).NodeValue(x)
	beta := n.variable(name, "bias", func() *tensors.Tensor { return constant(0, c) }).NodeValue(x)
	mean := n.variable(name, "running_mean", func() *tensors.Tensor { return constant(0, c) }).SetTrainable(false)
	variance := n.variable(name, "running_var", func() *tensors.Tensor { return constant(1, c) }).SetTrainable(false)
	if n.mode == infer {
		return graph.InternalBatchNormForInference(x, gamma, beta, mean.NodeValue(x), variance.NodeValue(x), normEpsilon, -1)
	}
	y, m, v := graph.InternalBatchNormForTraining(x, gamma, beta, normEpsilon, -1)
	m, v = graph.StopGradient(m), graph.StopGradient(v)
	keep := n.keep
	if keep == nil {
		keep = graph.Scalar(x.Graph(), x.DType(), normMomentum)
	}
	move := func(old, now *graph.Node) *graph.Node {
		return graph.Add(graph.Mul(old, keep), graph.Mul(now, graph.OneMinus(keep)))
	}
	mean.SetNodeValue(move(mean.NodeValue(x), m))
	variance.SetNodeValue(move(variance.NodeValue(x), v))
	return y
}

// LayerNorm implements [arch.Layers].
func (n *net) LayerNorm(name string, x arch.Value) arch.Value {
	s := x.(stack)
	c := s.x.Shape().Dimensions[s.x.Rank()-1]
	gamma := n.variable(name, "weight", func() *tensors.Tensor { return constant(1, c) }).NodeValue(s.x)
	beta := n.variable(name, "bias", func() *tensors.Tensor { return constant(0, c) }).NodeValue(s.x)
	d := graph.Sub(s.x, graph.ReduceAndKeep(s.x, graph.ReduceMean, -1))
	variance := graph.ReduceAndKeep(graph.Mul(d, d), graph.ReduceMean, -1)
	y := graph.Div(d, graph.Sqrt(graph.AddScalar(variance, normEpsilon)))
	return s.with(graph.Add(graph.Mul(y, graph.Reshape(gamma, 1, 1, c)), graph.Reshape(beta, 1, 1, c)))
}
