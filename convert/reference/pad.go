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
	fill, err := onnx.Float(n, "value", 0)
	if err != nil {
		return nil, err
	}
	given, err := onnx.Ints(n, "pads")
	if err != nil {
		return nil, err
	}
	return func(in arguments) (value, error) { return pad(in, given, fill) }, nil
}

func pad(in arguments, given []int64, fill float32) (value, error) {
	x, err := in.float(0)
	if err != nil {
		return value{}, err
	}
	constant, err := in.scalar(2, fill)
	if err != nil {
		return value{}, err
	}
	before, after, err := readPads(in, given, len(x.Shape))
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

// readPads returns the padding of each dimension: an attribute before operator
// set 11, an input since then.
func readPads(in arguments, pads []int64, rank int) (before, after []int, err error) {
	if pads == nil {
		if pads, err = in.integers(1); err != nil {
			return nil, nil, err
		}
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
