package graph

import (
	"fmt"
	"strings"
)

// Pass is a rewriting of a graph. It leaves its argument alone.
type Pass func(*Graph) (*Graph, error)

// Step is a pass with the name that messages and dumps give it.
type Step struct {
	Name string
	Run  Pass
}

// Steps lists the way from an imported graph to one that can be written, in
// order.
func Steps() []Step {
	return []Step{
		{"drop-dead", DropDead},
		{"fold-identity", FoldIdentity},
		{"fuse-gelu", FuseGelu},
		{"fuse-hard-swish", FuseHardSwish},
		{"fold-batch-norm", FoldBatchNorm},
		{"to-nhwc", ToNHWC},
		{"lower-hard-sigmoid", LowerHardSigmoid},
		{"fold-affine", FoldAffine},
		{"fuse-activations", FuseActivations},
		{"fuse-mean", FuseMean},
		{"lower-channel-mean", LowerChannelMean},
		{"fuse-pads", FusePads},
		{"lower-padding", LowerPadding},
		{"lower-groups", LowerGroups},
		{"lower-transpose", LowerTranspose},
		{"merge-reshapes", MergeReshapes},
		{"drop-dead-again", DropDead},
		{"infer-shapes", InferShapes},
		{"check-finite", CheckFinite},
	}
}

// Lower runs all passes. The error is an *[UnsupportedError] where the model
// cannot be brought over.
func Lower(g *Graph) (*Graph, error) { return LowerWatched(g, nil) }

// LowerWatched is Lower; watch, if not nil, sees the graph after each pass, and
// an error of its own ends the way.
func LowerWatched(g *Graph, watch func(step string, g *Graph) error) (*Graph, error) {
	for _, step := range Steps() {
		var err error
		if g, err = step.Run(g); err == nil && watch != nil {
			err = watch(step.Name, g)
		}
		if err != nil {
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
			if !finite(w.Data) {
				bad.add(n, "its weights, folded with normalization and scale, leave the range of float32")
			}
		}
	}
	if err := bad.err(); err != nil {
		return nil, err
	}
	return g, nil
}

// Describe writes a graph as text, a line for each node: its position, operator,
// inputs, output shape, attributes that are set, shapes of its weights, and name.
func Describe(g *Graph) string {
	var b strings.Builder
	index := make(map[*Node]int, len(g.Nodes))
	for i, n := range g.Nodes {
		index[n] = i
		fmt.Fprintf(&b, "%%%d = %s(", i, n.Op)
		for j, in := range n.Inputs {
			if j > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%%%d", index[in])
		}
		fmt.Fprintf(&b, ") %v", n.Shape)
		for _, w := range n.Weights {
			fmt.Fprintf(&b, " weights%v", w.Shape)
		}
		if attrs := n.Attrs.String(); attrs != "" {
			b.WriteString(" " + attrs)
		}
		fmt.Fprintf(&b, " %q\n", n.Name)
	}
	fmt.Fprintf(&b, "output %%%d\n", index[g.Output])
	return b.String()
}
