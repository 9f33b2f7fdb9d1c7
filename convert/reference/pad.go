package reference

import (
	"fmt"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// preparePad: a constant around the tensor; inputs are x, pads (all begins,
// then all ends), the constant, and the axes that pads is about.
func preparePad(n *onnx.NodeProto) (kernel, error) {
	mode, err := onnx.String(n, "mode", "constant")
	if err != nil {
		return nil, err
	}
	if mode != "constant" {
		return nil, fmt.Errorf("mode %q is not supported", mode)
	}
	return pad, nil
}

func pad(in arguments) (value, error) {
	x, err := in.float(0)
	if err != nil {
		return value{}, err
	}
	constant, err := in.scalar(2, 0)
	if err != nil {
		return value{}, err
	}
	before, after, err := readPads(in, len(x.Shape))
	if err != nil {
		return value{}, err
	}
	shape := make([]int, len(x.Shape))
	for i, d := range x.Shape {
		shape[i] = before[i] + d + after[i]
	}
	y, err := newTensor(shape...)
	if err != nil {
		return value{}, err
	}
	for i := range y.Data {
		y.Data[i] = constant
	}
	for i, v := range x.Data {
		// Take the index of the element apart and put it together in the result.
		to, step := 0, 1
		for d := len(shape) - 1; d >= 0; d-- {
			to += (i%x.Shape[d] + before[d]) * step
			step *= shape[d]
			i /= x.Shape[d]
		}
		y.Data[to] = v
	}
	return value{Tensor: y}, nil
}

// readPads returns the padding of each dimension.
func readPads(in arguments, rank int) (before, after []int, err error) {
	pads, err := in.integers(1)
	if err != nil {
		return nil, nil, err
	}
	axes := make([]int64, rank)
	for i := range axes {
		axes[i] = int64(i)
	}
	if in.has(3) {
		if axes, err = in.integers(3); err != nil {
			return nil, nil, err
		}
	}
	if err := checkExtents("pads", pads, 2*len(axes), 0); err != nil {
		return nil, nil, err
	}
	before, after = make([]int, rank), make([]int, rank)
	for i, axis := range axes {
		a, err := axisOf(axis, rank)
		if err != nil {
			return nil, nil, err
		}
		before[a], after[a] = int(pads[i]), int(pads[len(axes)+i])
	}
	return before, after, nil
}
