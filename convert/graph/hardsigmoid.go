package graph

import "math"

// LowerHardSigmoid writes clip(a*x + b, 0, 1) as Relu6(6a*x + 6b) / 6, since
// TensorFlow Lite has no such operator. The factor and the summand fold into the
// layer before; with the usual a = 1/6 there is no factor.
func LowerHardSigmoid(g *Graph) (*Graph, error) {
	g = g.clone()
	var nodes []*Node
	for _, n := range g.Nodes {
		if n.Op != OpHardSigmoid {
			nodes = append(nodes, n)
			continue
		}
		at := n.Inputs[0]
		step := func(op Op, k float64) {
			made := &Node{Name: n.Name, Op: op, Inputs: []*Node{at}, Shape: n.Shape}
			if op != OpRelu6 {
				made.Weights = []Tensor{scalarTensor(float32(k))}
			}
			nodes = append(nodes, made)
			at = made
		}
		if factor := 6 * float64(n.Attrs.Alpha); math.Abs(factor-1) > 1e-6 {
			step(OpScale, factor)
		}
		step(OpShift, 6*float64(n.Attrs.Beta))
		step(OpRelu6, 0)
		step(OpScale, 1.0/6)
		g.replace(n, at)
	}
	g.Nodes = nodes
	return g, nil
}
