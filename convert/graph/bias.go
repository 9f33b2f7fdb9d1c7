package graph

import "slices"

// FoldBias adds a per-channel constant (the Add of a MatMul and Add pair, say)
// to the bias of the layer before it, where nothing else reads that layer.
func FoldBias(g *Graph) (*Graph, error) {
	g = g.clone()
	uses := g.consumers()
	for _, n := range g.Nodes {
		if n.Op != OpShift {
			continue
		}
		in := n.Inputs[0]
		if uses[in] != 1 || !hasBias(in) || in.Attrs.Activation != None {
			continue
		}
		bias := slices.Clone(in.Weights[1].Data)
		for i := range bias {
			// A single summand serves all channels.
			bias[i] += n.Weights[0].Data[i%len(n.Weights[0].Data)]
		}
		in.Weights[1] = Tensor{in.Weights[1].Shape, bias}
		uses[in] = uses[n]
		g.replace(n, in)
	}
	return DropDead(g)
}
