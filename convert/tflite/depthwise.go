package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// depthwiseConv2D writes DEPTHWISE_CONV_2D: filter 1HWO, bias [O].
func depthwiseConv2D(n *graph.Node) operation {
	a := n.Attrs
	version := int32(1)
	if a.Dilation != [2]int{1, 1} {
		version = 2
	}
	multiplier := n.Shape[3] / n.Inputs[0].Shape[3]
	return operation{
		code: schema.BuiltinOperatorDEPTHWISE_CONV_2D, version: version,
		options: schema.BuiltinOptionsDepthwiseConv2DOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.DepthwiseConv2DOptionsStart(b)
			schema.DepthwiseConv2DOptionsAddPadding(b, padding(a))
			schema.DepthwiseConv2DOptionsAddStrideH(b, int32(a.Stride[0]))
			schema.DepthwiseConv2DOptionsAddStrideW(b, int32(a.Stride[1]))
			schema.DepthwiseConv2DOptionsAddDepthMultiplier(b, int32(multiplier))
			schema.DepthwiseConv2DOptionsAddFusedActivationFunction(b, activation(a))
			schema.DepthwiseConv2DOptionsAddDilationHFactor(b, int32(a.Dilation[0]))
			schema.DepthwiseConv2DOptionsAddDilationWFactor(b, int32(a.Dilation[1]))
			return schema.DepthwiseConv2DOptionsEnd(b)
		},
		constants: weights(n),
	}
}
