package quant

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/convert/graph"
)

// images are random tensors; labels count up unless unlabelled.
type images struct {
	count, values int
	unlabelled    bool
	change        func(i int, input []float32) ([]float32, error)
}

func (d images) Len() int { return d.count }

func (d images) At(i int) ([]float32, int, error) {
	rng := rand.New(rand.NewPCG(uint64(i), 9))
	input := make([]float32, d.values)
	for k := range input {
		input[k] = 2*rng.Float32() - 1
	}
	label := i % 3
	if d.unlabelled {
		label = -1
	}
	var err error
	if d.change != nil {
		input, err = d.change(i, input)
	}
	return input, label, err
}

const side, channels = 6, 4

// piece makes a graph of the nodes, which follow one another.
func piece(shape []int, nodes ...*graph.Node) *graph.Graph {
	g := &graph.Graph{Layout: graph.NHWC, Nodes: []*graph.Node{{Name: "in", Op: graph.OpInput, Shape: shape}}}
	for _, n := range nodes {
		n.Inputs = append(n.Inputs, g.Nodes[len(g.Nodes)-1])
		g.Nodes = append(g.Nodes, n)
	}
	g.Output = g.Nodes[len(g.Nodes)-1]
	return g
}

func weights(seed uint64, scale float32, shape ...int) graph.Tensor {
	rng := rand.New(rand.NewPCG(seed, 4))
	t := graph.Tensor{Shape: shape, Data: make([]float32, elements(shape))}
	for i := range t.Data {
		t.Data[i] = scale * (2*rng.Float32() - 1)
	}
	return t
}

// conv is a 3x3 convolution that keeps the shape.
func conv(name string, seed uint64, gain float32) *graph.Node {
	return &graph.Node{Name: name, Op: graph.OpConv, Shape: []int{1, side, side, channels},
		Weights: []graph.Tensor{weights(seed, gain, channels, 3, 3, channels), weights(seed+1, 0.1, channels)},
		Attrs:   graph.Attrs{Kernel: [2]int{3, 3}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Padding: graph.Same}}
}

func head(seed uint64) []*graph.Node {
	return []*graph.Node{
		{Name: "mean", Op: graph.OpMean, Shape: []int{1, channels}},
		{Name: "fc", Op: graph.OpFullyConnected, Shape: []int{1, 3}, Weights: []graph.Tensor{weights(seed, 1, 3, channels), weights(seed+1, 0.1, 3)}},
	}
}

var image = []int{1, side, side, channels}

// depths is a family of two variants: stem and head, and between them a block in
// the deep one, whose output is gain times as large.
func depths(gain float32) Net {
	return Net{
		Pieces: []*graph.Graph{piece(image, conv("stem", 1, 0.3)), piece(image, conv("block", 3, gain)), piece(image, head(5)...)},
		Words:  [][]int{{0, 2}, {0, 1, 2}},
		Names:  []string{"shallow", "deep"},
	}
}

func options() Options {
	data := images{count: 12, values: side * side * channels}
	return Options{Calibration: data, InputLow: -1, InputHigh: 1, MaxDrop: 100, Methods: []Method{MinMax}}
}

func quantize(t *testing.T, net Net, opts Options) (Net, *Report) {
	t.Helper()
	q, r, err := Quantize(net, opts)
	if err != nil {
		t.Fatal(err)
	}
	return q, r
}

// TestScalesMeet follows every path: what a piece gives is what the next takes,
// and neither variant has a piece of its own where both had one.
func TestScalesMeet(t *testing.T) {
	q, r := quantize(t, depths(0.3), options())
	if diff := cmp.Diff([][]int{{0, 2}, {0, 1, 2}}, q.Words); diff != "" {
		t.Errorf("words changed:\n%s", diff)
	}
	checkPaths(t, q)
	if len(r.Kept)+len(r.Without)+r.Requantized > 0 {
		t.Errorf("report is %+v", r)
	}
	for _, s := range r.Final {
		if s.LogitError > 0.01 {
			t.Errorf("%s: logit error %g", s.Variant, s.LogitError)
		}
	}
}

func checkPaths(t *testing.T, net Net) {
	t.Helper()
	for _, w := range net.Words {
		for i := 1; i < len(w); i++ {
			out, in := net.Pieces[w[i-1]].Output, net.Pieces[w[i]].Input()
			if out.Quantized() != in.Quantized() || out.Quantized() && *out.Storage.Output != *in.Storage.Output {
				t.Errorf("piece %d gives %+v, piece %d takes %+v", w[i-1], out.Storage, w[i], in.Storage)
			}
		}
	}
}

