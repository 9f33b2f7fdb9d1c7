// Package tflite writes graphs as TensorFlow Lite flatbuffers, schema version 3.
//
// [Write] takes a graph in NHWC layout, as graph.Lower leaves it, and writes
// one subgraph with one input and one output tensor. Each operator has a file
// of its own. The same graph gives the same bytes anywhere: names are made from
// operators and positions, never from the model they came from, and weights
// stand in the order of their use, aligned to 16 bytes.
//
// Package schema beneath is generated from tflite.fbs, the part of TensorFlow
// Lite's schema that is written here. Only operators of version 1 (2 for
// dilated depthwise convolutions) are used, so TensorFlow Lite 2.9 and later
// read the files.
package tflite

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// description marks every file that this package writes.
const description = "fathom"

// operation is what an operator's file makes of a node.
type operation struct {
	code    schema.BuiltinOperator
	version int32
	// options is the type of the options and how they are written.
	options schema.BuiltinOptions
	build   func(*flatbuffers.Builder) flatbuffers.UOffsetT
	// constants follow the node's inputs.
	constants []constant
}

// constant is a tensor with data: exactly one of floats and ints.
type constant struct {
	name   string
	shape  []int
	floats []float32
	ints   []int32
	stored graph.Stored // how floats are written
}

// tensor is an entry of the subgraph's table.
type tensor struct {
	name   string
	shape  []int
	kind   schema.TensorType
	buffer int
	*quantization
}

// writer collects what the flatbuffer will hold before any of it is built:
// flatbuffers are written from the leaves up.
type writer struct {
	tensors []tensor
	buffers []constant // buffer 0 is empty by convention
	codes   []operation
	ops     []placed
}

// placed is an operation with its tensors.
type placed struct {
	operation
	code            int
	inputs, outputs []int32
}

// Write returns the bytes of a TFLite file that holds the graph.
func Write(g *graph.Graph) ([]byte, error) {
	data, _, err := WriteIndexed(g)
	return data, err
}

// WriteIndexed also says which of the file's tensors is each node's output.
func WriteIndexed(g *graph.Graph) ([]byte, map[*graph.Node]int32, error) {
	if g.Layout != graph.NHWC {
		return nil, nil, fmt.Errorf("tflite: the graph is not in NHWC layout (run graph.Lower first)")
	}
	w := &writer{buffers: make([]constant, 1)}
	index := map[*graph.Node]int32{}
	for i, n := range g.Nodes {
		if n.Op == graph.OpInput {
			index[n] = w.value("input", n.Shape, n.Storage)
			continue
		}
		if n.Op == graph.OpConst {
			index[n] = w.constant(fmt.Sprintf("CONST_%d", i), constant{name: "value", shape: n.Weights[0].Shape, floats: n.Weights[0].Data, stored: n.StoredWeight(0)})
			continue
		}
		op, err := operate(n)
		if err == nil {
			err = checkStored(n)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("tflite: %s (%s): %w", n.Name, n.Op, err)
		}
		op.stored(n)
		if n.Quantized() {
			op.version = int8Version(op)
		}
		name := fmt.Sprintf("%s_%d", op.code, i)
		p := placed{operation: op, code: w.code(op)}
		for _, in := range n.Inputs {
			p.inputs = append(p.inputs, index[in])
		}
		for _, c := range op.constants {
			p.inputs = append(p.inputs, w.constant(name, c))
		}
		if n == g.Output {
			name = "output"
		}
		index[n] = w.value(name, n.Shape, n.Storage)
		p.outputs = []int32{index[n]}
		w.ops = append(w.ops, p)
	}
	return w.finish(index[g.Input()], index[g.Output]), index, nil
}

// operate picks the operator's file.
func operate(n *graph.Node) (operation, error) {
	if code, ok := elementwise[n.Op]; ok {
		return plain(code), nil
	}
	writers := map[graph.Op]func(*graph.Node) operation{
		graph.OpAdd: add, graph.OpShift: add, graph.OpMul: mul, graph.OpScale: mul, graph.OpSub: sub, graph.OpDiv: div,
		graph.OpConv: conv2D, graph.OpDepthwise: depthwiseConv2D, graph.OpFullyConnected: fullyConnected, graph.OpMatMul: batchMatMul,
		graph.OpAveragePool: pool2D, graph.OpMaxPool: pool2D, graph.OpPad: pad, graph.OpMean: mean,
		graph.OpReduceMean: reduce, graph.OpReduceSum: reduce, graph.OpReduceMax: reduce,
		graph.OpReshape: reshape, graph.OpTranspose: transpose, graph.OpConcat: concat, graph.OpSlice: slice, graph.OpGather: gather,
		graph.OpSoftmax: softmax, graph.OpGelu: gelu, graph.OpLeakyRelu: leakyRelu, graph.OpPRelu: prelu,
		graph.OpQuantize: quantize, graph.OpDequantize: func(*graph.Node) operation { return dequantize(2) },
	}
	if write := writers[n.Op]; write != nil {
		return write(n), nil
	}
	return operation{}, fmt.Errorf("cannot be written (run graph.Lower first)")
}

// value adds a tensor that an operator writes.
func (w *writer) value(name string, shape []int, s *graph.Storage) int32 {
	if s == nil || s.Output == nil {
		return w.add(tensor{name: name, shape: shape, kind: schema.TensorTypeFLOAT32})
	}
	q := &quantization{scales: []float32{s.Output.Scale}, zero: s.Output.Zero}
	return w.add(tensor{name: name, shape: shape, kind: schema.TensorTypeINT8, quantization: q})
}

func (w *writer) constant(node string, c constant) int32 {
	if c.stored.Number == graph.Float16 {
		return w.half(node, c)
	}
	return w.add(tensor{node + "/" + c.name, c.shape, c.kind(), w.buffer(c), c.quantization()})
}

func (w *writer) add(t tensor) int32 {
	w.tensors = append(w.tensors, t)
	return int32(len(w.tensors) - 1)
}

func (w *writer) buffer(c constant) int {
	w.buffers = append(w.buffers, c)
	return len(w.buffers) - 1
}

// code returns the index of the operator code, adding it at its first use.
func (w *writer) code(op operation) int {
	for i, c := range w.codes {
		if c.code == op.code && c.version == op.version {
			return i
		}
	}
	w.codes = append(w.codes, op)
	return len(w.codes) - 1
}
