package tflite

import (
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// alignment of weights within the file, as TFLite's kernels expect it.
const alignment = 16

// finish builds the flatbuffer. Whatever an object refers to is written before
// it, and so lies behind it in the file.
func (w *writer) finish(input, output int32) []byte {
	b := flatbuffers.NewBuilder(w.size())
	var scratch []byte
	buffers := offsets(b, w.buffers, func(b *flatbuffers.Builder, c constant) flatbuffers.UOffsetT {
		scratch = c.append(slices.Grow(scratch[:0], c.size()))
		return writeBuffer(b, scratch)
	})
	tensors := offsets(b, w.tensors, writeTensor)
	ops := offsets(b, w.ops, writeOperator)
	codes := offsets(b, w.codes, writeCode)
	inputs, outputs := ints(b, []int32{input}), ints(b, []int32{output})
	name, about := b.CreateString("main"), b.CreateString(description)

	schema.SubGraphStart(b)
	schema.SubGraphAddTensors(b, tensors)
	schema.SubGraphAddInputs(b, inputs)
	schema.SubGraphAddOutputs(b, outputs)
	schema.SubGraphAddOperators(b, ops)
	schema.SubGraphAddName(b, name)
	subgraph := schema.SubGraphEnd(b)
	subgraphs := vector(b, []flatbuffers.UOffsetT{subgraph})

	schema.ModelStart(b)
	schema.ModelAddVersion(b, 3)
	schema.ModelAddOperatorCodes(b, codes)
	schema.ModelAddSubgraphs(b, subgraphs)
	schema.ModelAddDescription(b, about)
	schema.ModelAddBuffers(b, buffers)
	b.FinishWithFileIdentifier(schema.ModelEnd(b), []byte("TFL3"))
	return b.FinishedBytes()
}

// size is about what the file will take, so that the builder need not grow.
func (w *writer) size() int {
	const each = 256 // for a tensor, an operator, or a buffer without its data
	size := each * (4 + len(w.tensors) + len(w.ops) + len(w.buffers))
	for _, c := range w.buffers {
		size += c.size()
	}
	return size
}

func writeBuffer(b *flatbuffers.Builder, data []byte) flatbuffers.UOffsetT {
	if len(data) == 0 {
		schema.BufferStart(b)
		return schema.BufferEnd(b)
	}
	// The builder writes backwards: a vector that is padded to the alignment
	// before its length is written begins on it.
	b.Prep(flatbuffers.SizeUOffsetT, len(data))
	b.Prep(alignment, len(data))
	at := b.CreateByteVector(data)
	schema.BufferStart(b)
	schema.BufferAddData(b, at)
	return schema.BufferEnd(b)
}

func writeTensor(b *flatbuffers.Builder, t tensor) flatbuffers.UOffsetT {
	dims := make([]int32, len(t.shape))
	for i, d := range t.shape {
		dims[i] = int32(d)
	}
	shape, name := ints(b, dims), b.CreateString(t.name)
	var scales flatbuffers.UOffsetT
	if t.quantization != nil {
		scales = writeQuantization(b, t.quantization)
	}
	schema.TensorStart(b)
	schema.TensorAddShape(b, shape)
	schema.TensorAddType(b, t.kind)
	schema.TensorAddBuffer(b, uint32(t.buffer))
	schema.TensorAddName(b, name)
	if t.quantization != nil {
		schema.TensorAddQuantization(b, scales)
	}
	return schema.TensorEnd(b)
}

func writeOperator(b *flatbuffers.Builder, p placed) flatbuffers.UOffsetT {
	inputs, outputs := ints(b, p.inputs), ints(b, p.outputs)
	var options flatbuffers.UOffsetT
	if p.build != nil {
		options = p.build(b)
	}
	schema.OperatorStart(b)
	schema.OperatorAddOpcodeIndex(b, uint32(p.code))
	schema.OperatorAddInputs(b, inputs)
	schema.OperatorAddOutputs(b, outputs)
	if p.build != nil {
		schema.OperatorAddBuiltinOptionsType(b, p.options)
		schema.OperatorAddBuiltinOptions(b, options)
	}
	return schema.OperatorEnd(b)
}

func writeCode(b *flatbuffers.Builder, op operation) flatbuffers.UOffsetT {
	schema.OperatorCodeStart(b)
	schema.OperatorCodeAddDeprecatedBuiltinCode(b, int8(min(op.code, 127)))
	schema.OperatorCodeAddVersion(b, op.version)
	schema.OperatorCodeAddBuiltinCode(b, op.code)
	return schema.OperatorCodeEnd(b)
}

// offsets writes objects in order and then the vector that points to them.
func offsets[T any](b *flatbuffers.Builder, items []T, write func(*flatbuffers.Builder, T) flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	at := make([]flatbuffers.UOffsetT, len(items))
	for i, item := range items {
		at[i] = write(b, item)
	}
	return vector(b, at)
}

func vector(b *flatbuffers.Builder, at []flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	b.StartVector(4, len(at), 4)
	for i := len(at) - 1; i >= 0; i-- {
		b.PrependUOffsetT(at[i])
	}
	return b.EndVector(len(at))
}

func ints(b *flatbuffers.Builder, values []int32) flatbuffers.UOffsetT {
	b.StartVector(4, len(values), 4)
	for i := len(values) - 1; i >= 0; i-- {
		b.PrependInt32(values[i])
	}
	return b.EndVector(len(values))
}
