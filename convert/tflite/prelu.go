package tflite

import (
	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// prelu writes PRELU: x where it is positive, a constant times x elsewhere.
func prelu(n *graph.Node) operation {
	op := plain(schema.BuiltinOperatorPRELU)
	op.constants = []constant{{name: "alpha", shape: n.Weights[0].Shape, floats: n.Weights[0].Data}}
	return op
}
