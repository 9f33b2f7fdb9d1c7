package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// concat writes CONCATENATION.
func concat(n *graph.Node) operation {
	return operation{
		code: schema.BuiltinOperatorCONCATENATION, version: 1,
		options: schema.BuiltinOptionsConcatenationOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.ConcatenationOptionsStart(b)
			schema.ConcatenationOptionsAddAxis(b, int32(n.Attrs.Axis))
			return schema.ConcatenationOptionsEnd(b)
		},
	}
}
