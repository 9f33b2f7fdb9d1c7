package familytest

import (
	"fmt"
	"path/filepath"

	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// Case is a small model that exercises one operator, or one way of writing it.
type Case struct {
	Name  string
	Model *onnx.ModelProto
}

// size and classes of every case.
const (
	caseSize    = 8
	caseClasses = 4
)

// Single writes a family of the one model into folder dir.
func Single(dir string, m *onnx.ModelProto) (*family.Family, error) {
	f := header(caseSize, caseClasses)
	f.Variants = []family.Variant{{Name: "one", Net: "A", Depth: []int{1}, Model: "one.onnx"}}
	if err := onnx.Save(filepath.Join(dir, "one.onnx"), m, nil); err != nil {
		return nil, err
	}
	return f, family.Write(dir, f)
}

// header is a family without variants.
func header(size, classes int) *family.Family {
	f := &family.Family{Format: family.Format, Name: "test", Preprocess: preprocess.Spec{
		Width: size, Height: size, Channels: "RGB", Fit: preprocess.FitCrop,
		Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.25, 0.25, 0.25},
	}}
	for i := range classes {
		f.Labels = append(f.Labels, fmt.Sprintf("class %d", i))
	}
	return f
}

// Cases returns a model for each supported operator and way of writing it.
func Cases() []Case {
	ints, one := onnx.IntsAttribute, onnx.IntAttribute
	var cases []Case
	// add makes a case of what body puts between a first convolution to six
	// channels (8x8, no activation, so that values have both signs) and the head.
	add := func(name string, body func(b *builder, in string) (out string, channels int)) {
		b := begin(name)
		at, channels := body(b, b.plain("first", "image", 3, 6, 3, ints("pads", 1, 1, 1, 1)))
		cases = append(cases, Case{name, b.head(at, channels)})
	}
	conv := func(name string, kernel int, attributes ...*onnx.AttributeProto) {
		add(name, func(b *builder, in string) (string, int) { return b.plain("c", in, 6, 5, kernel, attributes...), 5 })
	}
	unary := func(name, op string, attributes ...*onnx.AttributeProto) {
		add(name, func(b *builder, in string) (string, int) {
			return b.add(op, "x", "x", []string{in}, attributes...), 6
		})
	}
	conv("conv valid", 3)
	conv("conv stride 2, symmetric pads", 3, ints("strides", 2, 2), ints("pads", 1, 1, 1, 1))
	conv("conv stride 2, same", 3, ints("strides", 2, 2), ints("pads", 0, 0, 1, 1))
	conv("conv uneven pads", 3, ints("pads", 2, 0, 1, 3))
	conv("conv wide kernel", 5, ints("strides", 2, 2), ints("pads", 2, 2, 2, 2))
	conv("conv dilated", 3, ints("dilations", 2, 2), ints("pads", 2, 2, 2, 2))
	conv("conv uneven strides", 3, ints("strides", 1, 2), ints("pads", 1, 1, 1, 1))
	for _, multiplier := range []int{1, 2} {
		add(fmt.Sprintf("depthwise times %d", multiplier), func(b *builder, in string) (string, int) {
			b.tensor("d.w", []int{6 * multiplier, 1, 3, 3}, 0.5)
			b.tensor("d.b", []int{6 * multiplier}, 0.5)
			return b.add("Conv", "d", "d", []string{in, "d.w", "d.b"}, one("group", 6), ints("pads", 1, 1, 1, 1), ints("strides", 2, 2)), 6 * multiplier
		})
	}
	add("normalized conv and relu6", func(b *builder, in string) (string, int) {
		b.tensor("lo", nil, 0)
		b.graph.Initializer = append(b.graph.Initializer, onnx.FloatTensor("hi", nil, []float32{6}))
		return b.add("Clip", "clip", "clip", []string{b.conv("n", in, 6, 5, 3, 1), "lo", "hi"}), 5
	})
	add("normalization before the convolution", func(b *builder, in string) (string, int) {
		normal := b.add("BatchNormalization", "bn", "bn", append([]string{b.relu("r", in)}, b.statistics("bn", 6)...))
		return b.plain("c", b.relu("q", normal), 6, 5, 1), 5
	})
	add("projection with two normalizations", func(b *builder, in string) (string, int) {
		return b.block("block", in, 6, 7, 2), 7
	})
	add("relu read twice", func(b *builder, in string) (string, int) {
		return b.add("Add", "sum", "sum", []string{in, b.relu("r", in)}), 6
	})
	add("constant per channel", func(b *builder, in string) (string, int) {
		b.tensor("k", []int{6, 1, 1}, 1)
		b.tensor("s", nil, 1)
		scaled := b.add("Mul", "mul", "mul", []string{"k", b.relu("r", in)})
		return b.add("Add", "add", "add", []string{scaled, "s"}), 6
	})
	unary("identity", "Identity")
	add("pad and constants", func(b *builder, in string) (string, int) {
		pads := onnx.Int64Tensor("", []int64{8}, []int64{0, 0, 1, 2, 0, 0, 0, 1})
		b.add("Constant", "k", "k", nil, onnx.TensorAttribute("value", pads))
		return b.add("Pad", "p", "p", []string{in, b.add("Identity", "i", "i", []string{"k"})}), 6
	})
	unary("average pool", "AveragePool", ints("kernel_shape", 2, 2), ints("strides", 2, 2))
	unary("average pool same", "AveragePool", ints("kernel_shape", 3, 3), ints("pads", 1, 1, 1, 1))
	unary("average pool counting pads", "AveragePool", ints("kernel_shape", 3, 3), ints("pads", 1, 1, 1, 1), one("count_include_pad", 1))
	unary("max pool", "MaxPool", ints("kernel_shape", 2, 2), ints("strides", 2, 2))
	add("max pool, symmetric pads, after relu", func(b *builder, in string) (string, int) {
		return b.add("MaxPool", "x", "x", []string{b.relu("r", in)}, ints("kernel_shape", 3, 3), ints("strides", 2, 2), ints("pads", 1, 1, 1, 1)), 6
	})

	tail := func(name string, body func(b *builder, in string)) {
		b := begin(name)
		body(b, b.relu("r", b.plain("first", "image", 3, 6, 3, ints("strides", 2, 2), ints("pads", 1, 1, 1, 1)))) // 4x4
		cases = append(cases, Case{name, onnx.NewModel("familytest", b.graph)})
	}
	tail("flattened image, gemm not transposed", func(b *builder, in string) {
		flat := b.add("Flatten", "f", "f", []string{in})
		b.tensor("w", []int{6 * 16, caseClasses}, 0.3)
		b.tensor("b", []int{1, caseClasses}, 0.3)
		b.add("Gemm", "g", "logits", []string{flat, "w", "b"}, onnx.FloatAttribute("alpha", 0.5), onnx.FloatAttribute("beta", 2))
	})
	tail("reshaped image, matmul and add, hidden layer", func(b *builder, in string) {
		b.graph.Initializer = append(b.graph.Initializer, onnx.Int64Tensor("shape", []int64{2}, []int64{1, -1}))
		flat := b.add("Reshape", "f", "f", []string{in, "shape"})
		b.tensor("w", []int{6 * 16, 10}, 0.3)
		b.tensor("b", []int{10}, 0.3)
		hidden := b.relu("h", b.add("Add", "a", "a", []string{"b", b.add("MatMul", "m", "m", []string{flat, "w"})}))
		b.tensor("v", []int{10, caseClasses}, 0.3)
		b.add("MatMul", "n", "logits", []string{hidden, "v"})
	})
	tail("mean and softmax", func(b *builder, in string) {
		mean := b.add("Flatten", "f", "f", []string{b.add("GlobalAveragePool", "m", "m", []string{in})})
		soft := b.add("Softmax", "s", "s", []string{mean})
		b.tensor("w", []int{6, caseClasses}, 0.3)
		b.add("MatMul", "n", "logits", []string{soft, "w"})
	})
	tail("mean over axes", func(b *builder, in string) {
		b.graph.Initializer = append(b.graph.Initializer, onnx.Int64Tensor("axes", []int64{2}, []int64{-1, -2}),
			onnx.Int64Tensor("shape", []int64{2}, []int64{1, 6}))
		mean := b.add("ReduceMean", "m", "m", []string{in, "axes"}, one("keepdims", 0))
		flat := b.add("Reshape", "v", "v", []string{mean, "shape"}, one("allowzero", 1))
		b.tensor("w", []int{6, caseClasses}, 0.3)
		b.add("MatMul", "n", "logits", []string{flat, "w"})
	})
	cases[len(cases)-1].Model.OpsetImport[0].Version = 18 // from where axes are an input
	tail("mean over axes in an attribute", func(b *builder, in string) {
		mean := b.add("ReduceMean", "m", "m", []string{in}, ints("axes", 2, 3))
		b.add("Flatten", "f", "logits", []string{b.plain("c", mean, 6, caseClasses, 1)})
	})
	tail("classifier convolution", func(b *builder, in string) {
		pool := b.add("GlobalAveragePool", "p", "p", []string{in})
		b.add("Flatten", "f", "logits", []string{b.plain("c", pool, 6, caseClasses, 1)})
	})
	return cases
}

