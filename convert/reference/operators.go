package reference

import (
	"errors"
	"fmt"
	"math"
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
	// several replaces prepare where a node has several outputs.
	several func(*onnx.NodeProto) (kernels, error)
}

// kernel computes the one output of a node, kernels all of them.
type (
	kernel  func(in arguments) (value, error)
	kernels func(in arguments) ([]value, error)
)

// operators is sorted by name. The version of the operator set matters where an
// operator changed its meaning.
func operators(opset int64) []operator {
	window := []string{"auto_pad", "dilations", "kernel_shape", "pads", "strides"}
	pool := append([]string{"ceil_mode"}, window...)
	reduction := []string{"axes", "keepdims", "noop_with_empty_axes"}
	return []operator{
		{name: "Abs", maxInputs: 1, prepare: elementwise(math.Abs)},
		{name: "Add", maxInputs: 2, prepare: plain(arithmetic(func(a, b float32) float32 { return a + b }, func(a, b int64) (int64, error) { return a + b, nil }))},
		{name: "And", maxInputs: 2, prepare: plain(arithmetic(nil, func(a, b int64) (int64, error) { return a * b, nil }))},
		{name: "AveragePool", maxInputs: 1, attributes: append([]string{"count_include_pad"}, pool...), prepare: prepareAveragePool},
		{name: "BatchNormalization", maxInputs: 5, attributes: []string{"epsilon", "momentum", "spatial", "training_mode"}, prepare: prepareBatchNormalization},
		{name: "Cast", maxInputs: 1, attributes: []string{"saturate", "to"}, prepare: prepareCast},
		{name: "Clip", maxInputs: 3, attributes: []string{"max", "min"}, prepare: prepareClip},
		{name: "Concat", maxInputs: -1, attributes: []string{"axis"}, prepare: prepareConcat},
		{name: "Constant", maxInputs: 0, attributes: []string{"value", "value_float", "value_floats", "value_int", "value_ints"}, prepare: prepareConstant},
		{name: "ConstantOfShape", maxInputs: 1, attributes: []string{"value"}, prepare: prepareConstantOfShape},
		{name: "Conv", maxInputs: 3, attributes: append([]string{"group"}, window...), prepare: prepareConv},
		{name: "DepthToSpace", maxInputs: 1, attributes: []string{"blocksize", "mode"}, prepare: prepareDepthToSpace},
		{name: "Div", maxInputs: 2, prepare: plain(arithmetic(func(a, b float32) float32 { return a / b }, divide))},
		{name: "Dropout", maxInputs: 3, attributes: []string{"ratio", "seed"}, prepare: plain(identity)},
		{name: "Elu", maxInputs: 1, attributes: []string{"alpha"}, prepare: prepareElu},
		{name: "Equal", maxInputs: 2, prepare: plain(comparison(func(a, b float64) bool { return a == b }))},
		{name: "Erf", maxInputs: 1, prepare: elementwise(math.Erf)},
		{name: "Exp", maxInputs: 1, prepare: elementwise(math.Exp)},
		{name: "Expand", maxInputs: 2, prepare: plain(onFirst(expand))},
		{name: "Flatten", maxInputs: 1, attributes: []string{"axis"}, prepare: prepareFlatten},
		{name: "Gather", maxInputs: 2, attributes: []string{"axis"}, prepare: prepareGather},
		{name: "Gelu", maxInputs: 1, attributes: []string{"approximate"}, prepare: prepareGelu},
		{name: "Gemm", maxInputs: 3, attributes: []string{"alpha", "beta", "transA", "transB"}, prepare: prepareGemm},
		{name: "GlobalAveragePool", maxInputs: 1, prepare: plain(globalPool(func(channel []float32) float32 { return mean(channel, len(channel)) }))},
		{name: "GlobalMaxPool", maxInputs: 1, prepare: plain(globalPool(func(channel []float32) float32 { return slices.Max(channel) }))},
		{name: "Greater", maxInputs: 2, prepare: plain(comparison(func(a, b float64) bool { return a > b }))},
		{name: "GreaterOrEqual", maxInputs: 2, prepare: plain(comparison(func(a, b float64) bool { return a >= b }))},
		{name: "HardSigmoid", maxInputs: 1, attributes: []string{"alpha", "beta"}, prepare: prepareHardSigmoid},
		{name: "HardSwish", maxInputs: 1, prepare: elementwise(func(x float64) float64 { return x * min(max(x/6+0.5, 0), 1) })},
		{name: "Identity", maxInputs: 1, prepare: plain(identity)},
		{name: "LayerNormalization", maxInputs: 3, attributes: []string{"axis", "epsilon", "stash_type"}, prepare: prepareLayerNormalization},
		{name: "LeakyRelu", maxInputs: 1, attributes: []string{"alpha"}, prepare: prepareLeakyRelu},
		{name: "Less", maxInputs: 2, prepare: plain(comparison(func(a, b float64) bool { return a < b }))},
		{name: "LessOrEqual", maxInputs: 2, prepare: plain(comparison(func(a, b float64) bool { return a <= b }))},
		{name: "Log", maxInputs: 1, prepare: elementwise(math.Log)},
		{name: "MatMul", maxInputs: 2, prepare: plain(matMul)},
		{name: "Max", maxInputs: -1, prepare: plain(folded(func(a, b float32) float32 { return max(a, b) }, func(a, b int64) (int64, error) { return max(a, b), nil }))},
		{name: "MaxPool", maxInputs: 1, attributes: append([]string{"storage_order"}, pool...), prepare: prepareMaxPool},
		{name: "Min", maxInputs: -1, prepare: plain(folded(func(a, b float32) float32 { return min(a, b) }, func(a, b int64) (int64, error) { return min(a, b), nil }))},
		{name: "Mod", maxInputs: 2, attributes: []string{"fmod"}, prepare: prepareMod},
		{name: "Mul", maxInputs: 2, prepare: plain(arithmetic(func(a, b float32) float32 { return a * b }, func(a, b int64) (int64, error) { return a * b, nil }))},
		{name: "Neg", maxInputs: 1, prepare: plain(negate)},
		{name: "Not", maxInputs: 1, prepare: plain(not)},
		{name: "Or", maxInputs: 2, prepare: plain(arithmetic(nil, func(a, b int64) (int64, error) { return a | b, nil }))},
		{name: "PRelu", maxInputs: 2, prepare: plain(arithmetic(func(x, slope float32) float32 { return max(x, 0) + slope*min(x, 0) }, nil))},
		{name: "Pad", maxInputs: 4, attributes: []string{"mode", "pads", "value"}, prepare: preparePad},
		{name: "Pow", maxInputs: 2, prepare: plain(arithmetic(func(a, b float32) float32 { return float32(math.Pow(float64(a), float64(b))) }, nil))},
		{name: "Range", maxInputs: 3, prepare: plain(integerRange)},
		{name: "ReduceMax", maxInputs: 2, attributes: reduction, prepare: prepareReduce(func(v []float64) float64 { return slices.Max(v) })},
		{name: "ReduceMean", maxInputs: 2, attributes: reduction, prepare: prepareReduce(func(v []float64) float64 { return total(v) / float64(len(v)) })},
		{name: "ReduceProd", maxInputs: 2, attributes: reduction, prepare: prepareReduce(product)},
		{name: "ReduceSum", maxInputs: 2, attributes: reduction, prepare: prepareReduce(total)},
		{name: "Relu", maxInputs: 1, prepare: elementwise(func(x float64) float64 { return max(x, 0) })},
		{name: "Reshape", maxInputs: 2, attributes: []string{"allowzero"}, prepare: prepareReshape},
		{name: "ScatterND", maxInputs: 3, attributes: []string{"reduction"}, prepare: prepareScatterND},
		{name: "Shape", maxInputs: 1, attributes: []string{"end", "start"}, prepare: prepareShape},
		{name: "Sigmoid", maxInputs: 1, prepare: elementwise(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) })},
		{name: "Size", maxInputs: 1, prepare: plain(size)},
		{name: "Slice", maxInputs: 5, attributes: []string{"axes", "ends", "starts"}, prepare: prepareSlice},
		{name: "Softmax", maxInputs: 1, attributes: []string{"axis"}, prepare: prepareSoftmax(opset)},
		{name: "SpaceToDepth", maxInputs: 1, attributes: []string{"blocksize"}, prepare: prepareSpaceToDepth},
		{name: "Split", maxInputs: 2, attributes: []string{"axis", "num_outputs", "split"}, several: prepareSplit},
		{name: "Sqrt", maxInputs: 1, prepare: elementwise(math.Sqrt)},
		{name: "Squeeze", maxInputs: 2, attributes: []string{"axes"}, prepare: prepareSqueeze},
		{name: "Sub", maxInputs: 2, prepare: plain(arithmetic(func(a, b float32) float32 { return a - b }, func(a, b int64) (int64, error) { return a - b, nil }))},
		{name: "Tanh", maxInputs: 1, prepare: elementwise(math.Tanh)},
		{name: "Tile", maxInputs: 2, prepare: plain(onFirst(tile))},
		{name: "Transpose", maxInputs: 1, attributes: []string{"perm"}, prepare: prepareTranspose},
		{name: "Trilu", maxInputs: 2, attributes: []string{"upper"}, prepare: prepareTrilu},
		{name: "Unsqueeze", maxInputs: 2, attributes: []string{"axes"}, prepare: prepareUnsqueeze},
		{name: "Where", maxInputs: 3, prepare: plain(where)},
	}
}

