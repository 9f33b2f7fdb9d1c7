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
	transpose := func(shape, perm []int) {
		reshape(shape)
		add(OpTranspose, Attrs{Perm: perm}, permute(shape, perm))
	}
	// order is that of the axes so far; the first done are in place.
	order, done := identityPerm(len(perm)), 0
	for ; len(perm)-done >= maxTransposeRank && len(perm) > maxTransposeRank; done++ {
		j := slices.Index(order, perm[done])
		if j == done {
			continue
		}
		length := func(from, to int) int { return elements(permute(shape, order[from:to])) }
		transpose([]int{length(0, done), length(done, j), length(j, j+1), length(j+1, len(order))}, []int{0, 2, 1, 3})
		order = slices.Insert(slices.Delete(order, j, j+1), done, perm[done])
	}
	if !slices.Equal(order, perm) {
		rest := permute(shape, order[done:])
		move := make([]int, 0, maxTransposeRank)
		if done > 0 {
			rest = append([]int{elements(permute(shape, order[:done]))}, rest...)
			move = append(move, 0)
		}
		for _, p := range perm[done:] {
			move = append(move, slices.Index(order, p)-done+len(rest)-(len(perm)-done))
		}
		transpose(rest, move)
	}
	reshape(n.Shape)
	if len(made) == 0 {
		add(OpIdentity, Attrs{}, n.Shape)
	}
	return made
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
