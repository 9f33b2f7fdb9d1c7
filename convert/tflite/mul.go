package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// mul writes MUL: of two values, or of a value and a constant.
func mul(n *graph.Node) operation {
	op := operation{
		code: schema.BuiltinOperatorMUL, version: 1,
		options: schema.BuiltinOptionsMulOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.MulOptionsStart(b)
			schema.MulOptionsAddFusedActivationFunction(b, activation(n.Attrs))
			return schema.MulOptionsEnd(b)
		},
	}
	if n.Op == graph.OpScale {
		op.constants = []constant{{name: "factor", shape: n.Weights[0].Shape, floats: n.Weights[0].Data}}
	}
	return op
}