// Operators lists the names of the operators that can be evaluated, sorted.
func Operators() []string {
	var names []string
	for _, op := range operators(maxOpset) {
		names = append(names, op.name)
	}
	return names
}

// plain is the prepare of operators without attributes.
func plain(k kernel) func(*onnx.NodeProto) (kernel, error) {
	return func(*onnx.NodeProto) (kernel, error) { return k, nil }
}

// onFirst is a kernel whose first input, of either type, must be there.
func onFirst(compute func(x value, in arguments) (value, error)) kernel {
	return func(in arguments) (value, error) {
		x, err := in.any(0)
		if err != nil {
			return value{}, err
		}
		return compute(x, in)
	}
}

// prepareNode checks a node against its operator.
func prepareNode(op operator, n *onnx.NodeProto) (kernels, error) {
	if op.maxInputs >= 0 && len(n.GetInput()) > op.maxInputs {
		return nil, fmt.Errorf("%d inputs, want at most %d", len(n.GetInput()), op.maxInputs)
	}
	for _, a := range n.GetAttribute() {
		if !slices.Contains(op.attributes, a.GetName()) {
			return nil, fmt.Errorf("attribute %q is not supported", a.GetName())
		}
	}
	for i, name := range n.GetOutput() {
		if i > 0 && name != "" && op.several == nil {
			return nil, fmt.Errorf("output %q: only the first output is supported", name)
		}
	}
	if len(n.GetOutput()) == 0 || n.GetOutput()[0] == "" {
		return nil, errors.New("no output")
	}
	if op.several != nil {
		return op.several(n)
	}
	run, err := op.prepare(n)
	if err != nil {
		return nil, err
	}
	return func(in arguments) ([]value, error) {
		v, err := run(in)
		return []value{v}, err
	}, nil
}
