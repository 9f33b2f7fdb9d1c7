package graph

import (
	"slices"
	"strings"
)

// Operator is an ONNX operator that can be converted.
type Operator struct {
	Name    string
	Becomes string // TFLite's operators
	Limits  string // what is not supported of it; "" where nothing is known

	attributes []string
	// run imports a node. It returns the node of the first output, or nil if it
	// set the outputs itself.
	run func(*call) (*Node, error)
}

// Operators lists what can be converted, sorted by name. Operators that are
// only computed, when all their inputs are constants, are in [Folded].
func Operators() []Operator {
	window := []string{"auto_pad", "dilations", "kernel_shape", "pads", "strides"}
	pool := append([]string{"ceil_mode"}, window...)
	return []Operator{
		{"Abs", "ABS", "", nil, unary(OpAbs)},
		{"Add", "ADD, or the bias of the layer before it", "", nil, sum},
		{"AveragePool", "AVERAGE_POOL_2D, with PAD (and MUL) where pads are not those of SAME", "2-D; no dilations", append([]string{"count_include_pad"}, pool...), averagePool},
		{"BatchNormalization", "part of the layer before it; elsewhere MUL and ADD", "inference", []string{"epsilon", "momentum", "spatial", "training_mode"}, batchNorm},
		{"Cast", "nothing", "of float values to float32", []string{"to", "saturate"}, castValue},
		{"Clip", "RELU, RELU6, or MAXIMUM and MINIMUM", "constant bounds", []string{"max", "min"}, clip},
		{"Concat", "CONCATENATION", "", []string{"axis"}, concat},
		{"Constant", "nothing", "numbers", []string{"value", "value_float", "value_floats", "value_int", "value_ints"}, constantNode},
		{"Conv", "CONV_2D, DEPTHWISE_CONV_2D; groups as several CONV_2D", "1-D and 2-D; constant weights", append([]string{"group"}, window...), convNode},
		{"DepthToSpace", "RESHAPE, TRANSPOSE", "", []string{"blocksize", "mode"}, depthToSpace},
		{"Div", "DIV, or MUL by a constant", "", nil, quotient},
		{"Dropout", "nothing", "inference", []string{"ratio", "seed"}, identity},
		{"Elu", "ELU", "alpha 1", []string{"alpha"}, elu},
		{"Erf", "part of GELU", "only in GELU, x * (1 + erf(x / sqrt 2)) / 2", nil, unary(OpErf)},
		{"Exp", "EXP", "", nil, unary(OpExp)},
		{"Expand", "ADD of zeros", "", nil, expand},
		{"Flatten", "RESHAPE", "", []string{"axis"}, reshape},
		{"Gather", "SLICE, GATHER", "constant indices", []string{"axis"}, gather},
		{"Gelu", "GELU", "", []string{"approximate"}, gelu},
		{"Gemm", "FULLY_CONNECTED", "constant matrix and bias", []string{"alpha", "beta", "transA", "transB"}, gemm},
		{"GlobalAveragePool", "MEAN", "2-D", nil, globalAveragePool},
		{"GlobalMaxPool", "MAX_POOL_2D", "2-D", nil, globalMaxPool},
		{"HardSigmoid", "RELU6 and MUL", "alpha above 0", []string{"alpha", "beta"}, hardSigmoid},
		{"HardSwish", "HARD_SWISH", "", nil, unary(OpHardSwish)},
		{"Identity", "nothing", "", nil, identity},
		{"LayerNormalization", "FULLY_CONNECTED (the means), SUB, MUL, ADD, SQRT, DIV", "", []string{"axis", "epsilon", "stash_type"}, layerNorm},
		{"LeakyRelu", "LEAKY_RELU", "", []string{"alpha"}, leakyRelu},
		{"Log", "LOG", "", nil, unary(OpLog)},
		{"MatMul", "FULLY_CONNECTED, or BATCH_MATMUL of two values", "vectors", nil, matMul},
		{"Max", "MAXIMUM", "", nil, extreme(OpMaximum)},
		{"MaxPool", "MAX_POOL_2D, with PAD or PADV2 where pads are not those of SAME", "2-D; no dilations, no indices", append([]string{"storage_order"}, pool...), maxPool},
		{"Min", "MINIMUM", "", nil, extreme(OpMinimum)},
		{"Mul", "MUL, or part of the layer before it", "", nil, product},
		{"Neg", "NEG", "", nil, unary(OpNeg)},
		{"PRelu", "PRELU", "constant slope", nil, preluNode},
		{"Pad", "PAD, or CONCATENATION with zeros", "constant padding", []string{"mode", "pads", "value"}, pad},
		{"Pow", "MUL, SQRT", "exponents 0.5, 1, 2, 3, 4", nil, power},
		{"ReduceMax", "REDUCE_MAX", "", reductionAttributes, reduce(OpReduceMax)},
		{"ReduceMean", "MEAN; FULLY_CONNECTED along the channels", "", reductionAttributes, reduce(OpReduceMean)},
		{"ReduceSum", "SUM", "", reductionAttributes, reduce(OpReduceSum)},
		{"Relu", "part of the layer before it; elsewhere RELU", "", nil, unary(OpRelu)},
		{"Reshape", "RESHAPE", "constant shape", []string{"allowzero"}, reshape},
		{"Shape", "nothing", "", []string{"end", "start"}, shapeNode},
		{"Sigmoid", "LOGISTIC", "", nil, unary(OpSigmoid)},
		{"Size", "nothing", "", nil, sizeNode},
		{"Slice", "SLICE, STRIDED_SLICE", "constant bounds; steps above 0", []string{"axes", "ends", "starts"}, sliceNode},
		{"Softmax", "SOFTMAX", "not as the last layer, since a bundle gives logits", []string{"axis"}, softmax},
		{"SpaceToDepth", "RESHAPE, TRANSPOSE", "", []string{"blocksize"}, spaceToDepth},
		{"Split", "SLICE", "constant sizes", []string{"axis", "num_outputs", "split"}, splitNode},
		{"Sqrt", "SQRT", "", nil, unary(OpSqrt)},
		{"Squeeze", "RESHAPE", "", []string{"axes"}, reshape},
		{"Sub", "SUB, or ADD of a constant", "", nil, difference},
		{"Tanh", "TANH", "", nil, unary(OpTanh)},
		{"Transpose", "nothing where the layout absorbs it; elsewhere TRANSPOSE", "", []string{"perm"}, transpose},
		{"Unsqueeze", "RESHAPE", "", []string{"axes"}, reshape},
	}
}

