package reference

import (
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

func total(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum
}

func product(values []float64) float64 {
	p := 1.0
	for _, v := range values {
		p *= v
	}
	return p
}

// prepareReduce: a number for all elements along some axes, which are an
// attribute before operator set 18 (13 for sums) and an input since then; all
// axes where none are named, unless noop_with_empty_axes is set.
func prepareReduce(reduce func([]float64) float64) func(*onnx.NodeProto) (kernel, error) {
	return func(n *onnx.NodeProto) (kernel, error) {
		keep, err := onnx.Int(n, "keepdims", 1)
		if err != nil {
			return nil, err
		}
		noop, err := onnx.Int(n, "noop_with_empty_axes", 0)
		if err != nil {
			return nil, err
		}
		attribute, err := onnx.Ints(n, "axes")
		if err != nil {
			return nil, err
		}
		return onFirst(func(x value, in arguments) (value, error) {
			axes, err := in.axes(attribute)
			if err != nil {
				return value{}, err
			}
			if len(axes) == 0 && noop != 0 {
				return x, nil
			}
			y, err := reduceAxes(x.real().Tensor, axes, keep != 0, reduce)
			if x.isInt {
				return value{Tensor: y}.whole(), err
			}
			return value{Tensor: y}, err
		}), nil
	}
}

func reduceAxes(x Tensor, axes []int64, keep bool, reduce func([]float64) float64) (Tensor, error) {
	reduced := make([]bool, len(x.Shape))
	for i := range reduced {
		reduced[i] = len(axes) == 0
	}
	for _, axis := range axes {
		a, err := axisOf(axis, len(x.Shape))
		if err != nil {
			return Tensor{}, err
		}
		reduced[a] = true
	}
	kept := slices.Clone(x.Shape) // with 1 for each reduced axis
	shape := []int{}
	for i := range kept {
		if reduced[i] {
			kept[i] = 1
		}
		if keep || !reduced[i] {
			shape = append(shape, kept[i])
		}
	}
	y, err := newTensor(shape...)
	if err != nil {
		return Tensor{}, err
	}
	groups := make([][]float64, len(y.Data))
	to := newReader(kept, x.Shape)
	for _, v := range x.Data {
		at := to.next()
		groups[at] = append(groups[at], float64(v))
	}
	for i, g := range groups {
		y.Data[i] = float32(reduce(g))
	}
	return y, nil
}
