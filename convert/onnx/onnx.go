// Package onnx reads and writes ONNX models: the form in which a family comes
// to the converter.
//
// A model is one graph of nodes; values are named by strings; weights are
// initializers. The bytes of large weights may stand outside the model's file,
// as ONNX external data, so that the variants of a family keep shared weights
// once. Load brings them back into each tensor's RawData; two tensors that name
// the same bytes then share one slice, so RawData is never written to.
//
// All functions may be called by several goroutines; an ExternalWriter belongs
// to one. Errors name the file, the tensor or the node.
package onnx

import "github.com/fathom-edge/fathom/convert/onnx/pb"

// The messages of ONNX, so that callers need one import.
type (
	ModelProto             = pb.ModelProto
	OperatorSetIdProto     = pb.OperatorSetIdProto
	StringStringEntryProto = pb.StringStringEntryProto
	GraphProto             = pb.GraphProto
	NodeProto              = pb.NodeProto
	AttributeProto         = pb.AttributeProto
	TensorProto            = pb.TensorProto
	ValueInfoProto         = pb.ValueInfoProto
	TypeProto              = pb.TypeProto
	TensorShapeProto       = pb.TensorShapeProto
)

// Element types of tensors (TensorProto.data_type).
const (
	TypeFloat = int32(pb.TensorProto_FLOAT)
	TypeInt64 = int32(pb.TensorProto_INT64)
	TypeBool  = int32(pb.TensorProto_BOOL)
)

// OpsetVersion returns the version of the standard operator set that the model
// asks for, 0 if it names none.
func OpsetVersion(m *ModelProto) int64 {
	for _, o := range m.GetOpsetImport() {
		if o.GetDomain() == "" || o.GetDomain() == "ai.onnx" {
			return o.GetVersion()
		}
	}
	return 0
}
