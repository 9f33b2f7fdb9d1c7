package graph

import (
	"errors"
	"slices"
)

// reduce imports a reduction. Its axes are an input from operator set 18 (13 for
// sums), an attribute before.
func reduce(op Op) func(*call) (*Node, error) {
	return func(c *call) (*Node, error) {
		x, err := c.node(0)
		if err != nil {
			return nil, err
		}
		keep, err := c.int("keepdims", 1)
		if err != nil {
			return nil, err
		}
		given, err := c.intsOr(1, "axes")
		if err != nil {
			return nil, err
		}
		axes, err := wrapAxes(given, len(x.Shape))
		if err != nil {
			return nil, err
		}
		noop, err := c.int("noop_with_empty_axes", 0)
		if err != nil {
			return nil, err
		}
		if len(axes) == 0 && noop != 0 {
			return x, nil
		}
		for i := 0; len(axes) == 0 || (len(given) == 0 && i < len(x.Shape)); i++ {
			if i >= len(x.Shape) {
				return nil, errors.New("has nothing to reduce")
			}
			axes = append(axes, i)
		}
		axes = slices.Compact(axes)
		if op == OpReduceMean && len(x.Shape) == 4 && slices.Equal(axes, []int{2, 3}) {
			return c.emit(OpMean, Attrs{KeepDims: keep != 0}, nil, x)
		}
		y, err := c.emit(op, Attrs{Axes: axes, KeepDims: true}, nil, x)
		if err != nil || keep != 0 {
			return y, err
		}
		shape := []int{}
		for i, d := range y.Shape {
			if !slices.Contains(axes, i) {
				shape = append(shape, d)
			}
		}
		return c.emit(OpReshape, Attrs{Dims: shape}, nil, y)
	}
}
