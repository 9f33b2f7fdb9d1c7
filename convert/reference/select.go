package reference

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// where: the second input where the first holds, else the third.
func where(in arguments) (value, error) {
	var v [3]value
	for i := range v {
		var err error
		if v[i], err = in.any(i); err != nil {
			return value{}, err
		}
	}
	if !v[0].isInt || v[1].isInt != v[2].isInt {
		return value{}, errors.New("want a condition and two values of one type")
	}
	shape, err := broadcast(v[1].Shape, v[2].Shape)
	if err == nil {
		shape, err = broadcast(shape, v[0].Shape)
	}
	if err != nil {
		return value{}, err
	}
	wide := make([]int64, len(shape))
	for i, d := range shape {
		wide[i] = int64(d)
	}
	for i := range v {
		if v[i], err = broadcasted(v[i], wide); err != nil {
			return value{}, err
		}
	}
	for i, holds := range v[0].ints {
		switch {
		case holds == 0:
		case v[2].isInt:
			v[2].ints[i] = v[1].ints[i]
		default:
			v[2].Data[i] = v[1].Data[i]
		}
	}
	return v[2], nil
}

// prepareScatterND: the first input, with the slices at the indices replaced.
func prepareScatterND(n *onnx.NodeProto) (kernel, error) {
	reduction, err := onnx.String(n, "reduction", "none")
	if err != nil {
		return nil, err
	}
	if reduction != "none" {
		return nil, fmt.Errorf("reduction %q is not supported", reduction)
	}
	return func(in arguments) (value, error) {
		var v [3]value
		for i := range v {
			if v[i], err = in.any(i); err != nil {
				return value{}, err
			}
		}
		x, at, updates := v[0], v[1], v[2]
		if !at.isInt || x.isInt != updates.isInt || len(at.Shape) == 0 {
			return value{}, errors.New("want integers as indices and updates of the type of the data")
		}
		depth := at.Shape[len(at.Shape)-1]
		if depth < 1 || depth > len(x.Shape) {
			return value{}, fmt.Errorf("indices of %d for %d dimensions", depth, len(x.Shape))
		}
		run := 1
		for _, d := range x.Shape[depth:] {
			run *= d
		}
		if updates.length() != len(at.ints)/depth*run {
			return value{}, fmt.Errorf("%d updates for indices of shape %v", updates.length(), at.Shape)
		}
		y := value{Tensor: Tensor{Shape: x.Shape, Data: slices.Clone(x.Data)}, ints: slices.Clone(x.ints), isInt: x.isInt}
		for row := range len(at.ints) / depth {
			to := 0
			for i, index := range at.ints[row*depth : (row+1)*depth] {
				if index < 0 {
					index += int64(x.Shape[i])
				}
				if index < 0 || index >= int64(x.Shape[i]) {
					return value{}, fmt.Errorf("index %d along an axis of %d", index, x.Shape[i])
				}
				to = to*x.Shape[i] + int(index)
			}
			for i := range run {
				if x.isInt {
					y.ints[to*run+i] = updates.ints[row*run+i]
				} else {
					y.Data[to*run+i] = updates.Data[row*run+i]
				}
			}
		}
		return y, nil
	}, nil
}

// prepareTrilu: the upper or lower triangle, zeros elsewhere.
func prepareTrilu(n *onnx.NodeProto) (kernel, error) {
	upper, err := onnx.Int(n, "upper", 1)
	if err != nil {
		return nil, err
	}
	return func(in arguments) (value, error) {
		x, err := in.float(0)
		if err != nil {
			return value{}, err
		}
		shift := int64(0)
		if in.has(1) {
			k, err := in.integers(1)
			if err != nil || len(k) != 1 {
				return value{}, errors.New("want one number as the diagonal")
			}
			shift = k[0]
		}
		rank := len(x.Shape)
		if rank < 2 {
			return value{}, fmt.Errorf("shape %v, want matrices", x.Shape)
		}
		y := Tensor{x.Shape, slices.Clone(x.Data)}
		for i := range y.Data {
			distance := int64(i%x.Shape[rank-1]) - int64(i/x.Shape[rank-1]%x.Shape[rank-2])
			if (upper != 0 && distance < shift) || (upper == 0 && distance > shift) {
				y.Data[i] = 0
			}
		}
		return value{Tensor: y}, nil
	}, nil
}
