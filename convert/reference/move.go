package reference

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// steps are the distances between neighbours along each axis, in elements.
func steps(shape []int) []int {
	s := make([]int, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = step
		step *= shape[i]
	}
	return s
}

// positions lists where a walk over a shape leads that begins at start and goes
// along each axis by the given steps.
func positions(shape, along []int, start int) ([]int, error) {
	for _, d := range shape {
		if d == 0 {
			return nil, nil
		}
	}
	n, err := elements(shape)
	if err != nil {
		return nil, err
	}
	from := make([]int, n)
	for i := range from {
		from[i] = start
		for d, rest := len(shape)-1, i; d >= 0; d-- {
			from[i] += rest % shape[d] * along[d]
			rest /= shape[d]
		}
	}
	return from, nil
}

// prepareTranspose: axes in another order, turned around where none is given.
func prepareTranspose(n *onnx.NodeProto) (kernel, error) {
	perm, err := onnx.Ints(n, "perm")
	if err != nil {
		return nil, err
	}
	return onFirst(func(x value, in arguments) (value, error) {
		order := make([]int, len(x.Shape))
		for i := range order {
			order[i] = len(order) - 1 - i
		}
		if perm != nil {
			seen := make([]bool, len(order))
			if len(perm) != len(order) {
				return value{}, fmt.Errorf("perm %v for %d dimensions", perm, len(order))
			}
			for i, p := range perm {
				if p < 0 || p >= int64(len(order)) || seen[p] {
					return value{}, fmt.Errorf("perm %v for %d dimensions", perm, len(order))
				}
				seen[p] = true
				order[i] = int(p)
			}
		}
		return transposed(x, order)
	}), nil
}

func transposed(x value, order []int) (value, error) {
	own := steps(x.Shape)
	shape, along := make([]int, len(order)), make([]int, len(order))
	for i, p := range order {
		shape[i], along[i] = x.Shape[p], own[p]
	}
	from, err := positions(shape, along, 0)
	return x.take(shape, from), err
}

// prepareGather: slices of the first input along one axis, at the places that
// the second names.
func prepareGather(n *onnx.NodeProto) (kernel, error) {
	axis, err := onnx.Int(n, "axis", 0)
	if err != nil {
		return nil, err
	}
	return onFirst(func(x value, in arguments) (value, error) {
		at, err := in.any(1)
		if err != nil {
			return value{}, err
		}
		a, err := axisOf(axis, len(x.Shape))
		if err != nil {
			return value{}, err
		}
		if !at.isInt {
			return value{}, errors.New("indices are float32, want int64")
		}
		outer, inner := 1, 1
		for _, d := range x.Shape[:a] {
			outer *= d
		}
		for _, d := range x.Shape[a+1:] {
			inner *= d
		}
		var from []int
		for o := range outer {
			for _, i := range at.ints {
				if i < 0 {
					i += int64(x.Shape[a])
				}
				if i < 0 || i >= int64(x.Shape[a]) {
					return value{}, fmt.Errorf("index %d along an axis of %d", i, x.Shape[a])
				}
				for j := range inner {
					from = append(from, (o*x.Shape[a]+int(i))*inner+j)
				}
			}
		}
		return x.take(slices.Concat(x.Shape[:a], at.Shape, x.Shape[a+1:]), from), nil
	}), nil
}
