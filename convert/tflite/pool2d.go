package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// pool2D writes AVERAGE_POOL_2D and MAX_POOL_2D.
func pool2D(n *graph.Node) operation {
	code := schema.BuiltinOperatorAVERAGE_POOL_2D
	if n.Op == graph.OpMaxPool {
		code = schema.BuiltinOperatorMAX_POOL_2D
	}
	a := n.Attrs
	return operation{
		code: code, version: 1,
		options: schema.BuiltinOptionsPool2DOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.Pool2DOptionsStart(b)
			schema.Pool2DOptionsAddPadding(b, padding(a))
			schema.Pool2DOptionsAddStrideH(b, int32(a.Stride[0]))
			schema.Pool2DOptionsAddStrideW(b, int32(a.Stride[1]))
			schema.Pool2DOptionsAddFilterHeight(b, int32(a.Kernel[0]))
			schema.Pool2DOptionsAddFilterWidth(b, int32(a.Kernel[1]))
			schema.Pool2DOptionsAddFusedActivationFunction(b, activation(a))
			return schema.Pool2DOptionsEnd(b)
		},
	}
}
