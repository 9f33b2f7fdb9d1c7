package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// mean writes MEAN over height and width.
func mean(n *graph.Node) operation {
	return reduction(schema.BuiltinOperatorMEAN, []int{1, 2}, n.Attrs.KeepDims)
}

// reduce writes MEAN, SUM and REDUCE_MAX over any axes.
func reduce(n *graph.Node) operation {
	code := schema.BuiltinOperatorMEAN
	switch n.Op {
	case graph.OpReduceSum:
		code = schema.BuiltinOperatorSUM
	case graph.OpReduceMax:
		code = schema.BuiltinOperatorREDUCE_MAX
	}
	return reduction(code, n.Attrs.Axes, n.Attrs.KeepDims)
}

func reduction(code schema.BuiltinOperator, axes []int, keep bool) operation {
	return operation{
		code: code, version: 1,
		options: schema.BuiltinOptionsReducerOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.ReducerOptionsStart(b)
			schema.ReducerOptionsAddKeepDims(b, keep)
			return schema.ReducerOptionsEnd(b)
		},
		constants: []constant{intList("axes", axes)},
	}
}
