package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// pad writes PAD, zeros around height and width, or PADV2 with another value.
func pad(n *graph.Node) operation {
	p := n.Attrs.Pads
	pads := constant{name: "pads", shape: []int{4, 2}, ints: []int32{0, 0, int32(p[0]), int32(p[2]), int32(p[1]), int32(p[3]), 0, 0}}
	if n.Attrs.PadValue != 0 {
		return operation{
			code: schema.BuiltinOperatorPADV2, version: 1,
			options: schema.BuiltinOptionsPadV2Options,
			build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
				schema.PadV2OptionsStart(b)
				return schema.PadV2OptionsEnd(b)
			},
			constants: []constant{pads, {name: "value", shape: []int{1}, floats: []float32{n.Attrs.PadValue}}},
		}
	}
	return operation{
		code: schema.BuiltinOperatorPAD, version: 1,
		options: schema.BuiltinOptionsPadOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.PadOptionsStart(b)
			return schema.PadOptionsEnd(b)
		},
		constants: []constant{pads},
	}
}
