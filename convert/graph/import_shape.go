package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// shapeNode gives a shape as a constant: it is known from the first node on.
func shapeNode(c *call) (*Node, error) {
	if !c.has(0) {
		return nil, errors.New("has no input")
	}
	shape := c.inputs[0].shape()
	rank := int64(len(shape))
	clamp := func(name string, def int64) (int64, error) {
		v, err := c.int(name, def)
		if v < 0 {
			v += rank
		}
		return max(0, min(v, rank)), err
	}
	start, err := clamp("start", 0)
	if err != nil {
		return nil, err
	}
	end, err := clamp("end", rank)
	if err != nil {
		return nil, err
	}
	made := intConstant()
	for _, d := range shape[start:max(start, end)] {
		made.ints = append(made.ints, int64(d))
	}
	made.shape = []int{len(made.ints)}
	c.set(0, value{con: made})
	return nil, nil
}

func sizeNode(c *call) (*Node, error) {
	if !c.has(0) {
		return nil, errors.New("has no input")
	}
	c.set(0, value{con: &constant{shape: []int{}, isInt: true, ints: []int64{int64(elements(c.inputs[0].shape()))}}})
	return nil, nil
}

func (v value) shape() []int {
	if v.con != nil {
		return v.con.shape
	}
	return v.node.Shape
}

// reshape imports the nodes that change the shape alone.
func reshape(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	shape, err := c.reshapedShape(x.Shape)
	if err != nil {
		return nil, err
	}
	if slices.Equal(shape, x.Shape) {
		return x, nil
	}
	return c.emit(OpReshape, Attrs{Dims: shape}, nil, x)
}

// reshapedShape is the shape that Flatten, Reshape, Squeeze or Unsqueeze gives
// to a value.
func (c *call) reshapedShape(shape []int) ([]int, error) {
	switch c.op {
	case "Flatten":
		axis, err := c.int("axis", 1)
		if err != nil {
			return nil, err
		}
		if axis < 0 {
			axis += int64(len(shape))
		}
		if axis < 0 || axis > int64(len(shape)) {
			return nil, misfit{fmt.Errorf("axis %d of a value of %d dimensions", axis, len(shape))}
		}
		return []int{elements(shape[:axis]), elements(shape[axis:])}, nil
	case "Squeeze":
		return c.squeezed(shape)
	case "Unsqueeze":
		return c.unsqueezed(shape)
	}
	wanted, err := c.intsOr(1, "shape")
	if err != nil {
		return nil, err
	}
	allowZero, err := c.int("allowzero", 0)
	if err != nil {
		return nil, err
	}
	return resolveDims(shape, toInts(wanted), allowZero != 0)
}

// resolveDims fills in -1, and 0 unless it means an empty axis.
func resolveDims(from, wanted []int, allowZero bool) ([]int, error) {
	total := elements(from)
	shape := slices.Clone(wanted)
	if shape == nil {
		shape = []int{}
	}
	known, open := 1, -1
	for i, d := range shape {
		if d == 0 && !allowZero && i < len(from) {
			shape[i] = from[i]
		}
		switch d := shape[i]; {
		case d == -1 && open < 0:
			open = i
		case d < 0 || d > maxElements || (d > 0 && known > maxElements/d):
			return nil, misfit{fmt.Errorf("target shape %v is not usable", wanted)}
		default:
			known *= d
		}
	}
	if open >= 0 && known > 0 {
		shape[open] = total / known
		known *= shape[open]
	}
	if known != total {
		return nil, misfit{fmt.Errorf("target shape %v does not hold the %d values of a batch of one", wanted, total)}
	}
	return shape, nil
}

// squeezed has its axes as an input from operator set 13 on.
func (c *call) squeezed(shape []int) ([]int, error) {
	given, err := c.intsOr(1, "axes")
	if err != nil {
		return nil, err
	}
	axes, err := wrapAxes(given, len(shape))
	if err != nil {
		return nil, err
	}
	kept := []int{}
	for i, d := range shape {
		drop := slices.Contains(axes, i) || (len(given) == 0 && d == 1)
		if drop && d != 1 {
			return nil, misfit{fmt.Errorf("axis %d of %v has more than one element", i, shape)}
		}
		if !drop {
			kept = append(kept, d)
		}
	}
	return kept, nil
}

func (c *call) unsqueezed(shape []int) ([]int, error) {
	given, err := c.intsOr(1, "axes")
	if err != nil {
		return nil, err
	}
	axes, err := wrapAxes(given, len(shape)+len(given))
	if err != nil {
		return nil, err
	}
	if len(axes) != len(given) {
		return nil, fmt.Errorf("axes %v name one axis twice", given)
	}
	wide := slices.Clone(shape)
	for _, a := range axes {
		wide = slices.Insert(wide, a, 1)
	}
	return wide, nil
}

func transpose(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	perm, err := c.permutation(len(x.Shape))
	if err != nil {
		return nil, err
	}
	return c.emit(OpTranspose, Attrs{Perm: perm}, nil, x)
}

// permutation reads the attribute of a Transpose, which turns the axes around
// where there is none.
func (c *call) permutation(rank int) ([]int, error) {
	given, err := onnx.Ints(c.proto, "perm")
	if err != nil {
		return nil, err
	}
	perm := toInts(given)
	if len(perm) == 0 {
		for i := range rank {
			perm = append(perm, rank-1-i)
		}
	}
	sorted := slices.Sorted(slices.Values(perm))
	for i, p := range sorted {
		if p != i || len(perm) != rank {
			return nil, misfit{fmt.Errorf("perm %v does not order %d axes", perm, rank)}
		}
	}
	if len(perm) != rank {
		return nil, misfit{fmt.Errorf("perm %v does not order %d axes", perm, rank)}
	}
	return perm, nil
}

func concat(c *call) (*Node, error) {
	var parts []*Node
	for i := range c.inputs {
		if c.has(i) && c.inputs[i].con != nil && c.inputs[i].con.len() == 0 {
			continue
		}
		x, err := c.node(i)
		if err != nil {
			return nil, err
		}
		parts = append(parts, x)
	}
	if len(parts) == 0 {
		return nil, errors.New("has no inputs")
	}
	axis, err := c.axis("axis", 0, len(parts[0].Shape))
	if err != nil {
		return nil, err
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return c.emit(OpConcat, Attrs{Axis: axis}, nil, parts...)
}

func expand(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	wanted, err := c.ints(1)
	if err != nil {
		return nil, err
	}
	shape, err := broadcastShapes(x.Shape, toInts(wanted))
	if err != nil {
		return nil, misfit{err}
	}
	if slices.Equal(shape, x.Shape) {
		return x, nil
	}
	if err := c.im.spend(shape); err != nil {
		return nil, err
	}
	return c.withConstant(OpShift, OpAdd, x, zeros(shape...))
}

func zeros(shape ...int) Tensor { return Tensor{shape, make([]float32, elements(shape))} }
