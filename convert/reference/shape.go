package reference

import (
	"errors"
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// prepareFlatten: dimensions before the axis become rows, the others columns.
func prepareFlatten(n *onnx.NodeProto) (kernel, error) {
	axis, err := onnx.Int(n, "axis", 1)
	if err != nil {
		return nil, err
	}
	return onFirst(func(x value, in arguments) (value, error) {
		a := axis
		if a < 0 {
			a += int64(len(x.Shape))
		}
		if a < 0 || a > int64(len(x.Shape)) {
			return value{}, fmt.Errorf("axis %d of a tensor of %d dimensions", axis, len(x.Shape))
		}
		rows := 1
		for _, d := range x.Shape[:a] {
			rows *= d
		}
		return x.reshaped([]int{rows, x.length() / rows}), nil
	}), nil
}

// prepareReshape: the same elements in another shape, in which -1 is computed
// and 0 is taken from the input.
func prepareReshape(n *onnx.NodeProto) (kernel, error) {
	allowZero, err := onnx.Int(n, "allowzero", 0)
	if err != nil {
		return nil, err
	}
	return onFirst(func(x value, in arguments) (value, error) {
		wanted, err := in.integers(1)
		if err != nil {
			return value{}, err
		}
		shape, err := targetShape(x, wanted, allowZero != 0)
		if err != nil {
			return value{}, err
		}
		return x.reshaped(shape), nil
	}), nil
}

func targetShape(x value, wanted []int64, allowZero bool) ([]int, error) {
	shape := make([]int, len(wanted))
	open, product := -1, 1
	for i, d := range wanted {
		switch {
		case d == -1 && open < 0:
			open = i
			continue
		case d == 0 && !allowZero && i < len(x.Shape):
			shape[i] = x.Shape[i]
		case d >= 1 && d <= int64(x.length()):
			shape[i] = int(d)
		default:
			return nil, fmt.Errorf("shape %v cannot be made from %v", wanted, x.Shape)
		}
		if product *= shape[i]; product > x.length() {
			return nil, fmt.Errorf("shape %v cannot be made from %v", wanted, x.Shape)
		}
	}
	if open >= 0 && x.length()%product == 0 {
		shape[open] = x.length() / product
		product = x.length()
	}
	if product != x.length() {
		return nil, fmt.Errorf("shape %v cannot be made from %v", wanted, x.Shape)
	}
	return shape, nil
}

// prepareConcat: the inputs one after the other along one axis.
func prepareConcat(n *onnx.NodeProto) (kernel, error) {
	axis, err := onnx.Int(n, "axis", math.MinInt64)
	if err != nil {
		return nil, err
	}
	return func(in arguments) (value, error) {
		var parts []value
		for i := range in {
			v, err := in.any(i)
			if err != nil {
				return value{}, err
			}
			parts = append(parts, v)
		}
		return concat(parts, axis)
	}, nil
}

func concat(inputs []value, axis int64) (value, error) {
	if len(inputs) == 0 {
		return value{}, errors.New("no inputs")
	}
	a, err := axisOf(axis, len(inputs[0].Shape))
	if err != nil {
		return value{}, err
	}
	shape := append([]int(nil), inputs[0].Shape...)
	for _, t := range inputs[1:] {
		if len(t.Shape) != len(shape) || t.isInt != inputs[0].isInt {
			return value{}, fmt.Errorf("inputs of shapes %v and %v", shape, t.Shape)
		}
		for i, d := range t.Shape {
			if i != a && d != shape[i] {
				return value{}, fmt.Errorf("inputs of shapes %v and %v along axis %d", shape, t.Shape, a)
			}
		}
		shape[a] += t.Shape[a]
	}
	outer := 1
	for _, d := range shape[:a] {
		outer *= d
	}
	y := value{Tensor: Tensor{Shape: shape}, isInt: inputs[0].isInt}
	for o := range outer {
		for _, t := range inputs {
			run := t.length() / outer
			if t.isInt {
				y.ints = append(y.ints, t.ints[o*run:(o+1)*run]...)
			} else {
				y.Data = append(y.Data, t.Data[o*run:(o+1)*run]...)
			}
		}
	}
	return y, nil
}

// prepareConstant: a value of the file.
func prepareConstant(n *onnx.NodeProto) (kernel, error) {
	v, err := constantOf(n)
	if err != nil {
		return nil, err
	}
	return func(arguments) (value, error) { return v, nil }, nil
}

func constantOf(n *onnx.NodeProto) (value, error) {
	if len(n.GetAttribute()) != 1 {
		return value{}, fmt.Errorf("%d attributes, want one that holds the value", len(n.GetAttribute()))
	}
	switch a := n.GetAttribute()[0]; a.GetName() {
	case "value":
		t, err := onnx.Tensor(n, "value")
		if err != nil {
			return value{}, err
		}
		return constant(t)
	case "value_float":
		f, err := onnx.Float(n, "value_float", 0)
		return value{Tensor: Tensor{[]int{}, []float32{f}}}, err
	case "value_int":
		i, err := onnx.Int(n, "value_int", 0)
		return value{Tensor: Tensor{Shape: []int{}}, ints: []int64{i}, isInt: true}, err
	case "value_floats":
		f := n.GetAttribute()[0].GetFloats()
		return value{Tensor: Tensor{[]int{len(f)}, f}}, nil
	case "value_ints":
		ints, err := onnx.Ints(n, "value_ints")
		return value{Tensor: Tensor{Shape: []int{len(ints)}}, ints: ints, isInt: true}, err
	default:
		return value{}, fmt.Errorf("attribute %q is not supported", a.GetName())
	}
}