// TestBridge has a deep block whose values are far larger, and three more
// variants that go on from the stem with small ones.
func TestBridge(t *testing.T) {
	net := depths(4)
	net.Pieces = append(net.Pieces, piece(image, conv("other", 7, 0.3)))
	for _, name := range []string{"x", "y", "z"} {
		net.Words = append(net.Words, []int{0, 3, 2})
		net.Names = append(net.Names, name)
	}
	q, r := quantize(t, net, options())
	checkPaths(t, q)
	// The stem leads to the head on one path of five, and the head's class is wide.
	if want := []int{0, 4, 2}; !slices.Equal(q.Words[0], want) || r.Requantized != 1 {
		t.Fatalf("words %v, requantized %d", q.Words, r.Requantized)
	}
	narrow, wide := q.Pieces[0].Output.Storage.Output.Scale, q.Pieces[2].Input().Storage.Output.Scale
	if narrow*bridgeRatio > wide {
		t.Errorf("scales of stem %g and head %g", narrow, wide)
	}
}

// TestFloatBetween has an operator without an int8 form in the middle.
func TestFloatBetween(t *testing.T) {
	net := depths(0.3)
	net.Pieces[1] = piece(image, conv("block", 3, 0.3), &graph.Node{Name: "tanh", Op: graph.OpTanh, Shape: image}, conv("after", 5, 0.3))
	q, r := quantize(t, net, options())
	checkPaths(t, q)
	var ops []graph.Op
	for _, n := range q.Pieces[1].Nodes {
		ops = append(ops, n.Op)
	}
	if diff := cmp.Diff([]graph.Op{graph.OpInput, graph.OpConv, graph.OpDequantize, graph.OpTanh, graph.OpQuantize, graph.OpConv}, ops); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"tanh (Tanh)"}, r.Without); diff != "" {
		t.Errorf("without int8 form: -want +got:\n%s", diff)
	}
}

// TestFloatAtTheCut ends pieces in float32, which the next one quantizes.
func TestFloatAtTheCut(t *testing.T) {
	tanh := func() *graph.Node { return &graph.Node{Name: "tanh", Op: graph.OpTanh, Shape: image} }
	net := depths(0.3)
	net.Pieces[0] = piece(image, conv("stem", 1, 0.3), tanh())
	net.Pieces[1] = piece(image, conv("block", 3, 0.3), tanh())
	q, _ := quantize(t, net, options())
	checkPaths(t, q)
	if q.Pieces[0].Output.Quantized() || q.Pieces[2].Input().Quantized() || !q.Pieces[2].Output.Quantized() {
		t.Errorf("the cut should be float32, the logits int8: %v %v", q.Pieces[0].Output, q.Pieces[2].Output)
	}
}

// TestHardSwishAndGate has what MobileNet v3 and EfficientNet are made of.
func TestHardSwishAndGate(t *testing.T) {
	in := &graph.Node{Name: "in", Op: graph.OpInput, Shape: image}
	node := func(name string, op graph.Op, shape []int, inputs ...*graph.Node) *graph.Node {
		return &graph.Node{Name: name, Op: op, Shape: shape, Inputs: inputs}
	}
	swish := node("swish", graph.OpHardSwish, image, in)
	mean := node("squeeze", graph.OpMean, []int{1, 1, 1, channels}, swish)
	mean.Attrs.KeepDims = true
	gate := node("gate", graph.OpSigmoid, mean.Shape, mean)
	product := node("product", graph.OpMul, image, swish, gate)
	net := depths(0.3)
	net.Pieces[1] = &graph.Graph{Layout: graph.NHWC, Nodes: []*graph.Node{in, swish, mean, gate, product}, Output: product}
	q, r := quantize(t, net, options())
	checkPaths(t, q)
	if len(r.Without) > 0 {
		t.Errorf("without int8 form: %v", r.Without)
	}
	for _, n := range q.Pieces[1].Nodes {
		if n.Op == graph.OpHardSwish || !n.Quantized() {
			t.Errorf("%s (%s) is there, int8: %v", n.Name, n.Op, n.Quantized())
		}
	}
	if e := r.Final[1].LogitError; e > 0.01 {
		t.Errorf("logit error %g", e)
	}
}

