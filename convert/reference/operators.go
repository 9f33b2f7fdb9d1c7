package reference

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// operator is one operator of the standard operator set.
type operator struct {
	name       string
	maxInputs  int      // -1: any number
	attributes []string // those that it understands; any other is refused
	// prepare reads the attributes of a node and returns what computes it.
	prepare func(*onnx.NodeProto) (kernel, error)
}

// kernel computes the one output of a node.
type kernel func(in arguments) (value, error)

// operators is sorted by name.
func operators() []operator {
	window := []string{"auto_pad", "dilations", "kernel_shape", "pads", "strides"}
	pool := append([]string{"ceil_mode"}, window...)
	return []operator{
		{"Add", 2, nil, plain(add)},
		{"AveragePool", 1, append([]string{"count_include_pad"}, pool...), prepareAveragePool},
		{"BatchNormalization", 5, []string{"epsilon", "momentum", "training_mode"}, prepareBatchNormalization},
		{"Clip", 3, nil, plain(clip)},
		{"Concat", -1, []string{"axis"}, prepareConcat},
		{"Constant", 0, []string{"value", "value_float", "value_int", "value_ints"}, prepareConstant},
		{"Conv", 3, append([]string{"group"}, window...), prepareConv},
		{"Flatten", 1, []string{"axis"}, prepareFlatten},
		{"Gemm", 3, []string{"alpha", "beta", "transA", "transB"}, prepareGemm},
		{"GlobalAveragePool", 1, nil, plain(globalAveragePool)},
		{"Identity", 1, nil, plain(identity)},
		{"MatMul", 2, nil, plain(matMul)},
		{"MaxPool", 1, append([]string{"storage_order"}, pool...), prepareMaxPool},
		{"Mul", 2, nil, plain(mul)},
		{"Pad", 4, []string{"mode"}, preparePad},
		{"ReduceMean", 2, []string{"axes", "keepdims", "noop_with_empty_axes"}, prepareReduceMean},
		{"Relu", 1, nil, plain(relu)},
		{"Reshape", 2, []string{"allowzero"}, prepareReshape},
		{"Softmax", 1, []string{"axis"}, prepareSoftmax},
	}
}

// Operators lists the names of the operators that can be evaluated, sorted.
func Operators() []string {
	var names []string
	for _, op := range operators() {
		names = append(names, op.name)
	}
	return names
}

// plain is the prepare of operators without attributes.
func plain(k kernel) func(*onnx.NodeProto) (kernel, error) {
	return func(*onnx.NodeProto) (kernel, error) { return k, nil }
}

// prepareNode checks a node against its operator.
func prepareNode(op operator, n *onnx.NodeProto) (kernel, error) {
	if op.maxInputs >= 0 && len(n.GetInput()) > op.maxInputs {
		return nil, fmt.Errorf("%d inputs, want at most %d", len(n.GetInput()), op.maxInputs)
	}
	for _, a := range n.GetAttribute() {
		if !slices.Contains(op.attributes, a.GetName()) {
			return nil, fmt.Errorf("attribute %q is not supported", a.GetName())
		}
	}
	for i, name := range n.GetOutput() {
		if i > 0 && name != "" {
			return nil, fmt.Errorf("output %q: only the first output is supported", name)
		}
	}
	if len(n.GetOutput()) == 0 || n.GetOutput()[0] == "" {
		return nil, errors.New("no output")
	}
	return op.prepare(n)
}
