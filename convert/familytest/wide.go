package familytest

import (
	"github.com/fathom-edge/fathom/convert/onnx"
)

// WideCases returns models for operators that are rare in small networks; not all
// of them are taken by XNNPACK, or known in int8.
func WideCases() []Case {
	ints, one := onnx.IntsAttribute, onnx.IntAttribute
	var cases []Case
	// add is as in Cases: what body makes stands between a convolution to six
	// channels of 8x8 and the head.
	add := func(name string, opset int64, body func(b *builder, in string) (out string, channels int)) {
		b := begin(name)
		at, channels := body(b, b.plain("first", "image", 3, 6, 3, ints("pads", 1, 1, 1, 1)))
		m := b.head(at, channels)
		m.OpsetImport[0].Version = opset
		cases = append(cases, Case{name, m})
	}
	unary := func(op string, opset int64, attributes ...*onnx.AttributeProto) {
		add(op, opset, func(b *builder, in string) (string, int) { return b.add(op, "x", "x", []string{in}, attributes...), 6 })
	}
	list := func(b *builder, name string, values ...int64) string {
		b.graph.Initializer = append(b.graph.Initializer, onnx.Int64Tensor(name, []int64{int64(len(values))}, values))
		return name
	}
	number := func(b *builder, name string, value float32) string {
		b.graph.Initializer = append(b.graph.Initializer, onnx.FloatTensor(name, nil, []float32{value}))
		return name
	}

	unary("Abs", 17)
	unary("Exp", 17)
	unary("Neg", 17)
	unary("Sigmoid", 17)
	unary("Tanh", 17)
	unary("HardSwish", 17)
	unary("HardSigmoid", 17)
	unary("HardSigmoid", 17, onnx.FloatAttribute("alpha", 1.0/6))
	unary("LeakyRelu", 17, onnx.FloatAttribute("alpha", 0.1))
	unary("Elu", 17)
	unary("Gelu", 20)
	unary("Gelu", 20, onnx.StringAttribute("approximate", "tanh"))
	unary("GlobalMaxPool", 17)
	unary("ReduceMean", 17, ints("axes", 2))
	unary("ReduceMax", 17, ints("axes", 2))
	unary("ReduceSum", 11, ints("axes", -1))
	unary("Softmax", 17, one("axis", 1))
	unary("MaxPool", 17, ints("kernel_shape", 3, 3), ints("strides", 2, 2), ints("pads", 1, 1, 1, 1))
	unary("MaxPool", 17, ints("kernel_shape", 3, 3), ints("strides", 2, 2), one("ceil_mode", 1))
	unary("AveragePool", 17, ints("kernel_shape", 3, 3), ints("strides", 2, 2), ints("pads", 1, 1, 1, 1))
	unary("AveragePool", 19, ints("kernel_shape", 3, 3), ints("strides", 2, 2), one("ceil_mode", 1))
	add("erf", 17, func(b *builder, in string) (string, int) {
		scaled := b.add("Div", "d", "d", []string{in, number(b, "root", 1.4142135)})
		plus := b.add("Add", "a", "a", []string{b.add("Erf", "e", "e", []string{scaled}), number(b, "one", 1)})
		return b.add("Mul", "h", "h", []string{b.add("Mul", "m", "m", []string{in, plus}), number(b, "half", 0.5)}), 6
	})
	add("hard swish spelt out", 17, func(b *builder, in string) (string, int) {
		clipped := b.add("Clip", "c", "c", []string{b.add("Add", "a", "a", []string{in, number(b, "three", 3)}), number(b, "zero", 0), number(b, "six", 6)})
		return b.add("Div", "d", "d", []string{b.add("Mul", "m", "m", []string{in, clipped}), "six"}), 6
	})
	add("sqrt, log, powers", 17, func(b *builder, in string) (string, int) {
		positive := b.add("Add", "a", "a", []string{b.add("Pow", "p", "p", []string{in, number(b, "two", 2)}), number(b, "some", 0.5)})
		cube := b.add("Pow", "q", "q", []string{in, number(b, "three", 3)})
		return b.add("Add", "s", "s", []string{b.add("Log", "l", "l", []string{b.add("Sqrt", "r", "r", []string{positive})}), cube}), 6
	})
	add("sub, div, max, min", 17, func(b *builder, in string) (string, int) {
		b.tensor("k", []int{6, 1, 1}, 0.5)
		other := b.add("Sub", "s", "s", []string{"k", b.add("Sub", "t", "t", []string{in, "k"})})
		below := b.add("Min", "n", "n", []string{other, in, number(b, "two", 2)})
		bounded := b.add("Max", "m", "m", []string{below, number(b, "low", -2)})
		square := b.add("Add", "a", "a", []string{b.add("Mul", "x", "x", []string{in, in}), number(b, "one", 1)})
		return b.add("Div", "d", "d", []string{bounded, square}), 6
	})
	add("clip to other bounds", 17, func(b *builder, in string) (string, int) {
		return b.add("Clip", "c", "c", []string{in, number(b, "low", -0.5), number(b, "high", 0.75)}), 6
	})
	add("prelu", 17, func(b *builder, in string) (string, int) {
		b.tensor("slope", []int{6, 1, 1}, 0.5)
		return b.add("PRelu", "p", "p", []string{in, "slope"}), 6
	})
	for _, g := range []struct {
		name             string
		group, from, out int
	}{{"grouped convolution", 3, 6, 9}, {"grouped convolution of wide groups", 2, 6, 64}} {
		add(g.name, 17, func(b *builder, in string) (string, int) {
			b.tensor("w", []int{g.out, g.from / g.group, 3, 3}, 0.5)
			b.tensor("b", []int{g.out}, 0.5)
			return b.add("Conv", "c", "c", []string{in, "w", "b"}, one("group", int64(g.group)), ints("pads", 1, 1, 1, 1), ints("strides", 2, 2)), g.out
		})
	}
	add("auto_pad", 17, func(b *builder, in string) (string, int) {
		at := b.plain("u", in, 6, 4, 3, onnx.StringAttribute("auto_pad", "SAME_UPPER"), ints("strides", 2, 2))
		return b.plain("l", at, 4, 5, 2, onnx.StringAttribute("auto_pad", "SAME_LOWER")), 5
	})
	add("mean over channels", 17, func(b *builder, in string) (string, int) {
		mean := b.add("ReduceMean", "m", "m", []string{in}, ints("axes", 1), one("keepdims", 0))
		return b.add("Mul", "x", "x", []string{in, b.add("Unsqueeze", "u", "u", []string{mean, list(b, "axes", 1)})}), 6
	})
	add("squeeze and excite", 17, func(b *builder, in string) (string, int) {
		mean := b.add("ReduceMean", "m", "m", []string{in}, ints("axes", 2, 3))
		gate := b.add("Sigmoid", "g", "g", []string{b.plain("c", mean, 6, 6, 1)})
		return b.add("Mul", "x", "x", []string{gate, in}), 6
	})
	add("concat, split, slice, gather", 17, func(b *builder, in string) (string, int) {
		b.graph.Node = append(b.graph.Node, onnx.NewNode("Split", "s", []string{in, list(b, "sizes", 2, 4)}, []string{"s1", "s2"}, one("axis", 1)))
		part := b.add("Slice", "t", "t", []string{in, list(b, "starts", 1), list(b, "ends", 6), list(b, "axes", 1), list(b, "steps", 2)})
		picked := b.add("Gather", "g", "g", []string{in, list(b, "indices", 5, 0, -2)}, one("axis", 1))
		return b.add("Concat", "x", "x", []string{"s2", part, "s1", picked}, one("axis", 1)), 12
	})
	add("channel shuffle", 17, func(b *builder, in string) (string, int) {
		wide := b.add("Reshape", "r", "r", []string{in, list(b, "wide", 1, 2, 3, 8, 8)})
		turned := b.add("Transpose", "t", "t", []string{wide}, ints("perm", 0, 2, 1, 3, 4))
		return b.plain("c", b.add("Reshape", "q", "q", []string{turned, list(b, "narrow", 1, -1, 8, 8)}), 6, 5, 1), 5
	})
	add("space to depth and back", 17, func(b *builder, in string) (string, int) {
		return b.add("DepthToSpace", "d", "d", []string{b.plain("c", b.add("SpaceToDepth", "s", "s", []string{in}, one("blocksize", 2)), 24, 24, 1)}, one("blocksize", 2)), 6
	})
	add("pad with channels and a value", 17, func(b *builder, in string) (string, int) {
		return b.add("Pad", "p", "p", []string{in, list(b, "pads", 0, 1, 2, 0, 0, 2, 0, 1), number(b, "value", 0.5)}), 9
	})
	add("expand", 17, func(b *builder, in string) (string, int) {
		return b.add("Expand", "e", "e", []string{b.add("ReduceMax", "m", "m", []string{in}, ints("axes", 3)), list(b, "shape", 1, 6, 8, 3)}), 6
	})
	add("convolution of rows", 17, func(b *builder, in string) (string, int) {
		rows := b.add("Reshape", "r", "r", []string{in, list(b, "rows", 1, 6, 64)})
		b.tensor("w", []int{4, 6, 3}, 0.5)
		y := b.add("Conv", "c", "c", []string{rows, "w"}, ints("strides", 2), ints("pads", 1, 0))
		return b.add("Reshape", "q", "q", []string{y, list(b, "picture", 1, 4, 4, 8)}), 4
	})
	add("layer normalization of channels", 17, func(b *builder, in string) (string, int) {
		last := b.add("Transpose", "t", "t", []string{in}, ints("perm", 0, 2, 3, 1))
		b.tensor("scale", []int{6}, 0.5)
		b.tensor("bias", []int{6}, 0.5)
		normal := b.add("LayerNormalization", "n", "n", []string{last, "scale", "bias"}, onnx.FloatAttribute("epsilon", 1e-5))
		b.tensor("w", []int{6, 7}, 0.5)
		mixed := b.add("MatMul", "m", "m", []string{normal, "w"})
		return b.add("Transpose", "u", "u", []string{mixed}, ints("perm", 0, 3, 1, 2)), 7
	})
	add("attention", 17, func(b *builder, in string) (string, int) {
		tokens := b.add("Transpose", "t", "t", []string{b.add("Reshape", "r", "r", []string{in, list(b, "tokens", 1, 6, 64)})}, ints("perm", 0, 2, 1))
		b.tensor("w", []int{6, 18}, 0.5)
		mixed := b.add("Reshape", "s", "s", []string{b.add("MatMul", "m", "m", []string{tokens, "w"}), list(b, "heads", 1, 64, 3, 2, 3)})
		parts := b.add("Transpose", "u", "u", []string{mixed}, ints("perm", 2, 0, 3, 1, 4))
		var qkv []string
		for i, name := range []string{"q", "k", "v"} {
			b.graph.Initializer = append(b.graph.Initializer, onnx.Int64Tensor("at"+name, nil, []int64{int64(i)}))
			qkv = append(qkv, b.add("Gather", name, name, []string{parts, "at" + name}))
		}
		turned := b.add("Transpose", "kt", "kt", []string{qkv[1]}, ints("perm", 0, 1, 3, 2))
		weight := b.add("Softmax", "p", "p", []string{b.add("MatMul", "qk", "qk", []string{qkv[0], turned})})
		seen := b.add("Transpose", "y", "y", []string{b.add("MatMul", "pv", "pv", []string{weight, qkv[2]})}, ints("perm", 0, 2, 1, 3))
		joined := b.add("Reshape", "j", "j", []string{seen, list(b, "joined", 1, 64, 6)})
		return b.add("Reshape", "z", "z", []string{b.add("Transpose", "i", "i", []string{joined}, ints("perm", 0, 2, 1)), list(b, "picture", 1, 6, 8, 8)}), 6
	})
	add("transpose of six axes", 17, func(b *builder, in string) (string, int) {
		wide := b.add("Reshape", "r", "r", []string{in, list(b, "wide", 2, 3, 2, 4, 4, 2)})
		turned := b.add("Transpose", "t", "t", []string{wide}, ints("perm", 5, 3, 1, 4, 2, 0))
		return b.add("Reshape", "q", "q", []string{turned, list(b, "picture", 1, 6, 8, 8)}), 6
	})
	return cases
}
