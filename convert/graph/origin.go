package graph

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
)

// NameOrigins gives every node of an imported graph its Origin. It reads all
// weights; without it passes leave Origin empty.
func NameOrigins(g *Graph) {
	known := map[*float32]string{}
	for _, n := range g.Nodes {
		if len(n.Weights) > 0 {
			n.Origin = origin(n.Weights, known)
		}
	}
}

// origin names weights by content; hashes of data that several nodes share are
// taken once.
func origin(weights []Tensor, known map[*float32]string) string {
	h := sha256.New()
	for _, w := range weights {
		sum, ok := known[&w.Data[0]]
		if !ok {
			sum = hashFloats(w.Data)
			known[&w.Data[0]] = sum
		}
		fmt.Fprintln(h, w.Shape, sum)
	}
	return string(h.Sum(nil))
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
