package graph

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInferShapes(t *testing.T) {
	g := chain(NCHW, []int{1, 3, 9, 8},
		conv(3, 4, 3, 2, 1),
		&Node{Op: OpDepthwise, Weights: []Tensor{tensor(8, 1, 3, 3), tensor(8)}, Attrs: func() Attrs { a := square(3, 1, 0); a.Group = 4; return a }()},
		&Node{Op: OpPad, Attrs: Attrs{Pads: [4]int{1, 0, 0, 2}}},
		&Node{Op: OpMaxPool, Attrs: square(2, 2, 0)},
		&Node{Op: OpReshape, Attrs: Attrs{Dims: []int{0, -1}}},
		&Node{Op: OpFullyConnected, Weights: []Tensor{tensor(5, 32), tensor(5)}},
		&Node{Op: OpShift, Weights: []Tensor{tensor(5)}},
		&Node{Op: OpSoftmax})
	wantGraph(t, apply(t, g, InferShapes),
		"Input [1 3 9 8]", "Conv %0 [1 4 5 4]", "Depthwise %1 [1 8 3 2]", "Pad %2 [1 8 4 4]", "MaxPool %3 [1 8 2 2]",
		"Reshape %4 [1 32]", "FullyConnected %5 [1 5]", "Shift %6 [1 5]", "Softmax %7 [1 5]", "output %8")
}

func TestInferShapesRefuses(t *testing.T) {
	group := func(n int) Attrs { a := square(1, 1, 0); a.Group = n; return a }
	for _, c := range []struct {
		name string
		node *Node
		want string
	}{
		{"channels", conv(4, 4, 3, 1, 1), "n0 (Conv): input has 3 channels, weights want 4"},
		{"window", conv(3, 4, 9, 1, 0), "n0 (Conv): window of 9 does not fit an input of 8"},
		{"stride", conv(3, 4, 3, 0, 0), "n0 (Conv): kernel [3 3], strides [0 0], dilations [1 1] are not usable"},
		{"pads", conv(3, 4, 3, 1, -1), "n0 (Conv): pads [-1 -1 -1 -1] are not usable"},
		{"size", conv(3, 4, 1, 1, 1<<27), "n0 (Conv): output shape [1 4 268435464 268435464] is empty or too large"},
		{"group", &Node{Op: OpDepthwise, Weights: []Tensor{tensor(6, 1, 1, 1), tensor(6)}, Attrs: group(2)},
			"n0 (Depthwise): input has 3 channels, weights want 2"},
		{"multiple", &Node{Op: OpDepthwise, Weights: []Tensor{tensor(4, 1, 1, 1), tensor(4)}, Attrs: group(3)},
			"n0 (Depthwise): 4 outputs are no multiple of 3 channels"},
		{"matrix", &Node{Op: OpFullyConnected, Weights: []Tensor{tensor(5, 16), tensor(5)}},
			"n0 (FullyConnected): input has shape [1 3 8 8], weights want [… 16]"},
		{"constant", &Node{Op: OpShift, Weights: []Tensor{tensor(3)}},
			"n0 (Shift): constant of shape [3] does not fit [1 3 8 8]"},
		{"normalization", &Node{Op: OpBatchNorm, Weights: []Tensor{tensor(3), tensor(3), tensor(3), tensor(2)}},
			"n0 (BatchNorm): constant of shape [2] does not run along the 3 channels of [1 3 8 8]"},
		{"reshape", &Node{Op: OpReshape, Attrs: Attrs{Dims: []int{1, 100}}}, "n0 (Reshape): target shape [1 100] does not hold the 192 values of a batch of one"},
		{"reshape twice open", &Node{Op: OpReshape, Attrs: Attrs{Dims: []int{-1, -1}}}, "n0 (Reshape): target shape [-1 -1] is not usable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := InferShapes(chain(NCHW, []int{1, 3, 8, 8}, c.node))
			wantUnsupported(t, g, err, c.want)
		})
	}
	in := &Node{Op: OpInput, Shape: []int{1, 3, 8, 8}}
	half := &Node{Op: OpMaxPool, Inputs: []*Node{in}, Attrs: square(2, 2, 0), Name: "half"}
	sum := &Node{Op: OpAdd, Inputs: []*Node{in, half}, Name: "sum"}
	g, err := InferShapes(&Graph{Nodes: []*Node{in, half, sum}, Output: sum})
	wantUnsupported(t, g, err, "sum (Add): shapes [1 3 8 8] and [1 3 4 4] do not fit each other")
}

