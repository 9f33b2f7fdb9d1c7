package graph

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
)

// Key identifies what a lowered graph computes, but for the values of its
// weights: operators, attributes, topology, shapes and storage, but not names.
// [SameWeights] compares the weights, too.
func Key(g *Graph) string {
	h := sha256.New()
	index := make(map[*Node]int, len(g.Nodes))
	for i, n := range g.Nodes {
		index[n] = i
		inputs := make([]int, len(n.Inputs))
		for j, in := range n.Inputs {
			inputs[j] = index[in]
		}
		a := n.Attrs
		a.Dims, a.Group, a.Epsilon = nil, 0, 0 // told by shapes and weights
		fmt.Fprintln(h, n.Op, inputs, n.Shape, a, len(n.Weights))
		for _, w := range n.Weights {
			fmt.Fprintln(h, w.Shape)
		}
		if s := n.Storage; s != nil {
			fmt.Fprintln(h, "stored", s.Output != nil, s.Weights)
			if s.Output != nil {
				fmt.Fprintln(h, *s.Output)
			}
		}
	}
	fmt.Fprintln(h, "output", index[g.Output])
	return hex.EncodeToString(h.Sum(nil))
}

// SameWeights says whether two graphs of one key have the same weights, bit by
// bit: they are the same bytes when written.
func SameWeights(a, b *Graph) bool {
	return slices.EqualFunc(a.Nodes, b.Nodes, func(m, n *Node) bool {
		return slices.EqualFunc(m.Weights, n.Weights, func(v, w Tensor) bool {
			return slices.EqualFunc(v.Data, w.Data, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
		})
	})
}
