package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// transpose writes TRANSPOSE.
func transpose(n *graph.Node) operation {
	return operation{
		code: schema.BuiltinOperatorTRANSPOSE, version: 1,
		options: schema.BuiltinOptionsTransposeOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.TransposeOptionsStart(b)
			return schema.TransposeOptionsEnd(b)
		},
		constants: []constant{intList("perm", n.Attrs.Perm)},
	}
}
