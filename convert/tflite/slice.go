package tflite

import (
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// slice writes SLICE, or STRIDED_SLICE where it leaves elements out.
func slice(n *graph.Node) operation {
	a := n.Attrs
	if slices.Max(a.Step) > 1 {
		return stridedSlice(a)
	}
	return operation{
		code: schema.BuiltinOperatorSLICE, version: 1,
		options: schema.BuiltinOptionsSliceOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.SliceOptionsStart(b)
			return schema.SliceOptionsEnd(b)
		},
		constants: []constant{intList("begin", a.Begin), intList("size", a.Size)},
	}
}

func stridedSlice(a graph.Attrs) operation {
	end := make([]int, len(a.Begin))
	for i := range end {
		end[i] = a.Begin[i] + (a.Size[i]-1)*a.Step[i] + 1
	}
	return operation{
		code: schema.BuiltinOperatorSTRIDED_SLICE, version: 1,
		options: schema.BuiltinOptionsStridedSliceOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.StridedSliceOptionsStart(b)
			return schema.StridedSliceOptionsEnd(b)
		},
		constants: []constant{intList("begin", a.Begin), intList("end", end), intList("strides", a.Step)},
	}
}
