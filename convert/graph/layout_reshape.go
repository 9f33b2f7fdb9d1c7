package graph

import (
	"fmt"
	"slices"
)

func transposeKey(n *Node, move []int) string { return fmt.Sprintf("%p %v", n, move) }

// regroup is a run of axes that a Reshape turns into another run of the same
// number of elements, without looking at the axes before and after.
type regroup struct {
	from, to []int // positions of axes
}

// regroups takes a Reshape apart into the smallest independent runs. Axes of
// length one belong to no run or to a neighbour's.
func regroups(from, to []int) []regroup {
	var runs []regroup
	i, j := 0, 0
	for i < len(from) || j < len(to) {
		var r regroup
		a, b := 1, 1
		take := func(next *int, shape []int, list *[]int, product *int) {
			*product *= shape[*next]
			*list = append(*list, *next)
			*next++
		}
		switch {
		case i >= len(from):
			take(&j, to, &r.to, &b)
		case j >= len(to):
			take(&i, from, &r.from, &a)
		default:
			take(&i, from, &r.from, &a)
			take(&j, to, &r.to, &b)
		}
		for a != b {
			if a < b {
				take(&i, from, &r.from, &a)
			} else {
				take(&j, to, &r.to, &b)
			}
		}
		runs = append(runs, r)
	}
	return runs
}

// reshape does a Reshape in the order that the input has, as far as that can be.
func (l *layout) reshape(n *Node) view {
	in := n.Inputs[0]
	if v := l.views[in]; v.flat != nil && len(n.Shape) == 2 && n.Shape[0] == 1 { // flattened again
		return v
	}
	v := l.plain(in)
	if f, ok := l.flattened(n, v); ok {
		return f
	}
	runs := regroups(in.Shape, n.Shape)
	// Each run's axes must be neighbours in their original order; where they are
	// not, they are brought to where the last of them stands.
	slices.SortStableFunc(runs, func(a, b regroup) int { return l.position(v, in, a) - l.position(v, in, b) })
	var order, perm []int
	for _, r := range runs {
		order = append(order, r.from...)
		perm = append(perm, r.to...)
	}
	move := make([]int, len(order))
	for i, o := range order {
		move[i] = slices.Index(v.perm, o)
	}
	x := v.node
	if !movesOnlyUnits(x.Shape, move) {
		x = l.order(v, order)
	}
	shape := permute(n.Shape, perm)
	if slices.Equal(x.Shape, shape) {
		return view{x, perm, nil}
	}
	return view{l.add(&Node{Op: OpReshape, Inputs: []*Node{x}, Attrs: Attrs{Dims: shape}}), perm, nil}
}

// position is where the last axis of a run that is longer than one stands; runs
// of nothing but single elements come first.
func (l *layout) position(v view, in *Node, r regroup) int {
	last := -1
	for _, axis := range r.from {
		if in.Shape[axis] > 1 {
			last = max(last, slices.Index(v.perm, axis))
		}
	}
	return last
}

// flattened recognizes [1, C, H, W] to [1, C*H*W] of an image whose channels
// stand last.
func (l *layout) flattened(n *Node, v view) (view, bool) {
	s := n.Inputs[0].Shape
	if len(s) != 4 || len(n.Shape) != 2 || n.Shape[0] != 1 || !slices.Equal(v.perm, imageOrder) || s[1] == 1 || s[2]*s[3] == 1 {
		return view{}, false
	}
	flat := l.add(&Node{Op: OpReshape, Inputs: []*Node{v.node}, Attrs: Attrs{Dims: n.Shape}})
	return view{flat, []int{0, 1}, &[3]int{s[2], s[3], s[1]}}, true
}
