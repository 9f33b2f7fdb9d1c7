package graph

// FuseHardSwish finds x * clip(x/6 + 1/2, 0, 1), written with HardSigmoid or
// spelt out as x * Relu6(x + 3) / 6, as exporters of older operator sets do.
func FuseHardSwish(g *Graph) (*Graph, error) {
	g = g.clone()
	for _, n := range g.Nodes {
		if n.Op == OpMul {
			for i, gate := range n.Inputs {
				if x := n.Inputs[1-i]; gatedBy(gate, x) {
					n.Op, n.Inputs, n.Attrs = OpHardSwish, []*Node{x}, Attrs{}
					break
				}
			}
		}
		if n.Op == OpScale && constantIs(n, 1.0/6) && n.Inputs[0].Op == OpMul { // divided last
			for i, gate := range n.Inputs[0].Inputs {
				if x := n.Inputs[0].Inputs[1-i]; shiftedRelu6(gate, x) {
					n.Op, n.Inputs, n.Weights, n.Attrs = OpHardSwish, []*Node{x}, nil, Attrs{}
					break
				}
			}
		}
	}
	return DropDead(g)
}

// gatedBy says whether gate is clip(x/6 + 1/2, 0, 1).
func gatedBy(gate, x *Node) bool {
	if gate.Op == OpHardSigmoid {
		return gate.Inputs[0] == x && gate.Attrs.Alpha == float32(1.0/6) && gate.Attrs.Beta == 0.5
	}
	inner, ok := scaledBy(gate, 1.0/6)
	return ok && shiftedRelu6(inner, x)
}

// shiftedRelu6 says whether n is Relu6(x + 3).
func shiftedRelu6(n, x *Node) bool {
	return n.Op == OpRelu6 && n.Inputs[0].Op == OpShift && constantIs(n.Inputs[0], 3) && n.Inputs[0].Inputs[0] == x
}
