package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// fullyConnected writes FULLY_CONNECTED: matrix [out, in], bias [out].
func fullyConnected(n *graph.Node) operation {
	return operation{
		code: schema.BuiltinOperatorFULLY_CONNECTED, version: 1,
		options: schema.BuiltinOptionsFullyConnectedOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.FullyConnectedOptionsStart(b)
			schema.FullyConnectedOptionsAddFusedActivationFunction(b, activation(n.Attrs))
			return schema.FullyConnectedOptionsEnd(b)
		},
		constants: weights(n),
	}
}
