package reference

import (
	"errors"
	"fmt"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// expand: the first input broadcast to a shape.
func expand(x value, in arguments) (value, error) {
	wanted, err := in.integers(1)
	if err != nil {
		return value{}, err
	}
	return broadcasted(x, wanted)
}

func broadcasted(x value, wanted []int64) (value, error) {
	shape := make([]int, len(wanted))
	for i, d := range wanted {
		shape[i] = int(min(max(d, 0), maxElements))
	}
	shape, err := broadcast(x.Shape, shape)
	if err != nil {
		return value{}, err
	}
	n, err := elements(shape)
	if err != nil {
		return value{}, err
	}
	from := make([]int, n)
	r := newReader(x.Shape, shape)
	for i := range from {
		from[i] = r.next()
	}
	return x.take(shape, from), nil
}

// tile: the first input repeated along each axis.
func tile(x value, in arguments) (value, error) {
	repeats, err := in.integers(1)
	if err != nil {
		return value{}, err
	}
	if len(repeats) != len(x.Shape) {
		return value{}, fmt.Errorf("%d repeats of %d dimensions", len(repeats), len(x.Shape))
	}
	for axis, times := range repeats {
		if times < 1 || times > maxExtent {
			return value{}, fmt.Errorf("repeats %v", repeats)
		}
		copies := make([]value, times)
		for i := range copies {
			copies[i] = x
		}
		if x, err = concat(copies, int64(axis)); err != nil {
			return value{}, err
		}
	}
	return x, nil
}

// integerRange: start, start + step, and so on below the limit.
func integerRange(in arguments) (value, error) {
	var v [3]int64
	for i := range v {
		list, err := in.integers(i)
		if err != nil {
			return value{}, err
		}
		if len(list) != 1 {
			return value{}, fmt.Errorf("input %d has %d values, want one", i, len(list))
		}
		v[i] = list[0]
	}
	if v[2] == 0 {
		return value{}, errors.New("step 0")
	}
	y := value{isInt: true}
	for at := v[0]; (v[2] > 0 && at < v[1]) || (v[2] < 0 && at > v[1]); at += v[2] {
		if len(y.ints) >= maxExtent {
			return value{}, fmt.Errorf("more than %d values", maxExtent)
		}
		y.ints = append(y.ints, at)
	}
	y.Shape = []int{len(y.ints)}
	return y, nil
}

// prepareConstantOfShape: one value, repeated.
func prepareConstantOfShape(n *onnx.NodeProto) (kernel, error) {
	one := value{Tensor: Tensor{[]int{1}, []float32{0}}}
	if t, err := onnx.Tensor(n, "value"); err != nil {
		return nil, err
	} else if t != nil {
		if one, err = constant(t); err != nil {
			return nil, err
		}
	}
	if one.length() != 1 {
		return nil, fmt.Errorf("value of shape %v, want one element", one.Shape)
	}
	return func(in arguments) (value, error) {
		shape, err := in.integers(0)
		if err != nil {
			return value{}, err
		}
		return broadcasted(one.reshaped([]int{1}), shape)
	}, nil
}
