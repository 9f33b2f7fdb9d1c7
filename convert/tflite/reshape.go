package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// reshape writes RESHAPE, with the shape both as an input and as an option:
// readers differ in which one they look at.
func reshape(n *graph.Node) operation {
	shape := intList("shape", n.Shape)
	return operation{
		code: schema.BuiltinOperatorRESHAPE, version: 1,
		options: schema.BuiltinOptionsReshapeOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			at := ints(b, shape.ints)
			schema.ReshapeOptionsStart(b)
			schema.ReshapeOptionsAddNewShape(b, at)
			return schema.ReshapeOptionsEnd(b)
		},
		constants: []constant{shape},
	}
}