var reductionAttributes = []string{"axes", "keepdims", "noop_with_empty_axes"}

func findOperator(name string) (Operator, bool) {
	all := Operators()
	i, ok := slices.BinarySearchFunc(all, name, func(o Operator, name string) int { return strings.Compare(o.Name, name) })
	if !ok {
		return Operator{}, false
	}
	return all[i], true
}

// Folded lists the operators that are computed where all their inputs are
// constants, as in arithmetic on shapes, sorted.
func Folded() []string {
	var names []string
	for name := range folders() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// hint says what to do about an operator that is not known.
func hint(op string) string {
	switch op {
	case "Loop", "If", "Scan":
		return "export without control flow: model.eval(), a fixed image size, no branches on values"
	case "LSTM", "GRU", "RNN":
		return "recurrent networks are no image classifiers"
	case "ConvTranspose", "Resize", "Upsample":
		return "an operator of segmentation and detection networks; Fathom converts classifiers"
	case "ArgMax", "TopK", "NonMaxSuppression":
		return "export the logits, without what picks classes from them"
	case "LogSoftmax":
		return "export the logits, without the last layer"
	case "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "ConvInteger", "MatMulInteger":
		return "export the float32 model; fathom convert quantizes"
	case "GroupNormalization", "InstanceNormalization":
		return "train with BatchNorm or LayerNorm, or export with an operator set in which it is spelt out"
	}
	if strings.Contains(op, ".") {
		return "an operator of another domain; export with standard operators only"
	}
	return "replace it by operators that fathom convert --list-operators names"
}
