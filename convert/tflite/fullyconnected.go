package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// fullyConnected writes FULLY_CONNECTED: matrix [out, in], bias [out]. Inputs of
// more than two dimensions keep them, which takes version 5.
func fullyConnected(n *graph.Node) operation {
	version, keep := int32(1), len(n.Shape) != 2
	if keep {
		version = 5
	}
	return operation{
		code: schema.BuiltinOperatorFULLY_CONNECTED, version: version,
		options: schema.BuiltinOptionsFullyConnectedOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.FullyConnectedOptionsStart(b)
			schema.FullyConnectedOptionsAddFusedActivationFunction(b, activation(n.Attrs))
			schema.FullyConnectedOptionsAddKeepNumDims(b, keep)
			return schema.FullyConnectedOptionsEnd(b)
		},
		constants: weights(n),
	}
}
