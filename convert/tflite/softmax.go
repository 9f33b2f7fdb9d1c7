package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// softmax writes SOFTMAX over the last axis.
func softmax(*graph.Node) operation {
	return operation{
		code: schema.BuiltinOperatorSOFTMAX, version: 1,
		options: schema.BuiltinOptionsSoftmaxOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.SoftmaxOptionsStart(b)
			schema.SoftmaxOptionsAddBeta(b, 1)
			return schema.SoftmaxOptionsEnd(b)
		},
	}
}
