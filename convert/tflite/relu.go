package tflite

import (
	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// relu writes RELU and RELU6 where they could not be fused. They have no options.
func relu(n *graph.Node) operation {
	code := schema.BuiltinOperatorRELU
	if n.Op == graph.OpRelu6 {
		code = schema.BuiltinOperatorRELU6
	}
	return operation{code: code, version: 1}
}
