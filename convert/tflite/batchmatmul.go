package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// batchMatMul writes BATCH_MATMUL.
func batchMatMul(n *graph.Node) operation {
	return operation{
		code: schema.BuiltinOperatorBATCH_MATMUL, version: 1,
		options: schema.BuiltinOptionsBatchMatMulOptions,
		build: func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
			schema.BatchMatMulOptionsStart(b)
			schema.BatchMatMulOptionsAddAdjX(b, n.Attrs.AdjX)
			schema.BatchMatMulOptionsAddAdjY(b, n.Attrs.AdjY)
			return schema.BatchMatMulOptionsEnd(b)
		},
	}
}
