package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// conv2D writes CONV_2D: filter OHWI, bias [O].
func conv2D(n *graph.Node) operation {
	a := n.Attrs
	return operation{
		code: schema.BuiltinOperatorCONV_2D, version: 1,
		options: schema.BuiltinOptionsConv2DOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.Conv2DOptionsStart(b)
			schema.Conv2DOptionsAddPadding(b, padding(a))
			schema.Conv2DOptionsAddStrideH(b, int32(a.Stride[0]))
			schema.Conv2DOptionsAddStrideW(b, int32(a.Stride[1]))
			schema.Conv2DOptionsAddFusedActivationFunction(b, activation(a))
			schema.Conv2DOptionsAddDilationHFactor(b, int32(a.Dilation[0]))
			schema.Conv2DOptionsAddDilationWFactor(b, int32(a.Dilation[1]))
			return schema.Conv2DOptionsEnd(b)
		},
		constants: weights(n),
	}
}
