package reference

import (
	"errors"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// prepareReduceMean: the mean over some axes, which are an attribute before
// operator set 18 and an input since then. Axes must
// be named, so noop_with_empty_axes does not matter.
func prepareReduceMean(n *onnx.NodeProto) (kernel, error) {
	keep, err := onnx.Int(n, "keepdims", 1)
	if err != nil {
		return nil, err
	}
	attribute, err := onnx.Ints(n, "axes")
	if err != nil {
		return nil, err
	}
	return func(in arguments) (value, error) {
		x, err := in.float(0)
		if err != nil {
			return value{}, err
		}
		axes := attribute
		if in.has(1) {
			if axes, err = in.integers(1); err != nil {
				return value{}, err
			}
		}
		if len(axes) == 0 {
			return value{}, errors.New("names no axes, which is not supported")
		}
		return reduceMean(x, axes, keep != 0)
	}, nil
}

func reduceMean(x Tensor, axes []int64, keep bool) (value, error) {
	reduced := make([]bool, len(x.Shape))
	for _, axis := range axes {
		a, err := axisOf(axis, len(x.Shape))
		if err != nil {
			return value{}, err
		}
		reduced[a] = true
	}
	kept := make([]int, len(x.Shape)) // x's shape with 1 for each reduced axis
	shape := []int{}
	for i, d := range x.Shape {
		kept[i] = d
		if reduced[i] {
			kept[i] = 1
		}
		if keep || !reduced[i] {
			shape = append(shape, kept[i])
		}
	}
	y, err := newTensor(shape...)
	if err != nil {
		return value{}, err
	}
	sums := make([]float64, len(y.Data))
	to := newReader(kept, x.Shape)
	for _, v := range x.Data {
		sums[to.next()] += float64(v)
	}
	for i, s := range sums {
		y.Data[i] = float32(s / float64(len(x.Data)/len(sums)))
	}
	return value{Tensor: y}, nil
}
