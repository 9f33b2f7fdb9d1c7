package graph

import "math"

// Pass is a rewriting of a graph.
type Pass func(*Graph) (*Graph, error)

// Passes lists the way from an imported graph to one that can be written, in
// order.
func Passes() []Pass {
	return []Pass{
		DropDead,
		InferShapes,
		FoldIdentity,
		FoldBatchNorm,
		FoldBias,
		FuseActivations,
		FuseMean,
		ToNHWC,
		LowerPadding,
		DropDead,
		InferShapes,
		CheckFinite,
	}
}

// Lower runs all passes. The error is an *[UnsupportedError] where the model
// cannot be brought over.
func Lower(g *Graph) (*Graph, error) {
	for _, pass := range Passes() {
		var err error
		if g, err = pass(g); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// CheckFinite refuses weights that folding drove out of float32's range.
func CheckFinite(g *Graph) (*Graph, error) {
	var bad report
	for _, n := range g.Nodes {
		for _, w := range n.Weights {
			for _, v := range w.Data {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					bad.add(n, "its weights, folded with normalization and scale, leave the range of float32")
					break
				}
			}
		}
	}
	if err := bad.err(); err != nil {
		return nil, err
	}
	return g, nil
}
