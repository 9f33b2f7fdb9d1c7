package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// mean writes MEAN over height and width.
func mean(n *graph.Node) operation {
	return operation{
		code: schema.BuiltinOperatorMEAN, version: 1,
		options: schema.BuiltinOptionsReducerOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.ReducerOptionsStart(b)
			schema.ReducerOptionsAddKeepDims(b, n.Attrs.KeepDims)
			return schema.ReducerOptionsEnd(b)
		},
		constants: []constant{{name: "axes", shape: []int{2}, ints: []int32{1, 2}}},
	}
}
