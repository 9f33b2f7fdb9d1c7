package quant

import (
	"slices"

	"github.com/fathom-edge/fathom/convert/graph"
)

// foldAffine makes factors and summands per channel (a BatchNorm that no layer
// could take in, as in DenseNet) depthwise convolutions of 1x1: these have a
// scale for each channel and biases of 32 bits, where the constants of MUL and
// ADD share one scale of 8 bits.
func foldAffine(net Net) Net {
	folded := net
	folded.Pieces = nil
	for _, p := range net.Pieces {
		folded.Pieces = append(folded.Pieces, foldPiece(p))
	}
	return folded
}

func foldPiece(p *graph.Graph) *graph.Graph {
	if !slices.ContainsFunc(p.Nodes, perChannel) {
		return p
	}
	g := graph.Concat([]*graph.Graph{p}) // a copy
	uses := map[*graph.Node]int{g.Output: 1}
	for _, n := range g.Nodes {
		for _, in := range n.Inputs {
			uses[in]++
		}
	}
	scaled := map[*graph.Node]bool{} // made of a Scale
	for _, n := range g.Nodes {
		if !perChannel(n) {
			continue
		}
		c := n.Shape[3]
		factor, summand := slices.Repeat([]float32{1}, c), make([]float32, c)
		if n.Op == graph.OpScale {
			factor, scaled[n] = n.Weights[0].Data, true
		} else {
			summand = n.Weights[0].Data
		}
		in := n.Inputs[0]
		if n.Op == graph.OpShift && scaled[in] && uses[in] == 1 && in.Attrs.Activation == graph.None {
			factor = in.Weights[0].Data // of the Scale before it, whose own node dies
			n.Inputs = in.Inputs
		}
		n.Op = graph.OpDepthwise
		n.Weights = []graph.Tensor{{Shape: []int{1, 1, 1, c}, Data: factor}, {Shape: []int{c}, Data: summand}}
		n.Attrs = graph.Attrs{Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Padding: graph.Valid, Activation: n.Attrs.Activation}
	}
	g, _ = graph.DropDead(g) // never fails
	return g
}

// perChannel finds constants with several values along the channels of an image.
func perChannel(n *graph.Node) bool {
	return (n.Op == graph.OpScale || n.Op == graph.OpShift) && len(n.Shape) == 4 && n.Shape[3] > 1 &&
		len(n.Weights[0].Data) == n.Shape[3] && n.Weights[0].Shape[len(n.Weights[0].Shape)-1] == n.Shape[3]
}
