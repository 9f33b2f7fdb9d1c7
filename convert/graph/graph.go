// Package graph is the intermediate form between ONNX and TFLite, and the
// passes that lead from one to the other.
//
// A [Graph] is one network with one input and one output, for a batch of one,
// in float32. A [Node] is an operator together with its only output tensor;
// what ONNX keeps in initializers (weights, shapes, bounds) sits in the node
// that uses it. [Import] yields a graph in ONNX's layout (NCHW); [Lower] runs
// the passes and yields one in TFLite's (NHWC) that holds only operators which
// package tflite can write.
//
// A pass is a function from graph to graph that leaves its argument alone; one
// pass a file. What cannot be brought over is reported as an
// [UnsupportedError] that lists every node concerned, never just the first.
//
// Values written by a pass are the same bytes on every machine: sums and
// products are done in float64 with explicit conversions, so that no fused
// multiply-add slips in, and rounded once.
//
// Nothing here is shared between goroutines; distinct graphs may be used at
// once, even where they share weights, since weights are never written to.
package graph

import "slices"

// Layout is the order of a four-dimensional tensor's axes.
type Layout int

const (
	NCHW Layout = iota // ONNX
	NHWC               // TFLite
)

// Op names an operator.
type Op string

// What package tflite writes, in NHWC layout.
const (
	OpInput          Op = "Input"
	OpConst          Op = "Const"          // no inputs; weights: the value
	OpConv           Op = "Conv"           // weights: filter OHWI, bias [O]; in NCHW layout OIHW, and Attrs.Group counts
	OpDepthwise      Op = "Depthwise"      // weights: filter 1HWO, bias [O]; in NCHW layout O1HW
	OpFullyConnected Op = "FullyConnected" // of the last axis, for any number before it; weights: matrix [out, in], bias [out]
	OpScale          Op = "Scale"          // product with a constant that broadcasts to the input; weights: factor, [C] as a rule
	OpShift          Op = "Shift"          // sum with a constant that broadcasts to the input; weights: summand, [C] as a rule
	OpAdd            Op = "Add"            // Add, Mul, Sub, Div, Maximum and Minimum are of two values that broadcast to each other
	OpMul            Op = "Mul"
	OpSub            Op = "Sub"
	OpDiv            Op = "Div"
	OpMaximum        Op = "Maximum"
	OpMinimum        Op = "Minimum"
	OpRelu           Op = "Relu"
	OpRelu6          Op = "Relu6"
	OpLeakyRelu      Op = "LeakyRelu" // Attrs.Alpha
	OpElu            Op = "Elu"       // with alpha 1
	OpPRelu          Op = "PRelu"     // weights: alpha, which broadcasts to the input
	OpHardSwish      Op = "HardSwish"
	OpSigmoid        Op = "Sigmoid"
	OpTanh           Op = "Tanh"
	OpGelu           Op = "Gelu" // Attrs.Approximate: with tanh instead of erf
	OpExp            Op = "Exp"
	OpLog            Op = "Log"
	OpSqrt           Op = "Sqrt"
	OpSquare         Op = "Square"
	OpNeg            Op = "Neg"
	OpAbs            Op = "Abs"
	OpAveragePool    Op = "AveragePool"
	OpMaxPool        Op = "MaxPool"
	OpMean           Op = "Mean"       // over height and width
	OpReduceMean     Op = "ReduceMean" // over Attrs.Axes
	OpReduceSum      Op = "ReduceSum"  // over Attrs.Axes
	OpReduceMax      Op = "ReduceMax"  // over Attrs.Axes
	OpReshape        Op = "Reshape"
	OpTranspose      Op = "Transpose" // Attrs.Perm
	OpConcat         Op = "Concat"    // along Attrs.Axis
	OpSlice          Op = "Slice"     // Attrs.Begin and Size, every Attrs.Step-th element
	OpGather         Op = "Gather"    // Attrs.Indices along Attrs.Axis
	OpSoftmax        Op = "Softmax"   // over the last axis
	OpPad            Op = "Pad"       // Attrs.PadValue around height and width
	OpMatMul         Op = "MatMul"    // of two values, the last two axes; Attrs.AdjX and AdjY
)

// What only stands in imported graphs; passes lower or fuse it.
const (
	OpIdentity    Op = "Identity"
	OpBatchNorm   Op = "BatchNorm"   // weights: scale, bias, mean, variance, each [C]
	OpLayerNorm   Op = "LayerNorm"   // over the last axis; weights: scale, bias
	OpHardSigmoid Op = "HardSigmoid" // clip(Alpha*x + Beta, 0, 1)
	OpErf         Op = "Erf"
)

