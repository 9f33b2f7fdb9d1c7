package graph

import (
	"errors"
	"fmt"
	"slices"
)

// gather of one index is a slice, and a gather of all others.
func gather(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	indices, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	axis, err := c.axis("axis", 0, len(x.Shape))
	if err != nil {
		return nil, err
	}
	at, err := wrapIndices(indices, x.Shape[axis])
	if err != nil {
		return nil, misfit{err}
	}
	if len(at) == 0 {
		return nil, errors.New("has no indices")
	}
	var picked *Node
	if len(at) == 1 {
		s := wholeSlice(x.Shape)
		s.begin[axis], s.size[axis] = at[0], 1
		picked, err = c.emit(OpSlice, s.attrs(), nil, x)
	} else {
		picked, err = c.emit(OpGather, Attrs{Axis: axis, Indices: at}, nil, x)
	}
	if err != nil || len(indices.shape) == 1 {
		return picked, err
	}
	return c.emit(OpReshape, Attrs{Dims: slices.Concat(x.Shape[:axis], indices.shape, x.Shape[axis+1:])}, nil, picked)
}

// cutout is the part of a value that a slice takes, per axis.
type cutout struct{ begin, size, step []int }

func wholeSlice(shape []int) cutout {
	s := cutout{make([]int, len(shape)), slices.Clone(shape), make([]int, len(shape))}
	for i := range s.step {
		s.step[i] = 1
	}
	return s
}

func (s cutout) attrs() Attrs { return Attrs{Begin: s.begin, Size: s.size, Step: s.step} }

// slice reads what a Slice takes of a value: attributes before operator set 10,
// inputs since then.
func (c *call) slice(shape []int) (cutout, error) {
	s := wholeSlice(shape)
	starts, err := c.intsOr(1, "starts")
	if err != nil {
		return s, err
	}
	ends, err := c.intsOr(2, "ends")
	if err != nil {
		return s, err
	}
	axes, err := c.intsOr(3, "axes")
	if err != nil {
		return s, err
	}
	var steps []int64
	if c.has(4) {
		if steps, err = c.ints(4); err != nil {
			return s, err
		}
	}
	if len(ends) != len(starts) || (axes != nil && len(axes) != len(starts)) || (steps != nil && len(steps) != len(starts)) {
		return s, fmt.Errorf("starts %v, ends %v, axes %v and steps %v do not fit each other", starts, ends, axes, steps)
	}
	for i := range starts {
		axis := i
		if axes != nil {
			if axis, err = wrapAxis(axes[i], len(shape)); err != nil {
				return s, err
			}
		}
		if axis >= len(shape) {
			return s, misfit{fmt.Errorf("slices axis %d of a value of %d dimensions", axis, len(shape))}
		}
		length := int64(shape[axis])
		step := int64(1)
		if steps != nil {
			step = steps[i]
		}
		if step == 0 || max(step, -step) > maxElements {
			return s, fmt.Errorf("step %d is not usable", step)
		}
		begin, end := clampIndex(starts[i], length, step), clampIndex(ends[i], length, step)
		s.begin[axis], s.step[axis] = int(begin), int(step)
		s.size[axis] = int(max(0, (end-begin+step-step/max(step, -step))/step))
	}
	return s, nil
}

// clampIndex brings a bound into the axis, or, backwards, to the place before it.
func clampIndex(v, length, step int64) int64 {
	if v < 0 {
		v += length
	}
	if step < 0 {
		return max(-1, min(v, length-1))
	}
	return max(0, min(v, length))
}

func sliceNode(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	s, err := c.slice(x.Shape)
	if err != nil {
		return nil, err
	}
	if slices.Min(s.step) < 1 {
		return nil, unsupportedf("steps %v, need 1 or more", s.step)
	}
	if slices.Equal(s.size, x.Shape) {
		return x, nil
	}
	return c.emit(OpSlice, s.attrs(), nil, x)
}

// splitNode imports Split, whose sizes are an attribute before operator set 13.
func splitNode(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	axis, err := c.axis("axis", 0, len(x.Shape))
	if err != nil {
		return nil, err
	}
	given, err := c.intsOr(1, "split")
	if err != nil {
		return nil, err
	}
	sizes := toInts(given)
	count := len(c.proto.GetOutput())
	if len(sizes) == 0 {
		each := (x.Shape[axis] + count - 1) / count
		for left := x.Shape[axis]; left > 0 && len(sizes) < count; left -= each {
			sizes = append(sizes, min(each, left))
		}
	}
	if len(sizes) != count {
		return nil, misfit{fmt.Errorf("axis %d of %v does not split into %d parts", axis, x.Shape, count)}
	}
	s := wholeSlice(x.Shape)
	at := 0
	for i, size := range sizes {
		s.begin, s.size = slices.Clone(s.begin), slices.Clone(s.size)
		s.begin[axis], s.size[axis] = at, size
		at += size
		part, err := c.emit(OpSlice, s.attrs(), nil, x)
		if err != nil {
			return nil, err
		}
		c.set(i, value{node: part})
	}
	return nil, nil
}
