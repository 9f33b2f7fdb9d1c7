package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// leakyRelu writes LEAKY_RELU.
func leakyRelu(n *graph.Node) operation {
	return operation{
		code: schema.BuiltinOperatorLEAKY_RELU, version: 1,
		options: schema.BuiltinOptionsLeakyReluOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.LeakyReluOptionsStart(b)
			schema.LeakyReluOptionsAddAlpha(b, n.Attrs.Alpha)
			return schema.LeakyReluOptionsEnd(b)
		},
	}
}
