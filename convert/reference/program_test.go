package reference_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/convert/onnx/pb"
	"github.com/fathom-edge/fathom/convert/reference"
)

// graph is a model of one input x [1,2,4,4], some weights and some nodes, the
// last of which makes the output.
func graph(nodes ...*onnx.NodeProto) *onnx.ModelProto {
	return onnx.NewModel("test", &onnx.GraphProto{
		Name: "g",
		Node: nodes,
		Initializer: []*onnx.TensorProto{
			onnx.FloatTensor("w", []int64{2, 2, 3, 3}, make([]float32, 36)),
			onnx.FloatTensor("b", []int64{2}, []float32{1, 2}),
			onnx.FloatTensor("matrix", []int64{3, 2}, make([]float32, 6)),
			onnx.Int64Tensor("shape", []int64{2}, []int64{5, 7}),
		},
		Input:  []*onnx.ValueInfoProto{onnx.FloatValue("x", 1, 2, 4, 4)},
		Output: []*onnx.ValueInfoProto{onnx.FloatValue("y")},
	})
}

// one is a graph of a single node that makes y.
func one(op string, inputs []string, attributes ...*onnx.AttributeProto) *onnx.ModelProto {
	return graph(onnx.NewNode(op, "n", inputs, []string{"y"}, attributes...))
}

func image() map[string]reference.Tensor {
	return map[string]reference.Tensor{"x": {Shape: []int{1, 2, 4, 4}, Data: make([]float32, 32)}}
}

func TestOperatorsAreSorted(t *testing.T) {
	names := reference.Operators()
	if len(names) == 0 || !slices.IsSorted(names) {
		t.Errorf("operators %v", names)
	}
}

