package graph

import (
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// pad imports Pad: around height and width of an image; along other axes as a
// Concat with constants.
func pad(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	mode, err := onnx.String(c.proto, "mode", "constant")
	if err != nil {
		return nil, err
	}
	if mode != "constant" {
		return nil, unsupported{fmt.Sprintf("mode %q, need \"constant\"", mode), "train with zero padding"}
	}
	fill, err := c.float("value", 0)
	if err != nil {
		return nil, err
	}
	if c.has(2) {
		if fill, err = c.scalar(2); err != nil {
			return nil, err
		}
	}
	before, after, err := c.pads(len(x.Shape))
	if err != nil {
		return nil, err
	}
	for axis := range before {
		if before[axis] < 0 || after[axis] < 0 {
			return nil, unsupportedf("pads below zero (%v, %v)", before, after)
		}
		if len(x.Shape) == 4 && axis >= 2 {
			continue
		}
		if x, err = c.lengthen(x, axis, before[axis], after[axis], fill); err != nil {
			return nil, err
		}
	}
	if len(x.Shape) != 4 || slices.Max(append(before[2:], after[2:]...)) == 0 {
		return x, nil
	}
	return c.emit(OpPad, Attrs{Pads: [4]int{before[2], before[3], after[2], after[3]}, PadValue: fill}, nil, x)
}

// pads reads the padding of every axis: all begins, then all ends, of all axes
// or those named.
func (c *call) pads(rank int) (before, after []int, err error) {
	given, err := c.intsOr(1, "pads")
	if err != nil {
		return nil, nil, err
	}
	axes := make([]int64, rank)
	for i := range axes {
		axes[i] = int64(i)
	}
	if c.has(3) {
		if axes, err = c.ints(3); err != nil {
			return nil, nil, err
		}
	}
	if len(given) != 2*len(axes) {
		return nil, nil, misfit{fmt.Errorf("pads %v do not fit %d axes", given, len(axes))}
	}
	p := toInts(given)
	before, after = make([]int, rank), make([]int, rank)
	for i, a := range axes {
		axis, err := wrapAxis(a, rank)
		if err != nil {
			return nil, nil, err
		}
		before[axis], after[axis] = p[i], p[len(axes)+i]
	}
	return before, after, nil
}

// lengthen puts constants before and after a value along one axis.
func (c *call) lengthen(x *Node, axis, before, after int, fill float32) (*Node, error) {
	var parts []*Node
	block := func(length int) error {
		if length == 0 {
			return nil
		}
		shape := slices.Clone(x.Shape)
		shape[axis] = length
		if err := c.im.spend(shape); err != nil {
			return err
		}
		k, err := c.emit(OpConst, Attrs{}, []Tensor{mapped(zeros(shape...), func(float32) float32 { return fill })})
		parts = append(parts, k)
		return err
	}
	if err := block(before); err != nil {
		return nil, err
	}
	parts = append(parts, x)
	if err := block(after); err != nil {
		return nil, err
	}
	if len(parts) == 1 {
		return x, nil
	}
	return c.emit(OpConcat, Attrs{Axis: axis}, nil, parts...)
}
