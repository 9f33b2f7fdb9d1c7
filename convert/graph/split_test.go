package graph

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// residual is a convolution, a block with a skip, and a pool, in NHWC.
func residual(t *testing.T) *Graph {
	g := chain(NHWC, []int{1, 8, 8, 2}, layer(2), layer(3), layer(4), &Node{Op: OpAdd}, &Node{Op: OpMean})
	g.Nodes[4].Inputs = []*Node{g.Nodes[3], g.Nodes[1]}
	return apply(t, g, InferShapes)
}

// layer is a 1x1 convolution of two channels with a weight of its own.
func layer(weight float32) *Node {
	a := square(1, 1, 0)
	a.Padding = Valid
	return &Node{Op: OpConv, Weights: []Tensor{{[]int{2, 1, 1, 2}, []float32{weight, 0, 0, 1}}, values(0, 0)}, Attrs: a}
}

func TestSplitAndConcat(t *testing.T) {
	g := residual(t)
	pieces := Split(g)
	if len(pieces) != 3 {
		t.Fatalf("%d pieces, want 3", len(pieces))
	}
	wantGraph(t, pieces[0], "Input [1 8 8 2]", "Conv %0 [1 8 8 2]", "output %1")
	wantGraph(t, pieces[1], "Input [1 8 8 2]", "Conv %0 [1 8 8 2]", "Conv %1 [1 8 8 2]", "Add %2 %0 [1 8 8 2]", "output %3")
	wantGraph(t, pieces[2], "Input [1 8 8 2]", "Mean %0 [1 2]", "output %1")
	if diff := cmp.Diff(Key(g), Key(Concat(pieces))); diff != "" {
		t.Errorf("the pieces joined again differ from the whole:\n%s", diff)
	}
	var macs, bytes int64
	for _, p := range pieces {
		macs, bytes = macs+p.MACs(), bytes+p.WeightBytes()
	}
	if macs != 3*64*4 || bytes != 3*6*4 {
		t.Errorf("%d MACs and %d bytes, want %d and %d", macs, bytes, 3*64*4, 3*6*4)
	}
}

// TestSplitIgnoresOrder lists the two branches of a block in either order.
func TestSplitIgnoresOrder(t *testing.T) {
	g := chain(NHWC, []int{1, 8, 8, 2}, layer(2), layer(3), &Node{Op: OpAdd})
	g.Nodes[2].Inputs = []*Node{g.Nodes[0]}
	g.Nodes[3].Inputs = []*Node{g.Nodes[1], g.Nodes[2]}
	g = apply(t, g, InferShapes)
	want := Key(Split(g)[0])
	g.Nodes[1], g.Nodes[2] = g.Nodes[2], g.Nodes[1]
	if got := Split(g); len(got) != 1 || Key(got[0]) != want {
		t.Errorf("the order of branches changes the key")
	}
}

// TestKey changes one thing at a time.
func TestKey(t *testing.T) {
	g := residual(t)
	want := Key(g)
	same := residual(t)
	for _, n := range same.Nodes {
		n.Name += "x"
		n.Origin = "elsewhere"
	}
	if Key(same) != want || !SameWeights(g, same) {
		t.Errorf("names make a difference")
	}
	for name, change := range map[string]func(g *Graph){
		"weight":     func(g *Graph) { g.Nodes[2].Weights[0].Data[1] = 1e-30 },
		"bias":       func(g *Graph) { g.Nodes[2].Weights[1].Data[0] = 1e-30 },
		"activation": func(g *Graph) { g.Nodes[4].Attrs.Activation = Relu },
		"attribute":  func(g *Graph) { g.Nodes[1].Attrs.Padding = Same },
		"topology":   func(g *Graph) { g.Nodes[4].Inputs[1] = g.Nodes[0] },
		"operator":   func(g *Graph) { g.Nodes[5].Op = OpAveragePool },
		"shape":      func(g *Graph) { g.Nodes[0].Shape[1] = 9 },
		"output":     func(g *Graph) { g.Output = g.Nodes[4] },
	} {
		changed := residual(t)
		change(changed)
		if Key(changed) == want && SameWeights(g, changed) {
			t.Errorf("%s makes no difference", name)
		}
	}
}