func TestFoldIdentity(t *testing.T) {
	g := chain(NCHW, []int{1, 2, 4, 4}, &Node{Op: OpIdentity}, &Node{Op: OpPad}, &Node{Op: OpRelu6}, &Node{Op: OpRelu}, &Node{Op: OpRelu6},
		&Node{Op: OpReshape, Attrs: Attrs{Dims: []int{1, -1}}}, &Node{Op: OpReshape, Attrs: Attrs{Dims: []int{1, 32}}}, &Node{Op: OpIdentity})
	wantGraph(t, apply(t, g, InferShapes, FoldIdentity),
		"Input [1 2 4 4]", "Relu6 %0 [1 2 4 4]", "Reshape %1 [1 32]", "output %2")
}

func TestDropDead(t *testing.T) {
	g := chain(NCHW, []int{1, 2, 4, 4}, &Node{Op: OpRelu}, &Node{Op: OpRelu6})
	g.Nodes[2].Inputs = []*Node{g.Nodes[0]}
	wantGraph(t, apply(t, g, DropDead, InferShapes), "Input [1 2 4 4]", "Relu6 %0 [1 2 4 4]", "output %1")
}

// normalization has factor scale/sqrt(var+1) = 3/2 and 8/4.
func normalization() *Node {
	return &Node{Op: OpBatchNorm, Attrs: Attrs{Epsilon: 1},
		Weights: []Tensor{values(3, 8), values(10, 20), values(2, 4), values(3, 15)}}
}

