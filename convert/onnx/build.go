package onnx

import "github.com/fathom-edge/fathom/convert/onnx/pb"

// NewNode returns a node of the standard operator set.
func NewNode(op, name string, inputs, outputs []string, attributes ...*AttributeProto) *NodeProto {
	return &NodeProto{OpType: op, Name: name, Input: inputs, Output: outputs, Attribute: attributes}
}

// IntAttribute returns an integer attribute.
func IntAttribute(name string, v int64) *AttributeProto {
	return &AttributeProto{Name: name, Type: pb.AttributeProto_INT, I: v}
}

// IntsAttribute returns a list attribute.
func IntsAttribute(name string, v ...int64) *AttributeProto {
	return &AttributeProto{Name: name, Type: pb.AttributeProto_INTS, Ints: v}
}

// FloatAttribute returns a float attribute.
func FloatAttribute(name string, v float32) *AttributeProto {
	return &AttributeProto{Name: name, Type: pb.AttributeProto_FLOAT, F: v}
}

// StringAttribute returns a string attribute.
func StringAttribute(name, v string) *AttributeProto {
	return &AttributeProto{Name: name, Type: pb.AttributeProto_STRING, S: []byte(v)}
}

// TensorAttribute returns a tensor attribute.
func TensorAttribute(name string, t *TensorProto) *AttributeProto {
	return &AttributeProto{Name: name, Type: pb.AttributeProto_TENSOR, T: t}
}

// FloatValue describes a float32 input or output of a graph.
func FloatValue(name string, dims ...int64) *ValueInfoProto {
	shape := new(TensorShapeProto)
	for _, d := range dims {
		shape.Dim = append(shape.Dim, &pb.TensorShapeProto_Dimension{
			Value: &pb.TensorShapeProto_Dimension_DimValue{DimValue: d},
		})
	}
	return &ValueInfoProto{Name: name, Type: &TypeProto{Value: &pb.TypeProto_TensorType{
		TensorType: &pb.TypeProto_Tensor{ElemType: TypeFloat, Shape: shape},
	}}}
}

// NewModel wraps a graph for opset 17 and IR version 8, which every current
// reader knows.
func NewModel(producer string, g *GraphProto) *ModelProto {
	return &ModelProto{
		IrVersion:    8,
		ProducerName: producer,
		OpsetImport:  []*OperatorSetIdProto{{Version: 17}},
		Graph:        g,
	}
}
