package graph

import "slices"

// FuseMean makes a Mean of every ReduceMean over height and width, and drops the
// Reshape to [1, C] after a Mean that kept its axes, where nothing else reads
// the mean: the Mean then drops the axes itself.
func FuseMean(g *Graph) (*Graph, error) {
	g = g.clone()
	uses := g.consumers()
	for _, n := range g.Nodes {
		if n.Op == OpReduceMean && n.Attrs.KeepDims && len(n.Shape) == 4 && n.Shape[0] == 1 && slices.Equal(n.Attrs.Axes, []int{1, 2}) && g.Layout == NHWC {
			n.Op, n.Attrs.Axes = OpMean, nil
		}
		if n.Op != OpReshape {
			continue
		}
		in := n.Inputs[0]
		if in.Op != OpMean || !in.Attrs.KeepDims || uses[in] != 1 || len(n.Shape) != 2 || n.Shape[0] != 1 {
			continue
		}
		in.Attrs.KeepDims = false
		in.Shape = n.Shape
		uses[in] = uses[n]
		g.replace(n, in)
	}
	return DropDead(g)
}

// LowerChannelMean makes a fully connected layer of every mean over the last
// axis, as LayerNorm takes it: TensorFlow Lite's MEAN is slow there, and XNNPACK
// does not take it.
func LowerChannelMean(g *Graph) (*Graph, error) {
	g = g.clone()
	for _, n := range g.Nodes {
		if n.Op != OpReduceMean {
			continue
		}
		shape := n.Inputs[0].Shape
		if !n.Attrs.KeepDims || !slices.Equal(n.Attrs.Axes, []int{len(shape) - 1}) {
			continue
		}
		c := shape[len(shape)-1]
		share := mapped(zeros(1, c), func(float32) float32 { return float32(1 / float64(c)) })
		n.Op, n.Attrs, n.Weights = OpFullyConnected, Attrs{}, []Tensor{share, zeros(1)}
	}
	return g, nil
}
