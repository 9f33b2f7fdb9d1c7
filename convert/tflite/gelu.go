package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// gelu writes GELU.
func gelu(n *graph.Node) operation {
	return operation{
		code: schema.BuiltinOperatorGELU, version: 1,
		options: schema.BuiltinOptionsGeluOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.GeluOptionsStart(b)
			schema.GeluOptionsAddApproximate(b, n.Attrs.Approximate)
			return schema.GeluOptionsEnd(b)
		},
	}
}
