package evaluate_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/convert/evaluate"
	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/reference"
)

// TestFloatAgainstReference evaluates a lowered model for every operator, and
// the ONNX model that it came from with the reference evaluator.
func TestFloatAgainstReference(t *testing.T) {
	for _, c := range familytest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			imported, err := graph.Import(c.Model)
			if err != nil {
				t.Fatal(err)
			}
			g, err := graph.Lower(imported)
			if err != nil {
				t.Fatal(err)
			}
			p, err := evaluate.Prepare(g, evaluate.XNNPACK)
			if err != nil {
				t.Fatal(err)
			}
			original, err := reference.Prepare(c.Model)
			if err != nil {
				t.Fatal(err)
			}
			shape := g.Input().Shape
			pixels := shape[1] * shape[2]
			nhwc, nchw := make([]float32, 3*pixels), make([]float32, 3*pixels)
			rng := rand.New(rand.NewPCG(1, 2))
			for i := range nhwc {
				nhwc[i] = 4*rng.Float32() - 2
				nchw[i%3*pixels+i/3] = nhwc[i]
			}
			got, err := p.Run(evaluate.Value{Floats: nhwc}, nil)
			if err != nil {
				t.Fatal(err)
			}
			want, err := original.Run(map[string]reference.Tensor{g.Input().Name: {Shape: []int{1, 3, shape[1], shape[2]}, Data: nchw}})
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range want {
				if d := reference.MaxDifference(got.Floats, w.Data); d > 1e-5 {
					t.Errorf("outputs differ by %g", d)
				}
			}
		})
	}
}

// layer is a fully connected layer of two inputs and one output in int8.
func layer(scale float32, activation graph.Activation) *graph.Graph {
	in := &graph.Node{Name: "in", Op: graph.OpInput, Shape: []int{1, 2}, Storage: &graph.Storage{Output: &graph.Scale{Scale: 0.5, Zero: 10}}}
	n := &graph.Node{Name: "fc", Op: graph.OpFullyConnected, Inputs: []*graph.Node{in}, Shape: []int{1, 1},
		Weights: []graph.Tensor{{Shape: []int{1, 2}, Data: make([]float32, 2)}, {Shape: []int{1}, Data: make([]float32, 1)}},
		Attrs:   graph.Attrs{Activation: activation},
		Storage: &graph.Storage{Output: &graph.Scale{Scale: scale, Zero: -3}, Weights: []graph.Stored{
			{Number: graph.Int8, Values: []int32{3, -2}, Scales: []float32{0.25}},
			{Number: graph.Int32, Values: []int32{7}, Scales: []float32{0.125}}}}}
	return &graph.Graph{Layout: graph.NHWC, Nodes: []*graph.Node{in, n}, Output: n}
}

// TestRounding does a sum of products by hand: ((a-10)*3 - (b-10)*2 + 7) units of
// 1/8, brought to a scale of 1/2, so that every fourth sum is a tie.
func TestRounding(t *testing.T) {
	for _, c := range []struct {
		a, b       int8
		activation graph.Activation
		want       map[evaluate.Arithmetic]int8
	}{
		// 3 + 7 = 10: 2.5.
		{11, 10, graph.None, map[evaluate.Arithmetic]int8{evaluate.XNNPACK: -1, evaluate.Reference: 0, evaluate.Builtin: 0}},
		{4, 9, graph.None, map[evaluate.Arithmetic]int8{evaluate.XNNPACK: -5, evaluate.Reference: -5, evaluate.Builtin: -5}}, // -18+2+7 = -9: -2.25
		{3, 8, graph.None, map[evaluate.Arithmetic]int8{evaluate.XNNPACK: -5, evaluate.Reference: -6, evaluate.Builtin: -5}}, // -21+4+7 = -10: -2.5
		{3, 8, graph.Relu, map[evaluate.Arithmetic]int8{evaluate.XNNPACK: -3, evaluate.Reference: -3, evaluate.Builtin: -3}},
		{127, -128, graph.Relu6, map[evaluate.Arithmetic]int8{evaluate.XNNPACK: 9, evaluate.Reference: 9, evaluate.Builtin: 9}},
	} {
		for a, want := range c.want {
			p, err := evaluate.Prepare(layer(0.5, c.activation), a)
			if err != nil {
				t.Fatal(err)
			}
			out, err := p.Run(evaluate.Value{Codes: []int8{c.a, c.b}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]int8{want}, out.Codes); diff != "" {
				t.Errorf("%v of %d, %d: -want +got:\n%s", a, c.a, c.b, diff)
			}
		}
	}
}

func TestPrepareRefuses(t *testing.T) {
	mixed := layer(0.5, graph.None)
	mixed.Nodes[1].Storage = nil
	unquantized := layer(0.5, graph.None)
	unquantized.Nodes[1].Storage = &graph.Storage{Output: &graph.Scale{Scale: 1}}
	unknown := layer(0.5, graph.None)
	unknown.Nodes[1].Op = graph.OpSoftmax
	wrong := layer(0.5, graph.None)
	wrong.Nodes[0].Shape = []int{1, 3}
	for want, g := range map[string]*graph.Graph{
		"float32 and int8 meet at its input in":     mixed,
		"its weights are not quantized":             unquantized,
		"fc (Softmax): cannot be evaluated in int8": unknown,
		"do not fit an input of [1 3]":              wrong,
		"not in NHWC layout":                        {Layout: graph.NCHW},
	} {
		p, err := evaluate.Prepare(g, evaluate.XNNPACK)
		if p != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", want, p, err)
		}
	}
	p, err := evaluate.Prepare(layer(0.5, graph.None), evaluate.XNNPACK)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []evaluate.Value{{Codes: make([]int8, 3)}, {Floats: make([]float32, 2)}} {
		if _, err := p.Run(in, nil); err == nil {
			t.Errorf("input %+v was taken", in)
		}
	}
}
