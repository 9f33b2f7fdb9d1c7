//go:build cgo

package main

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// network builds an ONNX model node by node.
type network struct {
	onnx.GraphProto
	random *rand.Rand
}

func (n *network) node(op string, inputs []string, attributes ...*onnx.AttributeProto) string {
	name := fmt.Sprintf("%s%d", op, len(n.Node))
	n.Node = append(n.Node, onnx.NewNode(op, name, inputs, []string{name}, attributes...))
	return name
}

func (n *network) weights(dims ...int64) string {
	count := int64(1)
	for _, d := range dims {
		count *= d
	}
	values := make([]float32, count)
	for i := range values {
		values[i] = n.random.Float32() - 0.5
	}
	name := fmt.Sprintf("w%d", len(n.Initializer))
	n.Initializer = append(n.Initializer, onnx.FloatTensor(name, dims, values))
	return name
}

func (n *network) conv(in string, from, to, kernel, group int64) string {
	pad := kernel / 2
	return n.node("Conv", []string{in, n.weights(to, from/group, kernel, kernel), n.weights(to)},
		onnx.IntsAttribute("kernel_shape", kernel, kernel), onnx.IntsAttribute("pads", pad, pad, pad, pad), onnx.IntAttribute("group", group))
}

// gate is squeeze and excitation: what a sigmoid of pooled values lets through.
func (n *network) gate(in string, channels int64, sigmoid string) string {
	squeezed := n.node("Relu", []string{n.conv(n.node("GlobalAveragePool", []string{in}), channels, 4, 1, 1)})
	return n.node("Mul", []string{in, n.node(sigmoid, []string{n.conv(squeezed, 4, channels, 1, 1)})})
}

// mobile has the blocks of MobileNet v2 and v3, EfficientNet and SqueezeNet.
func mobile() *onnx.ModelProto {
	n := &network{random: rand.New(rand.NewPCG(3, 3))}
	n.Input = []*onnx.ValueInfoProto{onnx.FloatValue("image", 1, 3, 8, 8)}
	n.Output = []*onnx.ValueInfoProto{onnx.FloatValue("logits", 1, 4)}
	x := n.node("HardSwish", []string{n.conv("image", 3, 8, 3, 1)})
	// MobileNet v3: expansion, depthwise, gate by hard sigmoid, projection, residual.
	y := n.node("HardSwish", []string{n.conv(x, 8, 16, 1, 1)})
	y = n.node("HardSwish", []string{n.conv(y, 16, 16, 3, 16)})
	y = n.conv(n.gate(y, 16, "HardSigmoid"), 16, 8, 1, 1)
	x = n.node("Add", []string{x, y})
	// EfficientNet: x*sigmoid(x), gate by sigmoid.
	y = n.conv(x, 8, 16, 3, 1)
	y = n.node("Mul", []string{y, n.node("Sigmoid", []string{y})})
	y = n.conv(n.gate(y, 16, "Sigmoid"), 16, 8, 1, 1)
	x = n.node("Add", []string{x, y})
	// MobileNet v2: Relu6; SqueezeNet: Concat.
	low := onnx.FloatTensor("low", nil, []float32{0})
	high := onnx.FloatTensor("high", nil, []float32{6})
	n.Initializer = append(n.Initializer, low, high)
	six := n.node("Clip", []string{n.conv(x, 8, 8, 3, 8), "low", "high"})
	x = n.node("Concat", []string{x, n.node("Relu", []string{n.conv(six, 8, 4, 1, 1)})}, onnx.IntAttribute("axis", 1))
	x = n.node("MaxPool", []string{x}, onnx.IntsAttribute("kernel_shape", 2, 2), onnx.IntsAttribute("strides", 2, 2))
	x = n.node("Flatten", []string{n.node("GlobalAveragePool", []string{x})})
	n.Node = append(n.Node, onnx.NewNode("Gemm", "head", []string{x, n.weights(4, 12), n.weights(4)}, []string{"logits"}, onnx.IntAttribute("transB", 1)))
	return onnx.NewModel("mobile", &n.GraphProto)
}

// TestInt8Mobile converts what mobile networks are made of to int8: no node stays
// float32, and TFLite gives the evaluator's answer.
func TestInt8Mobile(t *testing.T) {
	r := convertModel(t, mobile(), calibrated(8, 8))
	k := r.Evidence.Proof[0].Kernels
	if k.XNNPACK != 0 || *k.Builtin != 0 {
		t.Errorf("TFLite differs from the evaluator: %v, without XNNPACK %v", k.XNNPACK, *k.Builtin)
	}
	q := r.Evidence.Quantization
	if len(q.Kept)+len(q.Without) > 0 {
		t.Errorf("in float32: %v, %v", q.Kept, q.Without)
	}
	if e := q.Final[0].LogitError; e > 0.02 {
		t.Errorf("the logits' error has %g of their power", e)
	}
}