func TestPrepareRefuses(t *testing.T) {
	foreign := onnx.NewNode("Conv", "foreign", []string{"x"}, []string{"y"})
	foreign.Domain = "com.example"
	tests := []struct {
		name  string
		model *onnx.ModelProto
		want  []string
	}{
		{"all unknown nodes", graph(onnx.NewNode("Einsum", "first", []string{"x"}, []string{"h"}), foreign, onnx.NewNode("LSTM", "", []string{"h"}, []string{"z"})),
			[]string{"3 nodes", `Einsum "first"`, `com.example.Conv "foreign"`, `LSTM "z"`, "operators that can: Abs,"}},
		{"unknown attribute", one("Relu", []string{"x"}, onnx.IntAttribute("alpha", 1)), []string{`Relu "n"`, `"alpha"`}},
		{"attribute of another type", one("Conv", []string{"x", "w"}, onnx.IntAttribute("strides", 1)), []string{`"strides"`, "want INTS"}},
		{"auto_pad", one("Conv", []string{"x", "w"}, onnx.StringAttribute("auto_pad", "SOMEHOW")), []string{"SOMEHOW"}},
		{"3-D strides", one("Conv", []string{"x", "w"}, onnx.IntsAttribute("strides", 1, 1, 1)), []string{"strides [1 1 1]"}},
		{"zero stride", one("Conv", []string{"x", "w"}, onnx.IntsAttribute("strides", 0, 1)), []string{"strides [0 1]"}},
		{"negative pads", one("Conv", []string{"x", "w"}, onnx.IntsAttribute("pads", 0, 0, -1, 0)), []string{"pads [0 0 -1 0]"}},
		{"group zero", one("Conv", []string{"x", "w"}, onnx.IntAttribute("group", 0)), []string{"group 0"}},
		{"ceil_mode", one("AveragePool", []string{"x"}, onnx.IntsAttribute("kernel_shape", 2, 2), onnx.IntAttribute("ceil_mode", 1), onnx.IntAttribute("count_include_pad", 1)), []string{"ceil_mode"}},
		{"storage_order", one("MaxPool", []string{"x"}, onnx.IntsAttribute("kernel_shape", 2, 2), onnx.IntAttribute("storage_order", 1)), []string{"storage_order"}},
		{"pool without kernel", one("AveragePool", []string{"x"}), []string{"kernel_shape"}},
		{"window in the padding", one("MaxPool", []string{"x"}, onnx.IntsAttribute("kernel_shape", 2, 2), onnx.IntsAttribute("pads", 2, 0, 0, 0)), []string{"pads"}},
		{"training", one("BatchNormalization", []string{"x", "b", "b", "b", "b"}, onnx.IntAttribute("training_mode", 1)), []string{"model.eval()"}},
		{"pad mode", one("Pad", []string{"x", "shape"}, onnx.StringAttribute("mode", "reflect")), []string{"reflect"}},
		{"constant of nothing", one("Constant", nil), []string{"0 attributes"}},
		{"second output", graph(onnx.NewNode("MaxPool", "n", []string{"x"}, []string{"y", "indices"}, onnx.IntsAttribute("kernel_shape", 2, 2))), []string{`"indices"`}},
		{"too many inputs", one("Relu", []string{"x", "x"}), []string{"2 inputs"}},
		{"no output", graph(onnx.NewNode("Relu", "n", []string{"x"}, nil)), []string{"no output"}},
		{"unsorted", graph(onnx.NewNode("Relu", "n", []string{"later"}, []string{"y"}), onnx.NewNode("Relu", "m", []string{"x"}, []string{"later"})), []string{`"later" is not made before`}},
		{"made twice", graph(onnx.NewNode("Relu", "n", []string{"x"}, []string{"y"}), onnx.NewNode("Relu", "m", []string{"x"}, []string{"y"})), []string{"made twice"}},
		{"output of nothing", graph(onnx.NewNode("Relu", "n", []string{"x"}, []string{"z"})), []string{`output "y"`}},
		{"old operator set", func() *onnx.ModelProto { m := one("Relu", []string{"x"}); m.OpsetImport[0].Version = 8; return m }(), []string{"version 8", "opset_version=17"}},
		{"weights of another type", func() *onnx.ModelProto {
			m := one("Relu", []string{"x"})
			m.Graph.Initializer[0].DataType = int32(pb.TensorProto_DOUBLE)
			return m
		}(), []string{`"w"`, "DOUBLE"}},
		{"weight twice", func() *onnx.ModelProto {
			m := one("Relu", []string{"x"})
			m.Graph.Initializer[1].Name = "w"
			return m
		}(), []string{`"w" is there twice`}},
		{"input of another type", func() *onnx.ModelProto {
			m := one("Relu", []string{"x"})
			m.Graph.Input[0].Type.GetTensorType().ElemType = onnx.TypeInt64
			return m
		}(), []string{`input "x"`}},
		{"input twice", func() *onnx.ModelProto {
			m := one("Relu", []string{"x"})
			m.Graph.Input = append(m.Graph.Input, m.Graph.Input[0])
			return m
		}(), []string{`input "x" is there twice`}},
		{"no outputs", func() *onnx.ModelProto { m := one("Relu", []string{"x"}); m.Graph.Output = nil; return m }(), []string{"no output"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := reference.Prepare(tt.model)
			if err == nil || p != nil {
				t.Fatalf("a program and error %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}

func TestRunRefuses(t *testing.T) {
	pool := func(kernel ...int64) *onnx.AttributeProto { return onnx.IntsAttribute("kernel_shape", kernel...) }
	tests := []struct {
		name   string
		model  *onnx.ModelProto
		inputs map[string]reference.Tensor
		want   string
	}{
		{"input not given", one("Relu", []string{"x"}), nil, `input "x" is not given`},
		{"input of another shape", one("Relu", []string{"x"}), map[string]reference.Tensor{"x": {Shape: []int{2}, Data: make([]float32, 2)}}, "the model wants [1 2 4 4]"},
		{"short input", one("Relu", []string{"x"}), map[string]reference.Tensor{"x": {Shape: []int{1, 2, 4, 4}}}, "0 values"},
		{"unknown input", one("Relu", []string{"x"}), map[string]reference.Tensor{"x": image()["x"], "z": image()["x"]}, "2 inputs are given"},
		{"missing operand", one("Add", []string{"x"}), image(), `Add "n": input 1 is missing`},
		{"shapes do not broadcast", one("Add", []string{"x", "matrix"}), image(), "broadcast"},
		{"integers as operand", one("Add", []string{"x", "shape"}), image(), "int64"},
		{"integers as output", one("Identity", []string{"shape"}), image(), "int64"},
		{"floats as shape", one("Reshape", []string{"x", "b"}), image(), "want int64"},
		{"shape of another size", one("Reshape", []string{"x", "shape"}), image(), "[5 7] cannot be made from [1 2 4 4]"},
		{"channels", one("Conv", []string{"x", "w"}, onnx.IntAttribute("group", 2)), image(), "want 4"},
		{"bias", one("Conv", []string{"x", "w", "matrix"}), image(), "bias has 6 values for 2 channels"},
		{"kernel_shape differs", one("Conv", []string{"x", "w"}, pool(5, 5)), image(), "kernel_shape [5 5]"},
		{"kernel larger than the image", one("Conv", []string{"x", "w"}, onnx.IntsAttribute("dilations", 2, 2)), image(), "does not fit"},
		{"weights without rows", one("Conv", []string{"x", "matrix"}), image(), "want 4 dimensions"},
		{"pool larger than the image", one("MaxPool", []string{"x"}, pool(5, 5)), image(), "does not fit"},
		{"statistics of other channels", one("BatchNormalization", []string{"x", "b", "b", "matrix", "b"}), image(), "input 3 has 6 values"},
		{"axis", one("Softmax", []string{"x"}, onnx.IntAttribute("axis", 4)), image(), "axis 4"},
		{"concat without axis", one("Concat", []string{"x"}), image(), "axis"},
		{"concat of other types", one("Concat", []string{"x", "shape"}, onnx.IntAttribute("axis", 0)), image(), "shapes"},
		{"concat of other shapes", one("Concat", []string{"x", "matrix"}, onnx.IntAttribute("axis", 0)), image(), "shapes"},
		{"matrix product", one("MatMul", []string{"matrix", "matrix"}), image(), "cannot be multiplied"},
		{"vector product", one("MatMul", []string{"b", "matrix"}), image(), "2 dimensions or more"},
		{"gemm of images", one("Gemm", []string{"x", "matrix"}), image(), "want a matrix"},
		{"gemm product", one("Gemm", []string{"matrix", "matrix"}), image(), "cannot be multiplied"},
		{"gemm addend", one("Gemm", []string{"matrix", "matrix", "w"}, onnx.IntAttribute("transB", 1)), image(), "input 2"},
		{"clip by a vector", one("Clip", []string{"x", "b"}), image(), "want a scalar"},
		{"pads of other dimensions", one("Pad", []string{"x", "shape"}), image(), "pads [5 7]"},
		{"mean over an axis too many", one("ReduceMean", []string{"x"}, onnx.IntsAttribute("axes", 4)), image(), "axis 4"},
		{"too large", one("Pad", []string{"x", "huge"}), image(), "more than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.model.Graph.Initializer = append(tt.model.Graph.Initializer,
				onnx.Int64Tensor("huge", []int64{8}, []int64{1 << 20, 1 << 20, 1 << 20, 1 << 20, 0, 0, 0, 0}))
			p, err := reference.Prepare(tt.model)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Run(tt.inputs)
			if err == nil || got != nil {
				t.Fatalf("outputs and error %v", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q lacks %q", err, tt.want)
			}
		})
	}
}

func TestOutputsShareNothingWithInputs(t *testing.T) {
	inputs := image()
	outputs, err := reference.Run(one("Identity", []string{"x"}), inputs)
	if err != nil {
		t.Fatal(err)
	}
	outputs["y"].Data[0], outputs["y"].Shape[0] = 9, 9
	if diff := cmp.Diff(image(), inputs); diff != "" {
		t.Errorf("writing to an output changed the input:\n%s", diff)
	}
}

func TestFreeDimensions(t *testing.T) {
	m := one("Relu", []string{"x"})
	m.Graph.Input[0].Type.GetTensorType().Shape.Dim[0].Value = &pb.TensorShapeProto_Dimension_DimParam{DimParam: "batch"}
	batch := reference.Tensor{Shape: []int{3, 2, 4, 4}, Data: make([]float32, 96)}
	outputs, err := reference.Run(m, map[string]reference.Tensor{"x": batch})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(batch.Shape, outputs["y"].Shape); diff != "" {
		t.Error(diff)
	}
}

// FuzzPrepare gives damaged models; they may be refused, but must not panic.
func FuzzPrepare(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join(goldens, "*", "model.onnx"))
	if err != nil || len(paths) == 0 {
		f.Fatalf("no goldens: %v", err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
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
		p, err := reference.Prepare(m)
		if (err != nil) != (p == nil) {
			t.Fatalf("error %v with program %v", err, p)
		}
	})
}

// BenchmarkResidualNet runs a network of about 15 million multiplications on an
// image of 32x32.
func BenchmarkResidualNet(b *testing.B) {
	g := &onnx.GraphProto{Name: "g", Input: []*onnx.ValueInfoProto{onnx.FloatValue("x", 1, 3, 32, 32)}}
	channels, last, macs := int64(3), "x", int64(0)
	conv := func(to, size, stride int64) {
		w, out := "w"+last, "c"+last
		weights := make([]float32, to*channels*9)
		for i := range weights {
			weights[i] = float32(i%7) - 3
		}
		g.Initializer = append(g.Initializer, onnx.FloatTensor(w, []int64{to, channels, 3, 3}, weights))
		g.Node = append(g.Node,
			onnx.NewNode("Conv", out, []string{last, w}, []string{out}, onnx.IntsAttribute("pads", 1, 1, 1, 1), onnx.IntsAttribute("strides", stride, stride)),
			onnx.NewNode("Relu", "r"+out, []string{out}, []string{"r" + out}))
		macs += to * channels * 9 * size * size
		channels, last = to, "r"+out
	}
	conv(16, 32, 1)
	conv(16, 32, 1)
	conv(16, 32, 1)
	conv(32, 16, 2)
	conv(32, 16, 1)
	conv(64, 8, 2)
	conv(64, 8, 1)
	conv(64, 8, 1)
	g.Output = []*onnx.ValueInfoProto{onnx.FloatValue(last)}
	p, err := reference.Prepare(onnx.NewModel("benchmark", g))
	if err != nil {
		b.Fatal(err)
	}
	x := map[string]reference.Tensor{"x": {Shape: []int{1, 3, 32, 32}, Data: make([]float32, 3*32*32)}}
	for b.Loop() {
		if _, err := p.Run(x); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(macs)/1e6, "MMAC/op")
}
