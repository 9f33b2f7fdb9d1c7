package graph

import "slices"

// FoldIdentity removes nodes that hand on their input unchanged: Identity
// (and what is imported as one, such as Dropout), a Reshape to the shape that
// is already there, a Transpose or Slice that changes nothing, a zero Pad, and a Relu of something that is already
// clipped at least as tightly.
func FoldIdentity(g *Graph) (*Graph, error) {
	g = g.clone()
	for _, n := range g.Nodes {
		if len(n.Inputs) > 0 && isIdentity(n) {
			g.replace(n, n.Inputs[0])
		}
	}
	return DropDead(g)
}

func isIdentity(n *Node) bool {
	in := n.Inputs[0]
	switch n.Op {
	case OpIdentity:
		return true
	case OpReshape:
		return slices.Equal(n.Shape, in.Shape)
	case OpTranspose, OpSlice:
		return slices.Equal(n.Shape, in.Shape) && (n.Op == OpSlice || slices.IsSorted(n.Attrs.Perm))
	case OpPad:
		return n.Attrs.Pads == [4]int{}
	case OpRelu:
		return in.Op == OpRelu || in.Op == OpRelu6
	case OpRelu6:
		return in.Op == OpRelu6
	}
	return false
}