// Activation is fused into the operator before it.
type Activation int

const (
	None Activation = iota
	Relu
	Relu6
)

// Padding says how the borders of a window operator are treated.
type Padding int

const (
	// Explicit padding is given by Attrs.Pads: ONNX's way.
	Explicit Padding = iota
	// Same pads so that output = ceil(input / stride), with the odd row or
	// column at the end: TFLite's SAME.
	Same
	// Valid does not pad.
	Valid
)

// Attrs are the attributes of a node; those that an operator does not have
// are zero. Pairs are height, width.
type Attrs struct {
	Kernel   [2]int
	Stride   [2]int
	Dilation [2]int
	Padding  Padding
	Pads     [4]int // top, left, bottom, right
	// CountPads: an average pool divides by the whole window, pads included.
	CountPads  bool
	Activation Activation
	// Epsilon is added to the variance of a BatchNorm.
	Epsilon float32
	// KeepDims: Mean keeps height and width as axes of length one.
	KeepDims bool
	// Dims is the wanted shape of a Reshape, as ONNX writes it: -1 is inferred,
	// 0 copies the input's. After InferShapes, Node.Shape is the truth.
	Dims []int
	// Group is ONNX's group of a depthwise convolution.
	Group int
	// Axis of Concat and Gather; Axes of reductions. Never negative.
	Axis int
	Axes []int
	// Perm of a Transpose: axis i of the output is axis Perm[i] of the input.
	Perm []int
	// Begin, Size (of the output) and Step of a Slice, for every axis.
	Begin, Size, Step []int
	// Indices of a Gather.
	Indices []int
	// AdjX and AdjY transpose the last two axes of a MatMul's inputs first.
	AdjX, AdjY bool
	// Alpha and Beta are parameters of activations.
	Alpha, Beta float32
	// Approximate is Gelu with tanh.
	Approximate bool
	// PadValue is what a Pad adds: zero, or what no maximum takes.
	PadValue float32
}

// Tensor is a constant.
type Tensor struct {
	Shape []int
	Data  []float32
}

// Node is an operator and its output tensor.
type Node struct {
	// Name is what ONNX calls the node; it is for messages and never part of
	// what is written or compared.
	Name    string
	Op      Op
	Inputs  []*Node
	Weights []Tensor
	Attrs   Attrs
	// Shape is the output's, set by InferShapes.
	Shape []int
	// Origin is a hash of the weights as they were imported, before folding:
	// two nodes with equal Origin and different weights were trained with
	// different normalization. Empty for nodes without weights, and without NameOrigins.
	Origin string
	// Storage is nil where output and weights are float32.
	Storage *Storage
}

// Graph is a network. Nodes stand in topological order, the input first.
type Graph struct {
	Layout Layout
	Nodes  []*Node
	Output *Node
}

// Input returns the input node.
func (g *Graph) Input() *Node { return g.Nodes[0] }

// clone copies the graph, except for the weights' data, which is shared and
// never written to.
func (g *Graph) clone() *Graph {
	made := make(map[*Node]*Node, len(g.Nodes))
	c := &Graph{Layout: g.Layout, Nodes: make([]*Node, len(g.Nodes))}
	for i, n := range g.Nodes {
		m := *n
		m.Inputs = make([]*Node, len(n.Inputs))
		for j, in := range n.Inputs {
			m.Inputs[j] = made[in]
		}
		m.Weights = slices.Clone(n.Weights)
		m.Shape = slices.Clone(n.Shape)
		c.Nodes[i] = &m
		made[n] = &m
	}
	c.Output = made[g.Output]
	return c
}

// consumers counts the uses of every node's output; being the graph's output
// is one.
func (g *Graph) consumers() map[*Node]int {
	uses := map[*Node]int{g.Output: 1}
	for _, n := range g.Nodes {
		for _, in := range n.Inputs {
			uses[in]++
		}
	}
	return uses
}

// replace makes every user of old use new instead. The old node stays in
// Nodes; DropDead removes it.
func (g *Graph) replace(old, new *Node) {
	for _, n := range g.Nodes {
		for i, in := range n.Inputs {
			if in == old {
				n.Inputs[i] = new
			}
		}
	}
	if g.Output == old {
		g.Output = new
	}
}

// elements is the number of values in a tensor of this shape.
func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
