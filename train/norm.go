package train

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

const (
	normEpsilon  = 1e-5
	normMomentum = 0.99 // share of the old running average that stays, per step
)

// norm is batch normalization over all rows and pixels of x. In training it uses the moments of x and moves the running
// averages towards them; else it uses the running averages.
func (n *net) norm(name string, x *graph.Node, scale float32) *graph.Node {
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
