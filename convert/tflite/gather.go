package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// gather writes GATHER of constant indices.
func gather(n *graph.Node) operation {
	return operation{
		code: schema.BuiltinOperatorGATHER, version: 1,
		options: schema.BuiltinOptionsGatherOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.GatherOptionsStart(b)
			schema.GatherOptionsAddAxis(b, int32(n.Attrs.Axis))
			return schema.GatherOptionsEnd(b)
		},
		constants: []constant{intList("indices", n.Attrs.Indices)},
	}
}
