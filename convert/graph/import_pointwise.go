package graph

import (
	"math"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// unary imports operators with one input and nothing else.
func (im *importer) unary(n *onnx.NodeProto, op Op) (*Node, error) {
	if err := allow(n); err != nil {
		return nil, err
	}
	in, err := im.inputs(n, 1)
	if err != nil {
		return nil, err
	}
	return &Node{Op: op, Inputs: in}, nil
}

// clip imports Clip to [0, 6] and to [0, infinity), with bounds as inputs
// (operator set 11 and later) or attributes.
func (im *importer) clip(n *onnx.NodeProto) (*Node, error) {
	if err := allow(n, "min", "max"); err != nil {
		return nil, err
	}
	in, err := im.inputs(n, 1)
	if err != nil {
		return nil, err
	}
	bound := func(index int, name string, def float32) (float32, error) {
		t, err := im.floats(n, index)
		if err != nil {
			return 0, err
		}
		if t != nil && len(t.Data) == 1 {
			return t.Data[0], nil
		}
		return onnx.Float(n, name, def)
	}
	low, err := bound(1, "min", -math.MaxFloat32)
	if err != nil {
		return nil, err
	}
	high, err := bound(2, "max", math.MaxFloat32)
	if err != nil {
		return nil, err
	}
	switch {
	case low == 0 && high == 6:
		return &Node{Op: OpRelu6, Inputs: in}, nil
	case low == 0 && high >= math.MaxFloat32:
		return &Node{Op: OpRelu, Inputs: in}, nil
	}
	return nil, unsupportedf("bounds [%g, %g], need [0, 6] or [0, infinity)", low, high)
}

// batchNorm imports BatchNormalization for inference.
func (im *importer) batchNorm(n *onnx.NodeProto) (*Node, error) {
	if err := allow(n, "epsilon", "momentum", "training_mode"); err != nil {
		return nil, err
	}
	in, err := im.inputs(n, 1)
	if err != nil {
		return nil, err
	}
	if err := flag(n, "training_mode", 0, 0); err != nil {
		return nil, err
	}
	made := &Node{Op: OpBatchNorm, Inputs: in}
	if made.Attrs.Epsilon, err = onnx.Float(n, "epsilon", 1e-5); err != nil {
		return nil, err
	}
	for i := 1; i <= 4; i++ {
		t, err := im.required(n, i, 1)
		if err != nil {
			return nil, err
		}
		made.Weights = append(made.Weights, t)
	}
	return made, nil
}

// sum imports Add: of two values, or of a value and a constant per channel.
func (im *importer) sum(n *onnx.NodeProto) (*Node, error) {
	return im.binary(n, OpShift, func() (*Node, error) {
		in, err := im.inputs(n, 2)
		if err != nil {
			return nil, err
		}
		return &Node{Op: OpAdd, Inputs: in}, nil
	})
}

// product imports Mul of a value and a constant per channel.
func (im *importer) product(n *onnx.NodeProto) (*Node, error) {
	return im.binary(n, OpScale, func() (*Node, error) {
		return nil, unsupportedf("product of two values; only a constant per channel is supported")
	})
}

// binary imports a commutative operator as withConst if one of its inputs is a
// constant, and otherwise as values says.
func (im *importer) binary(n *onnx.NodeProto, withConst Op, values func() (*Node, error)) (*Node, error) {
	if err := allow(n); err != nil {
		return nil, err
	}
	for i, name := range n.GetInput() {
		if im.consts[name] == nil || len(n.GetInput()) != 2 {
			continue
		}
		c, err := im.floats(n, i)
		if err != nil {
			return nil, err
		}
		other := &onnx.NodeProto{Input: []string{n.GetInput()[1-i]}}
		in, err := im.inputs(other, 1)
		if err != nil {
			return nil, err
		}
		axis, err := constantAxis(c.Shape)
		if err != nil {
			return nil, err
		}
		flat := Tensor{Shape: []int{len(c.Data)}, Data: c.Data}
		return &Node{Op: withConst, Inputs: in, Weights: []Tensor{flat}, Attrs: Attrs{FromEnd: axis}}, nil
	}
	return values()
}

// constantAxis finds the one axis along which a broadcast constant runs,
// counted from the end; 0 for a single value.
func constantAxis(shape []int) (int, error) {
	axis := 0
	for i, d := range shape {
		if d == 1 {
			continue
		}
		if axis != 0 || d == 0 {
			return 0, unsupportedf("constant of shape %v; only one value per channel is supported", shape)
		}
		axis = len(shape) - i
	}
	return axis, nil
}

// softmax imports Softmax over the last axis of a matrix.
func (im *importer) softmax(n *onnx.NodeProto) (*Node, error) {
	if err := allow(n, "axis"); err != nil {
		return nil, err
	}
	in, err := im.inputs(n, 1)
	if err != nil {
		return nil, err
	}
	axis, err := onnx.Int(n, "axis", -1)
	if err != nil {
		return nil, err
	}
	if axis != -1 && axis != 1 {
		return nil, unsupportedf("axis is %d, need the last of two", axis)
	}
	return &Node{Op: OpSoftmax, Inputs: in}, nil
}
