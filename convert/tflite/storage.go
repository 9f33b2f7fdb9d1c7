package tflite

import (
	"encoding/binary"
	"fmt"
	"math"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// kinds are TFLite's names of the ways to store a number.
var kinds = map[graph.Number]schema.TensorType{
	graph.Float32: schema.TensorTypeFLOAT32,
	graph.Float16: schema.TensorTypeFLOAT16,
	graph.Int8:    schema.TensorTypeINT8,
	graph.Int32:   schema.TensorTypeINT32,
}

// quantization is a tensor's scales; nil for other tensors.
type quantization struct {
	scales []float32
	zero   int
	axis   int
}

// stored completes the constants that are a node's weights by how these are
// stored. They follow one another as in Node.Weights; an operator whose
// constants are something else has no stored weights.
func (op *operation) stored(n *graph.Node) {
	for i := range op.constants {
		if op.constants[i].floats != nil {
			op.constants[i].stored = n.StoredWeight(i)
		}
	}
}

// kind of a constant.
func (c constant) kind() schema.TensorType {
	if c.ints != nil {
		return schema.TensorTypeINT32
	}
	return kinds[c.stored.Number]
}

func (c constant) quantization() *quantization {
	if len(c.stored.Scales) == 0 {
		return nil
	}
	return &quantization{c.stored.Scales, c.stored.Zero, c.stored.Axis}
}

// size is the number of bytes of the constant in the file.
func (c constant) size() int {
	return int(c.stored.Number.Bytes()) * max(len(c.floats), len(c.ints), len(c.stored.Values))
}

// append adds the constant to out in TFLite's little-endian layout.
func (c constant) append(out []byte) []byte {
	integers := c.ints
	if c.stored.Values != nil {
		integers = c.stored.Values
	}
	switch {
	case c.stored.Number == graph.Int8:
		for _, v := range integers {
			out = append(out, byte(int8(v)))
		}
	case integers != nil:
		for _, v := range integers {
			out = binary.LittleEndian.AppendUint32(out, uint32(v))
		}
	case c.stored.Number == graph.Float16:
		for _, v := range c.floats {
			out = binary.LittleEndian.AppendUint16(out, graph.ToFloat16(v))
		}
	default:
		for _, v := range c.floats {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
	}
	return out
}

// int8Version is the version of an operator that takes int8; operators that are
// not listed take it from version 2 on.
func int8Version(op operation) int32 {
	least := int32(2)
	switch op.code {
	case schema.BuiltinOperatorCONV_2D, schema.BuiltinOperatorDEPTHWISE_CONV_2D:
		least = 3
	case schema.BuiltinOperatorFULLY_CONNECTED:
		least = 4
	case schema.BuiltinOperatorRESHAPE, schema.BuiltinOperatorQUANTIZE:
		least = 1
	}
	return max(least, op.version)
}

// quantize writes QUANTIZE: float32 to int8, or int8 to int8 (version 2).
func quantize(n *graph.Node) operation {
	version := int32(1)
	if n.Inputs[0].Quantized() {
		version = 2
	}
	return operation{code: schema.BuiltinOperatorQUANTIZE, version: version}
}

// dequantize writes DEQUANTIZE of int8 (version 2) or float16 (version 3).
func dequantize(version int32) operation {
	return operation{code: schema.BuiltinOperatorDEQUANTIZE, version: version}
}

// half adds a float16 constant and the DEQUANTIZE that makes it float32, and
// returns the latter's output: the form that XNNPACK unpacks once, when it loads.
func (w *writer) half(node string, c constant) int32 {
	from := w.add(tensor{name: node + "/" + c.name + "_float16", shape: c.shape, kind: schema.TensorTypeFLOAT16, buffer: w.buffer(c)})
	to := w.value(node+"/"+c.name, c.shape, nil)
	op := dequantize(3)
	w.ops = append(w.ops, placed{operation: op, code: w.code(op), inputs: []int32{from}, outputs: []int32{to}})
	return to
}

func writeQuantization(b *flatbuffers.Builder, q *quantization) flatbuffers.UOffsetT {
	b.StartVector(8, len(q.scales), 8)
	for range q.scales {
		b.PrependInt64(int64(q.zero))
	}
	zeros := b.EndVector(len(q.scales))
	b.StartVector(4, len(q.scales), 4)
	for i := len(q.scales) - 1; i >= 0; i-- {
		b.PrependFloat32(q.scales[i])
	}
	scales := b.EndVector(len(q.scales))
	schema.QuantizationParametersStart(b)
	schema.QuantizationParametersAddScale(b, scales)
	schema.QuantizationParametersAddZeroPoint(b, zeros)
	schema.QuantizationParametersAddQuantizedDimension(b, int32(q.axis))
	return schema.QuantizationParametersEnd(b)
}

// checkStored refuses stored weights that do not fit their tensors.
func checkStored(n *graph.Node) error {
	for i, w := range n.Weights {
		s := n.StoredWeight(i)
		if s.Values != nil && len(s.Values) != len(w.Data) {
			return fmt.Errorf("%d stored values for weights of shape %v", len(s.Values), w.Shape)
		}
	}
	return nil
}