// TestAffine has a normalization of its own, with channels of very different size.
func TestAffine(t *testing.T) {
	constant := func(op graph.Op, values ...float32) *graph.Node {
		return &graph.Node{Name: string(op), Op: op, Shape: image, Weights: []graph.Tensor{{Shape: []int{channels}, Data: values}}}
	}
	shift := constant(graph.OpShift, 0.5, -0.001, 0.002, 3)
	shift.Attrs.Activation = graph.Relu
	net := depths(0.3)
	net.Pieces[1] = piece(image, constant(graph.OpScale, 5, 0.001, 0.02, 1), shift, constant(graph.OpScale, 0.2, 800, 40, 1))
	q, r := quantize(t, net, options())
	var ops []graph.Op
	for _, n := range q.Pieces[1].Nodes {
		ops = append(ops, n.Op)
	}
	if diff := cmp.Diff([]graph.Op{graph.OpInput, graph.OpDepthwise, graph.OpDepthwise}, ops); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if w := q.Pieces[1].Nodes[1].Weights; w[0].Data[0] != 5 || w[1].Data[0] != 0.5 || q.Pieces[1].Nodes[1].Attrs.Activation != graph.Relu {
		t.Errorf("the first normalization became %+v", w)
	}
	if len(r.Without) > 0 {
		t.Errorf("without int8 form: %v", r.Without)
	}
	if got := net.Pieces[1].Nodes[1].Op; got != graph.OpScale {
		t.Errorf("the family itself was changed: %s", got)
	}
}

// TestMaxDrop allows no difference at all, so that nodes stay float32 until
// there is none.
func TestMaxDrop(t *testing.T) {
	opts := options()
	opts.Calibration = images{count: 60, values: side * side * channels, unlabelled: true}
	net := depths(0.3)
	_, loose := quantize(t, net, opts)
	if worst(loose.Final) == 0 {
		t.Fatal("int8 changes no answer: the test shows nothing")
	}
	opts.MaxDrop = 0
	q, r := quantize(t, net, opts)
	checkPaths(t, q)
	if worst(r.Final) > 0 || len(r.Kept) == 0 || r.Labelled {
		t.Errorf("report is %+v", r)
	}
}

func TestQuantizeIsDeterministic(t *testing.T) {
	keys := func() (all []string) {
		q, _ := quantize(t, depths(0.3), options())
		for _, p := range q.Pieces {
			all = append(all, graph.Key(p))
		}
		return all
	}
	if diff := cmp.Diff(keys(), keys()); diff != "" {
		t.Error(diff)
	}
}

func TestQuantizeRefuses(t *testing.T) {
	nan := float32(math.NaN())
	blank := func(_ int, in []float32) ([]float32, error) { clear(in); return in, nil }
	for want, change := range map[string]func(*Options, *Net){
		"no calibration images":              func(o *Options, _ *Net) { o.Calibration = images{} },
		"image 2 has 7 values":               func(o *Options, _ *Net) { o.Calibration = broken(2, make([]float32, 7), nil) },
		"image 3 holds a value that is not":  func(o *Options, _ *Net) { o.Calibration = broken(3, slices.Repeat([]float32{nan}, 144), nil) },
		"cannot be read":                     func(o *Options, _ *Net) { o.Calibration = broken(1, nil, errors.New("a.png cannot be read")) },
		"in (Input) gives nothing but zeros": func(o *Options, _ *Net) { o.Calibration = images{count: 3, values: 144, change: blank} },
		"stem (Conv) gives values that are not finite": func(_ *Options, n *Net) {
			n.Pieces[0].Nodes[1].Weights[0].Data[0] = math.MaxFloat32
			n.Pieces[0].Nodes[1].Weights[0].Data[1] = math.MaxFloat32
			n.Pieces[0].Nodes[1].Weights[0].Data[2] = math.MaxFloat32
		},
	} {
		opts, net := options(), depths(0.3)
		change(&opts, &net)
		q, r, err := Quantize(net, opts)
		if err == nil || !strings.Contains(err.Error(), want) || r != nil || q.Pieces != nil {
			t.Errorf("%q: %v, %v", want, r, err)
		}
	}
}

// broken gives something else as image at.
func broken(at int, instead []float32, err error) images {
	return images{count: 5, values: 144, change: func(i int, in []float32) ([]float32, error) {
		if i == at {
			return instead, err
		}
		return in, nil
	}}
}

func TestFloat16(t *testing.T) {
	net := depths(0.3)
	half, err := Float16(net)
	if err != nil {
		t.Fatal(err)
	}
	if got := half.Pieces[0].Nodes[1].StoredWeight(0).Number; got != graph.Float16 {
		t.Errorf("weights are stored as %v", got)
	}
	if a, b := half.Pieces[0].WeightBytes(), net.Pieces[0].WeightBytes(); a >= b*6/10 {
		t.Errorf("%d bytes of %d are left", a, b)
	}
	net.Pieces[2].Nodes[2].Weights[1].Data[0] = 1e6
	if _, err := Float16(net); err == nil || !strings.Contains(err.Error(), "fc (FullyConnected) has a weight of 1e+06") {
		t.Errorf("error %v", err)
	}
}