func TestFoldBatchNorm(t *testing.T) {
	layer := &Node{Op: OpConv, Weights: []Tensor{{[]int{2, 1, 1, 2}, []float32{1, 2, 3, 4}}, values(5, 6)},
		Attrs: Attrs{Kernel: [2]int{1, 2}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}}
	g := apply(t, chain(NCHW, []int{1, 1, 4, 4}, layer, normalization()), InferShapes, FoldBatchNorm)
	wantGraph(t, g, "Input [1 1 4 4]", "Conv %0 [1 2 4 3]", "output %1")
	want := []Tensor{{[]int{2, 1, 1, 2}, []float32{1.5, 3, 6, 8}}, values((5-2)*1.5+10, (6-4)*2+20)}
	if diff := cmp.Diff(want, g.Output.Weights); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFoldBatchNormElsewhere(t *testing.T) {
	g := apply(t, chain(NCHW, []int{1, 2, 4, 4}, normalization()), InferShapes, FoldBatchNorm, InferShapes)
	wantGraph(t, g, "Input [1 2 4 4]", "Scale %0 [1 2 4 4]", "Shift %1 [1 2 4 4]", "output %2")
	if diff := cmp.Diff([]Tensor{{[]int{2, 1, 1}, []float32{1.5, 2}}}, g.Nodes[1].Weights); diff != "" {
		t.Errorf("factor: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]Tensor{{[]int{2, 1, 1}, []float32{10 - 2*1.5, 20 - 4*2}}}, g.Nodes[2].Weights); diff != "" {
		t.Errorf("summand: -want +got:\n%s", diff)
	}
	// A layer that something else reads keeps its weights.
	c := chain(NCHW, []int{1, 2, 4, 4}, conv(2, 2, 1, 1, 0), normalization(), &Node{Op: OpAdd})
	c.Nodes[3].Inputs = []*Node{c.Nodes[1], c.Nodes[2]}
	wantGraph(t, apply(t, c, InferShapes, FoldBatchNorm), "Input [1 2 4 4]", "Conv %0 [1 2 4 4]",
		"Scale %1 [1 2 4 4]", "Shift %2 [1 2 4 4]", "Add %1 %3 [1 2 4 4]", "output %4")
}

func TestFoldBatchNormRefuses(t *testing.T) {
	bad := normalization()
	bad.Weights[3] = values(-1, 0)
	g, err := FoldBatchNorm(apply(t, chain(NCHW, []int{1, 2, 4, 4}, bad), InferShapes))
	wantUnsupported(t, g, err, "n0 (BatchNorm): variance + epsilon must be positive and all values finite")
}

func TestFoldAffine(t *testing.T) {
	layer := &Node{Op: OpFullyConnected, Weights: []Tensor{tensor(2, 3), values(1, 2)}}
	g := chain(NCHW, []int{1, 3}, layer,
		&Node{Op: OpShift, Weights: []Tensor{values(10, 20)}},
		&Node{Op: OpShift, Weights: []Tensor{values(100)}})
	g = apply(t, g, InferShapes, FoldAffine)
	wantGraph(t, g, "Input [1 3]", "FullyConnected %0 [1 2]", "output %1")
	if diff := cmp.Diff(values(111, 122), g.Output.Weights[1]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFuseActivations(t *testing.T) {
	g := chain(NCHW, []int{1, 2, 4, 4}, conv(2, 2, 1, 1, 0), &Node{Op: OpRelu}, conv(2, 2, 1, 1, 0), &Node{Op: OpRelu6},
		&Node{Op: OpAdd}, &Node{Op: OpRelu}, &Node{Op: OpRelu6})
	g.Nodes[5].Inputs = []*Node{g.Nodes[3], g.Nodes[4]} // the second convolution is read twice
	wantGraph(t, apply(t, g, InferShapes, FuseActivations),
		"Input [1 2 4 4]", "Conv %0 [1 2 4 4] activation 1", "Conv %1 [1 2 4 4]", "Relu6 %2 [1 2 4 4]",
		"Add %2 %3 [1 2 4 4] activation 1", "Relu6 %4 [1 2 4 4]", "output %5")
}

func TestFuseMean(t *testing.T) {
	flatten := func() *Node { return &Node{Op: OpReshape, Attrs: Attrs{Dims: []int{1, -1}}} }
	g := chain(NCHW, []int{1, 3, 4, 4}, &Node{Op: OpMean, Attrs: Attrs{KeepDims: true}}, flatten())
	wantGraph(t, apply(t, g, InferShapes, FuseMean, InferShapes), "Input [1 3 4 4]", "Mean %0 [1 3]", "output %1")
	g = chain(NCHW, []int{1, 3, 4, 4}, &Node{Op: OpMean, Attrs: Attrs{KeepDims: true}}, conv(3, 2, 1, 1, 0), flatten())
	wantGraph(t, apply(t, g, InferShapes, FuseMean), "Input [1 3 4 4]", "Mean %0 [1 3 1 1]", "Conv %1 [1 2 1 1]", "Reshape %2 [1 2]", "output %3")
}

func TestToNHWC(t *testing.T) {
	g := chain(NCHW, []int{1, 2, 3, 4}, conv(2, 2, 2, 1, 0),
		&Node{Op: OpDepthwise, Weights: []Tensor{tensor(2, 1, 1, 2), tensor(2)},
			Attrs: Attrs{Group: 2, Kernel: [2]int{1, 2}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}},
		&Node{Op: OpReshape, Attrs: Attrs{Dims: []int{1, -1}}}, &Node{Op: OpRelu},
		&Node{Op: OpFullyConnected, Weights: []Tensor{tensor(1, 8), tensor(1)}})
	g = apply(t, g, InferShapes, ToNHWC, InferShapes)
	wantGraph(t, g, "Input [1 3 4 2]", "Conv %0 [1 2 3 2]", "Depthwise %1 [1 2 2 2]", "Reshape %2 [1 8]", "Relu %3 [1 8]",
		"FullyConnected %4 [1 1]", "output %5")
	for i, want := range map[int]Tensor{
		// OIHW counts 1..4 per input channel; OHWI interleaves the channels.
		1: {[]int{2, 2, 2, 2}, []float32{1, 5, 2, 6, 3, 7, 4, 8, 9, 13, 10, 14, 11, 15, 12, 16}},
		2: {[]int{1, 1, 2, 2}, []float32{1, 3, 2, 4}},
		5: {[]int{1, 8}, []float32{1, 5, 2, 6, 3, 7, 4, 8}},
	} {
		if diff := cmp.Diff(want, g.Nodes[i].Weights[0]); diff != "" {
			t.Errorf("%s: -want +got:\n%s", g.Nodes[i].Op, diff)
		}
	}
}

// TestToNHWCFlattened has a flattened image read by what is not a fully
// connected layer: its order is restored first.
func TestToNHWCFlattened(t *testing.T) {
	g := chain(NCHW, []int{1, 2, 2, 2}, &Node{Op: OpReshape, Attrs: Attrs{Dims: []int{1, 8}}}, &Node{Op: OpSoftmax})
	wantGraph(t, apply(t, g, InferShapes, ToNHWC), "Input [1 2 2 2]", "Reshape %0 [1 8]", "Reshape %1 [1 2 2 2]",
		"Transpose %2 [1 2 2 2]", "Reshape %3 [1 8]", "Softmax %4 [1 8]", "output %5")
}

func TestLowerPadding(t *testing.T) {
	const same, valid = Same, Valid
	for _, c := range []struct {
		name           string
		size           int
		kernel, stride int
		pads           [4]int
		want           Padding
		wantPad        [4]int
	}{
		{"none", 8, 3, 1, [4]int{}, valid, [4]int{}},
		{"stride 1", 8, 3, 1, [4]int{1, 1, 1, 1}, same, [4]int{}},
		{"stride 2 on even size", 8, 3, 2, [4]int{1, 1, 1, 1}, valid, [4]int{1, 1, 0, 0}},
		{"stride 2 on odd size", 9, 3, 2, [4]int{1, 1, 1, 1}, same, [4]int{}},
		{"stride 2, pads at the end", 8, 3, 2, [4]int{0, 0, 1, 1}, same, [4]int{}},
		{"7x7 stride 2", 8, 7, 2, [4]int{3, 3, 3, 3}, valid, [4]int{3, 3, 2, 2}},
		{"1x1 stride 2", 8, 1, 2, [4]int{}, valid, [4]int{}},
		{"pads never read", 8, 2, 2, [4]int{0, 0, 1, 1}, valid, [4]int{}},
		{"wide pads", 8, 3, 1, [4]int{2, 2, 2, 2}, valid, [4]int{2, 2, 2, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			layer := &Node{Op: OpConv, Weights: []Tensor{tensor(4, c.kernel, c.kernel, 3), tensor(4)}, Attrs: square(c.kernel, c.stride, 0)}
			layer.Attrs.Pads = c.pads
			before := apply(t, chain(NHWC, []int{1, c.size, c.size, 3}, layer), InferShapes)
			g := apply(t, before, LowerPadding, InferShapes)
			if diff := cmp.Diff(before.Output.Shape, g.Output.Shape); diff != "" {
				t.Errorf("shape: -want +got:\n%s", diff)
			}
			if got := g.Output.Attrs.Padding; got != c.want {
				t.Errorf("padding is %d, want %d", got, c.want)
			}
			var pad [4]int
			if in := g.Output.Inputs[0]; in.Op == OpPad {
				pad = in.Attrs.Pads
			}
			if pad != c.wantPad {
				t.Errorf("Pad has %v, want %v", pad, c.wantPad)
			}
		})
	}
}

func TestLowerPaddingOfPools(t *testing.T) {
	pool := func(op Op, counts bool) *Node {
		a := square(3, 2, 1)
		a.CountPads = counts
		return &Node{Op: op, Attrs: a}
	}
	lower := func(nodes ...*Node) (*Graph, error) {
		return LowerPadding(apply(t, chain(NHWC, []int{1, 8, 8, 3}, nodes...), InferShapes))
	}
	for _, c := range []struct {
		nodes []*Node
		want  []string
		value float32
	}{
		{[]*Node{pool(OpAveragePool, true)}, []string{"Pad %0 [1 9 9 3]", "AveragePool %1 [1 4 4 3]", "output %2"}, 0},
		{[]*Node{pool(OpAveragePool, false)}, []string{"Pad %0 [1 9 9 3]", "AveragePool %1 [1 4 4 3]", "Scale %2 [1 4 4 3]", "output %3"}, 0},
		{[]*Node{pool(OpMaxPool, false)}, []string{"Pad %0 [1 9 9 3]", "MaxPool %1 [1 4 4 3]", "output %2"}, -math.MaxFloat32},
		{[]*Node{{Op: OpRelu}, pool(OpMaxPool, false)}, []string{"Relu %0 [1 8 8 3]", "Pad %1 [1 9 9 3]", "MaxPool %2 [1 4 4 3]", "output %3"}, 0},
	} {
		g, err := lower(c.nodes...)
		if err != nil {
			t.Fatal(err)
		}
		wantGraph(t, g, append([]string{"Input [1 8 8 3]"}, c.want...)...)
		for _, n := range g.Nodes {
			if n.Op == OpPad && n.Attrs.PadValue != c.value {
				t.Errorf("%v: pads with %g, want %g", c.want, n.Attrs.PadValue, c.value)
			}
		}
		if g.Output.Op == OpScale { // 3x3 windows, of which the first row and column lie outside
			if diff := cmp.Diff([]float32{9.0 / 4, 9.0 / 6, 9.0 / 6, 9.0 / 6, 9.0 / 6, 1, 1, 1}, g.Output.Weights[0].Data[:8]); diff != "" {
				t.Errorf("factors: -want +got:\n%s", diff)
			}
		}
	}
}

func TestCheckFinite(t *testing.T) {
	layer := conv(3, 4, 1, 1, 0)
	layer.Weights[1].Data[2] = float32(math.Inf(1))
	g, err := CheckFinite(chain(NCHW, []int{1, 3, 8, 8}, layer))
	wantUnsupported(t, g, err, "n0 (Conv): its weights, folded with normalization and scale, leave the range of float32")
}
