package graph

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
)

// Key identifies a lowered graph by what it computes: operators, attributes,
// topology, shapes and weights, but not names. Equal keys mean equal bytes when
// written.
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
			fmt.Fprintln(h, w.Shape, hashFloats(w.Data))
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

// hashFloats is the SHA-256 of the values' bytes.
func hashFloats(values []float32) string {
	h := sha256.New()
	var chunk [16 << 10]byte
	for len(values) > 0 {
		n := min(len(values), len(chunk)/4)
		for i, v := range values[:n] {
			binary.LittleEndian.PutUint32(chunk[4*i:], math.Float32bits(v))
		}
		h.Write(chunk[:4*n])
		values = values[n:]
	}
	return string(h.Sum(nil))
}
