package graph

import "slices"

// maxTransposeRank is the most axes that TensorFlow Lite 2.9's TRANSPOSE takes.
const maxTransposeRank = 5

// LowerTranspose writes every Transpose with as few axes as possible: axes of
// length one are left out and axes that stay neighbours become one. What still
// has more axes than TensorFlow Lite takes is done one axis at a time.
func LowerTranspose(g *Graph) (*Graph, error) {
	g = g.clone()
	var nodes []*Node
	for _, n := range g.Nodes {
		if n.Op != OpTranspose {
			nodes = append(nodes, n)
			continue
		}
		made := lowerTranspose(n)
		nodes = append(nodes, made...)
		g.replace(n, made[len(made)-1])
	}
	g.Nodes = nodes
	return g, nil
}

func lowerTranspose(n *Node) []*Node {
	shape, perm := mergeAxes(n.Inputs[0].Shape, n.Attrs.Perm)
	var made []*Node
	at := n.Inputs[0]
	add := func(op Op, attrs Attrs, shape []int) {
		at = &Node{Name: n.Name, Op: op, Inputs: []*Node{at}, Attrs: attrs, Shape: shape}
		made = append(made, at)
	}
	reshape := func(shape []int) {
		if !slices.Equal(at.Shape, shape) {
			add(OpReshape, Attrs{Dims: shape}, shape)
		}
	}
	for len(perm) > maxTransposeRank {
		// [before][axis][after] to [axis][before][after]: one axis is in place.
		axis := perm[0]
		before, after := elements(shape[:axis]), elements(shape[axis+1:])
		reshape([]int{before, shape[axis], after})
		add(OpTranspose, Attrs{Perm: []int{1, 0, 2}}, []int{shape[axis], before, after})
		return append(made, lowerRest(n, at, shape, perm)...)
	}
	if len(perm) > 1 {
		reshape(shape)
		add(OpTranspose, Attrs{Perm: perm}, permute(shape, perm))
	}
	reshape(n.Shape)
	if len(made) == 0 {
		add(OpIdentity, Attrs{}, n.Shape)
	}
	return made
}

// lowerRest goes on after the first axis of perm was brought to the front.
func lowerRest(n, at *Node, shape, perm []int) []*Node {
	order := append([]int{perm[0]}, slices.DeleteFunc(identityPerm(len(shape)), func(a int) bool { return a == perm[0] })...)
	moved := permute(shape, order)
	rest := make([]int, len(perm))
	for i, p := range perm {
		rest[i] = slices.Index(order, p)
	}
	wide := &Node{Name: n.Name, Op: OpReshape, Inputs: []*Node{at}, Attrs: Attrs{Dims: moved}, Shape: moved}
	last := &Node{Name: n.Name, Op: OpTranspose, Inputs: []*Node{wide}, Attrs: Attrs{Perm: rest}, Shape: n.Shape}
	return append([]*Node{wide}, lowerTranspose(last)...)
}

// mergeAxes leaves out axes of length one and joins neighbours that stay
// neighbours.
func mergeAxes(shape, perm []int) (merged, order []int) {
	var kept []int // the axes of the input, in the output's order
	for _, p := range perm {
		if shape[p] > 1 {
			kept = append(kept, p)
		}
	}
	long := slices.Sorted(slices.Values(kept))
	var starts []int // first axis of each run, in the output's order
	length := map[int]int{}
	for i, p := range kept {
		if i > 0 && slices.Index(long, p) == slices.Index(long, kept[i-1])+1 {
			length[starts[len(starts)-1]] *= shape[p]
			continue
		}
		starts = append(starts, p)
		length[p] = shape[p]
	}
	sorted := slices.Sorted(slices.Values(starts))
	for _, s := range sorted {
		merged = append(merged, length[s])
	}
	for _, s := range starts {
		order = append(order, slices.Index(sorted, s))
	}
	return merged, order
}
