package reference

import (
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// prepareShape: the shape of a value, or a part of it.
func prepareShape(n *onnx.NodeProto) (kernel, error) {
	start, err := onnx.Int(n, "start", 0)
	if err != nil {
		return nil, err
	}
	end, err := onnx.Int(n, "end", math.MaxInt64)
	if err != nil {
		return nil, err
	}
	return onFirst(func(x value, in arguments) (value, error) {
		shape := value{isInt: true, Tensor: Tensor{Shape: []int{len(x.Shape)}}}
		for _, d := range x.Shape {
			shape.ints = append(shape.ints, int64(d))
		}
		return sliced(shape, []int64{start}, []int64{end}, nil, nil)
	}), nil
}

func size(in arguments) (value, error) {
	x, err := in.any(0)
	return value{Tensor: Tensor{Shape: []int{}}, isInt: true, ints: []int64{int64(x.length())}}, err
}

// prepareSqueeze leaves out axes of length one: those named, as an attribute
// before operator set 13, or all.
func prepareSqueeze(n *onnx.NodeProto) (kernel, error) {
	return prepareAxes(n, func(shape []int, axes []int64) ([]int, error) {
		drop := make([]bool, len(shape))
		for _, axis := range axes {
			a, err := axisOf(axis, len(shape))
			if err != nil {
				return nil, err
			}
			if shape[a] != 1 {
				return nil, fmt.Errorf("axis %d of %v is longer than one", axis, shape)
			}
			drop[a] = true
		}
		kept := []int{}
		for i, d := range shape {
			if !drop[i] && (len(axes) > 0 || d != 1) {
				kept = append(kept, d)
			}
		}
		return kept, nil
	})
}

// prepareUnsqueeze puts in axes of length one.
func prepareUnsqueeze(n *onnx.NodeProto) (kernel, error) {
	return prepareAxes(n, func(shape []int, axes []int64) ([]int, error) {
		wide := make([]int, len(shape)+len(axes))
		for _, axis := range axes {
			a, err := axisOf(axis, len(wide))
			if err != nil {
				return nil, err
			}
			if wide[a] != 0 {
				return nil, fmt.Errorf("axes %v name one twice", axes)
			}
			wide[a] = 1
		}
		for i, next := 0, 0; i < len(wide); i++ {
			if wide[i] == 0 {
				wide[i] = shape[next]
				next++
			}
		}
		return wide, nil
	})
}

// prepareAxes is for nodes that change the shape by a list of axes.
func prepareAxes(n *onnx.NodeProto, change func(shape []int, axes []int64) ([]int, error)) (kernel, error) {
	attribute, err := onnx.Ints(n, "axes")
	if err != nil {
		return nil, err
	}
	return onFirst(func(x value, in arguments) (value, error) {
		axes, err := in.axes(attribute)
		if err != nil {
			return value{}, err
		}
		shape, err := change(x.Shape, axes)
		return x.reshaped(shape), err
	}), nil
}
