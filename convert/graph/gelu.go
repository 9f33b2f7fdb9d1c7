package graph

import "math"

// FuseGelu finds x * (1 + erf(x / sqrt 2)) / 2, in whatever order an exporter
// multiplies. An Erf that is not part of that is unsupported.
func FuseGelu(g *Graph) (*Graph, error) {
	g = g.clone()
	uses := g.consumers()
	var bad report
	for _, n := range g.Nodes {
		if n.Op != OpErf {
			continue
		}
		x, ok := scaledBy(n.Inputs[0], math.Sqrt(0.5))
		plus := reader(g, uses, n)
		if !ok || plus == nil || plus.Op != OpShift || !constantIs(plus, 1) {
			bad.add(n, "erf stands alone; it is known only as part of GELU, x * (1 + erf(x / sqrt 2)) / 2")
			continue
		}
		last := gelued(g, uses, x, plus)
		if last == nil {
			bad.add(n, "1 + erf(x / sqrt 2) is not multiplied by x / 2, as it is in GELU")
			continue
		}
		last.Op, last.Inputs, last.Weights, last.Attrs = OpGelu, []*Node{x}, nil, Attrs{}
	}
	if err := bad.err(); err != nil {
		return nil, err
	}
	return DropDead(g)
}

// gelued follows 1 + erf to the node that is x * (1 + erf) / 2, nil if there is
// none.
func gelued(g *Graph, uses map[*Node]int, x, at *Node) *Node {
	halved, multiplied := false, false
	for !halved || !multiplied {
		next := reader(g, uses, at)
		if next == nil {
			return nil
		}
		switch {
		case next.Op == OpScale && !halved && constantIs(next, 0.5):
			halved = true
		case next.Op == OpMul && !multiplied:
			other := next.Inputs[0]
			if other == at {
				other = next.Inputs[1]
			}
			multiplied = true
			if half, ok := scaledBy(other, 0.5); ok && half == x && !halved {
				halved = true
			} else if other != x {
				return nil
			}
		default:
			return nil
		}
		at = next
	}
	return at
}

// reader is the one reader of a node, nil if there are several or none.
func reader(g *Graph, uses map[*Node]int, of *Node) *Node {
	if uses[of] != 1 {
		return nil
	}
	for _, n := range g.Nodes {
		for _, in := range n.Inputs {
			if in == of {
				return n
			}
		}
	}
	return nil
}

// scaledBy returns x if n is x times a constant.
func scaledBy(n *Node, k float64) (x *Node, ok bool) {
	if n.Op != OpScale || !constantIs(n, k) {
		return nil, false
	}
	return n.Inputs[0], true
}

// constantIs compares the constant of a Scale or Shift, to float32's precision.
func constantIs(n *Node, k float64) bool {
	w := n.Weights[0].Data
	return len(w) == 1 && math.Abs(float64(w[0])-k) <= 1e-6*math.Abs(k)
}
