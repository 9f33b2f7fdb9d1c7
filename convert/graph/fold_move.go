package graph

import (
	"fmt"
	"slices"
)

func foldTranspose(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	perm, err := c.permutation(len(x.shape))
	if err != nil {
		return nil, err
	}
	return x.transposed(perm), c.im.spend(x.shape)
}

func foldSlice(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	s, err := c.slice(x.shape)
	if err != nil {
		return nil, err
	}
	own := strides(x.shape)
	start := 0
	for i := range own {
		start += s.begin[i] * own[i]
		own[i] *= s.step[i]
	}
	return x.pick(s.size, own, start), c.im.spend(s.size)
}

func foldGather(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	indices, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	axis, err := c.axis("axis", 0, len(x.shape))
	if err != nil {
		return nil, err
	}
	at, err := wrapIndices(indices, x.shape[axis])
	if err != nil {
		return nil, err
	}
	shape := slices.Concat(x.shape[:axis], indices.shape, x.shape[axis+1:])
	if err := c.im.spend(shape); err != nil {
		return nil, err
	}
	made := &constant{shape: shape, isInt: x.isInt}
	inner := elements(x.shape[axis+1:])
	for outer := range elements(x.shape[:axis]) {
		for _, i := range at {
			from := (outer*x.shape[axis] + i) * inner
			if x.isInt {
				made.ints = append(made.ints, x.ints[from:from+inner]...)
			} else {
				made.floats = append(made.floats, x.floats[from:from+inner]...)
			}
		}
	}
	return made, nil
}

// wrapIndices resolves negative indices.
func wrapIndices(indices *constant, length int) ([]int, error) {
	if !indices.isInt {
		return nil, fmt.Errorf("its indices are no integers")
	}
	at := make([]int, len(indices.ints))
	for i, v := range indices.ints {
		if v < 0 {
			v += int64(length)
		}
		if v < 0 || v >= int64(length) {
			return nil, fmt.Errorf("index %d is outside of 0 to %d", indices.ints[i], length-1)
		}
		at[i] = int(v)
	}
	return at, nil
}

func foldConcat(c *call) (*constant, error) {
	var parts []*constant
	for i := range c.inputs {
		p, err := c.constant(i)
		if err != nil {
			return nil, err
		}
		if p.len() > 0 || len(p.shape) > 1 {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return c.constant(0)
	}
	first := parts[0]
	axis, err := c.axis("axis", 0, len(first.shape))
	if err != nil {
		return nil, err
	}
	made := &constant{shape: slices.Clone(first.shape), isInt: first.isInt}
	for _, p := range parts[1:] {
		if !sameBut(p.shape, first.shape, axis) || p.isInt != first.isInt {
			return nil, fmt.Errorf("parts of shapes %v and %v do not fit along axis %d", first.shape, p.shape, axis)
		}
		made.shape[axis] += p.shape[axis]
	}
	if err := c.im.spend(made.shape); err != nil {
		return nil, err
	}
	for outer := range elements(first.shape[:axis]) {
		for _, p := range parts {
			run := elements(p.shape[axis:])
			if p.isInt {
				made.ints = append(made.ints, p.ints[outer*run:(outer+1)*run]...)
			} else {
				made.floats = append(made.floats, p.floats[outer*run:(outer+1)*run]...)
			}
		}
	}
	return made, nil
}

// sameBut compares shapes but for one axis.
func sameBut(a, b []int, axis int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if i != axis && a[i] != b[i] {
			return false
		}
	}
	return true
}

func foldTile(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	repeats, err := c.ints(1)
	if err != nil {
		return nil, err
	}
	if len(repeats) != len(x.shape) {
		return nil, fmt.Errorf("%d repeats for %d dimensions", len(repeats), len(x.shape))
	}
	// [a, b] repeated [r, s] times is [1, a, 1, b] broadcast to [r, a, s, b].
	var from, to, shape []int
	for i, r := range toInts(repeats) {
		from = append(from, 1, x.shape[i])
		to = append(to, r, x.shape[i])
		if err := checkConstantShape(to); err != nil {
			return nil, err
		}
		shape = append(shape, r*x.shape[i])
	}
	if err := c.im.spend(shape); err != nil {
		return nil, err
	}
	return x.reshaped(from).broadcastTo(to).reshaped(shape), nil
}
