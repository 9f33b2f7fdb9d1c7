package graph_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/onnx"
)

// body wraps nodes between an image input "x" and an output "y".
func body(initializers []*onnx.TensorProto, nodes ...*onnx.NodeProto) *onnx.ModelProto {
	return onnx.NewModel("test", &onnx.GraphProto{
		Node: nodes, Initializer: initializers,
		Input:  []*onnx.ValueInfoProto{onnx.FloatValue("x", 1, 3, 8, 8)},
		Output: []*onnx.ValueInfoProto{onnx.FloatValue("y", 1, 4)},
	})
}

func node(op, name string, in []string, out string, attributes ...*onnx.AttributeProto) *onnx.NodeProto {
	return onnx.NewNode(op, name, in, []string{out}, attributes...)
}

func floats(name string, dims ...int64) *onnx.TensorProto {
	n := int64(1)
	for _, d := range dims {
		n *= d
	}
	return onnx.FloatTensor(name, dims, make([]float32, n))
}

// TestImportListsAllUnsupported has every node but the last one wrong.
func TestImportListsAllUnsupported(t *testing.T) {
	ints := onnx.IntsAttribute
	m := body([]*onnx.TensorProto{floats("w", 4, 3, 3, 3), floats("w1", 4, 3, 3), floats("m", 2, 3), floats("big", 9, 9, 9, 9)},
		node("Einsum", "sum", []string{"x"}, "a"),
		node("Conv", "auto", []string{"a", "w"}, "b", onnx.StringAttribute("auto_pad", "SOMEHOW")),
		node("Conv", "line", []string{"b", "w1"}, "c1"),
		node("Conv", "computed", []string{"c1", "x"}, "d"),
		node("Conv", "flagged", []string{"d", "w"}, "e", onnx.IntAttribute("sparsity", 1)),
		node("AveragePool", "spread", []string{"e"}, "g", ints("kernel_shape", 2, 2), ints("dilations", 2, 2)),
		node("Elu", "elu", []string{"g"}, "h", onnx.FloatAttribute("alpha", 2)),
		node("Add", "guess", []string{"h", "big"}, "i"), // its shape follows from a guess: no message
		node("Pad", "pad", []string{"i"}, "o", onnx.StringAttribute("mode", "reflect")),
		&onnx.NodeProto{OpType: "Relu", Name: "foreign", Domain: "com.example", Input: []string{"o"}, Output: []string{"p"}},
		node("TopK", "", []string{"p"}, "q"),
		node("Relu", "fine", []string{"q"}, "y"))
	g, err := graph.Import(m)
	u, ok := err.(*graph.UnsupportedError)
	if g != nil || !ok {
		t.Fatalf("got %v, %v; want no graph and unsupported nodes", g, err)
	}
	var got []string
	for _, n := range u.Nodes {
		got = append(got, n.String())
	}
	want := []string{
		"sum (Einsum): operator not supported (replace it by operators that fathom convert --list-operators names)",
		`auto (Conv): auto_pad is "SOMEHOW"`,
		"line (Conv): weights have shape [4 3 3], need 4 dimensions",
		`computed (Conv): input 1, "x", must be a constant (export the model for inference, with a fixed image size)`,
		`flagged (Conv): attribute "sparsity" is not supported`,
		"spread (AveragePool): dilations [2 2], need [1 1]",
		"elu (Elu): alpha is 2, need 1",
		`pad (Pad): mode "reflect", need "constant" (train with zero padding)`,
		"foreign (com.example.Relu): operator not supported (an operator of another domain; export with standard operators only)",
		"q (TopK): operator not supported (export the logits, without what picks classes from them)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestImportRefuses(t *testing.T) {
	relu := node("Relu", "r", []string{"x"}, "y")
	for _, c := range []struct {
		name  string
		model *onnx.ModelProto
		want  string
	}{
		{"nothing", &onnx.ModelProto{}, "operator set version 0, need 9 to 28"},
		{"no input", &onnx.ModelProto{OpsetImport: body(nil).OpsetImport}, "has 0 inputs"},
		{"too many nodes", body(nil, make([]*onnx.NodeProto, 40_000)...), "has 40000 nodes, more than 32768"},
		{"circle", body(nil, node("Add", "a", []string{"x", "c"}, "b"), node("Relu", "r", []string{"b"}, "c"), node("Relu", "s", []string{"c"}, "y")),
			`the nodes wait for one another in a circle: Add "a", Relu "r"`},
		{"written twice", body(nil, relu, relu), `"y" is written by both Relu "r" and Relu "r"`},
		{"dangling", body(nil, node("Relu", "r", []string{"nowhere"}, "y")), `Relu "r": reads "nowhere", which no node before it writes`},
		{"no such output", body(nil, node("Relu", "r", []string{"x"}, "z")), `no node computes the output "y" from the image`},
		{"no output", body(nil, &onnx.NodeProto{OpType: "Relu", Name: "r", Input: []string{"x"}}), "has no output"},
		{"few inputs", body(nil, node("Add", "a", []string{"x"}, "y")), "has 1 inputs, need 2"},
		{"bias", body([]*onnx.TensorProto{floats("w", 4, 3, 3, 3), floats("b", 3)}, node("Conv", "c", []string{"x", "w", "b"}, "y")), "bias has shape [3], need [4]"},
		{"no weights", body(nil, node("Conv", "c", []string{"x", ""}, "y")), "input 1 is missing or empty"},
		{"not finite", body([]*onnx.TensorProto{onnx.FloatTensor("b", []int64{1}, []float32{float32(inf())})}, node("Add", "a", []string{"x", "b"}, "y")), `weights "b" hold a value that is not finite`},
		{"two outputs", func() *onnx.ModelProto {
			m := body(nil, relu)
			m.Graph.Output = append(m.Graph.Output, m.Graph.Output[0])
			return m
		}(), "has 2 outputs, need one"},
		{"fixed batch", func() *onnx.ModelProto {
			m := body(nil, relu)
			m.Graph.Input = []*onnx.ValueInfoProto{onnx.FloatValue("x", 8, 3, 8, 8)}
			return m
		}(), "has a fixed batch of 8"},
		{"open size", func() *onnx.ModelProto {
			m := body(nil, relu)
			m.Graph.Input = []*onnx.ValueInfoProto{onnx.FloatValue("x", 1, 3, 0, 8)}
			return m
		}(), "needs fixed channels, height and width"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := graph.Import(c.model)
			if g != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v; want an error with %q", g, err, c.want)
			}
		})
	}
}

func inf() float32 {
	var zero float32
	return 1 / zero
}

// FuzzImport feeds damaged models to Import and Lower: never a panic, and a
// graph exactly when there is no error.
func FuzzImport(f *testing.F) {
	for _, c := range familytest.Cases() {
		data, err := proto.Marshal(c.Model)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := new(onnx.ModelProto)
		if proto.Unmarshal(data, m) != nil {
			return
		}
		g, err := graph.Import(m)
		if (g == nil) != (err != nil) {
			t.Fatalf("import: graph %v, error %v", g, err)
		}
		if err != nil {
			return
		}
		low, err := graph.Lower(g)
		if (low == nil) != (err != nil) {
			t.Fatalf("lower: graph %v, error %v", low, err)
		}
		if err == nil && graph.Key(graph.Concat(graph.Split(low))) == "" {
			t.Fatal("no key")
		}
	})
}
