package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// add writes ADD: of two values, or of a value and a constant.
func add(n *graph.Node) operation {
	op := operation{
		code: schema.BuiltinOperatorADD, version: 1,
		options: schema.BuiltinOptionsAddOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.AddOptionsStart(b)
			schema.AddOptionsAddFusedActivationFunction(b, activation(n.Attrs))
			return schema.AddOptionsEnd(b)
		},
	}
	if n.Op == graph.OpShift {
		op.constants = []constant{{name: "summand", shape: n.Weights[0].Shape, floats: n.Weights[0].Data}}
	}
	return op
}
