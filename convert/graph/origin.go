package graph

import (
	"crypto/sha256"
	"fmt"
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
