package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// div writes DIV of two values.
func div(n *graph.Node) operation {
	return operation{
		code: schema.BuiltinOperatorDIV, version: 1,
		options: schema.BuiltinOptionsDivOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.DivOptionsStart(b)
			schema.DivOptionsAddFusedActivationFunction(b, activation(n.Attrs))
			return schema.DivOptionsEnd(b)
		},
	}
}
