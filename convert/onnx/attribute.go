package onnx

import (
	"fmt"

	"github.com/fathom-edge/fathom/convert/onnx/pb"
)

// Int returns an integer attribute of a node, def if the node has none.
func Int(n *NodeProto, name string, def int64) (int64, error) {
	a, err := attribute(n, name, pb.AttributeProto_INT)
	if a == nil {
		return def, err
	}
	return a.GetI(), nil
}

// Ints returns a list attribute of a node, def if the node has none.
func Ints(n *NodeProto, name string, def ...int64) ([]int64, error) {
	a, err := attribute(n, name, pb.AttributeProto_INTS)
	if a == nil {
		return def, err
	}
	return a.GetInts(), nil
}

// Float returns a float attribute of a node, def if the node has none.
func Float(n *NodeProto, name string, def float32) (float32, error) {
	a, err := attribute(n, name, pb.AttributeProto_FLOAT)
	if a == nil {
		return def, err
	}
	return a.GetF(), nil
}

// String returns a string attribute of a node, def if the node has none.
func String(n *NodeProto, name, def string) (string, error) {
	a, err := attribute(n, name, pb.AttributeProto_STRING)
	if a == nil {
		return def, err
	}
	return string(a.GetS()), nil
}

// Tensor returns a tensor attribute of a node, nil if the node has none.
func Tensor(n *NodeProto, name string) (*TensorProto, error) {
	a, err := attribute(n, name, pb.AttributeProto_TENSOR)
	return a.GetT(), err
}

// attribute returns nil and no error if the node has no such attribute.
func attribute(n *NodeProto, name string, want pb.AttributeProto_AttributeType) (*AttributeProto, error) {
	for _, a := range n.GetAttribute() {
		if a.GetName() != name {
			continue
		}
		if a.GetType() != want {
			return nil, fmt.Errorf("onnx: %s: attribute %q is of type %s, want %s (export the model again)", NodeName(n), name, a.GetType(), want)
		}
		return a, nil
	}
	return nil, nil
}

// NodeName names a node in messages: operator and name, or its first output
// where the exporter gave no name.
func NodeName(n *NodeProto) string {
	name := n.GetName()
	if name == "" && len(n.GetOutput()) > 0 {
		name = n.GetOutput()[0]
	}
	op := n.GetOpType()
	if d := n.GetDomain(); d != "" && d != "ai.onnx" {
		op = d + "." + op
	}
	return fmt.Sprintf("%s %q", op, name)
}