func begin(name string) *builder {
	b := &builder{spec: Spec{Seed: 7}, net: "A", variant: name, graph: &onnx.GraphProto{Name: name}}
	b.graph.Input = []*onnx.ValueInfoProto{onnx.FloatValue("image", 1, 3, caseSize, caseSize)}
	b.graph.Output = []*onnx.ValueInfoProto{onnx.FloatValue("logits", 1, caseClasses)}
	return b
}

// plain is a convolution with a bias and nothing after it.
func (b *builder) plain(name, in string, from, to, kernel int, attributes ...*onnx.AttributeProto) string {
	b.tensor(name+".w", []int{to, from, kernel, kernel}, 0.5)
	b.tensor(name+".b", []int{to}, 0.5)
	return b.add("Conv", name, name+".c", []string{in, name + ".w", name + ".b"}, attributes...)
}

// head is global pooling and a fully connected layer.
func (b *builder) head(in string, channels int) *onnx.ModelProto {
	flat := b.add("Flatten", "flatten", "flat", []string{b.add("GlobalAveragePool", "pool", "pool", []string{in})}, onnx.IntAttribute("axis", 1))
	classes := int(b.graph.Output[0].GetType().GetTensorType().GetShape().GetDim()[1].GetDimValue())
	b.tensor("fc.w", []int{classes, channels}, 0.3)
	b.tensor("fc.b", []int{classes}, 0.3)
	b.add("Gemm", "fc", "logits", []string{flat, "fc.w", "fc.b"}, onnx.IntAttribute("transB", 1))
	return onnx.NewModel("familytest", b.graph)
}
