package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// sub writes SUB of two values.
func sub(n *graph.Node) operation {
	return operation{
		code: schema.BuiltinOperatorSUB, version: 1,
		options: schema.BuiltinOptionsSubOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.SubOptionsStart(b)
			schema.SubOptionsAddFusedActivationFunction(b, activation(n.Attrs))
			return schema.SubOptionsEnd(b)
		},
	}
}
