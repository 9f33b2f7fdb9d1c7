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

// depthToSpace spreads blocks of channels over the image.
func depthToSpace(c *call) (*Node, error) {
	x, block, err := c.blocks()
	if err != nil {
		return nil, err
	}
	mode, err := onnx.String(c.proto, "mode", "DCR")
	if err != nil {
		return nil, err
	}
	s := x.Shape
	deep := s[1] / (block * block)
	dims, perm := []int{s[0], block, block, deep, s[2], s[3]}, []int{0, 3, 4, 1, 5, 2}
	if mode == "CRD" {
		dims, perm = []int{s[0], deep, block, block, s[2], s[3]}, []int{0, 1, 4, 2, 5, 3}
	}
	return c.shuffle(x, dims, perm, []int{s[0], deep, s[2] * block, s[3] * block})
}

// spaceToDepth gathers blocks of the image into channels.
func spaceToDepth(c *call) (*Node, error) {
	x, block, err := c.blocks()
	if err != nil {
		return nil, err
	}
	s := x.Shape
	h, w := s[2]/block, s[3]/block
	return c.shuffle(x, []int{s[0], s[1], h, block, w, block}, []int{0, 3, 5, 1, 2, 4}, []int{s[0], s[1] * block * block, h, w})
}

func (c *call) blocks() (*Node, int, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, 0, err
	}
	block, err := c.int("blocksize", 0)
	if err != nil {
		return nil, 0, err
	}
	if len(x.Shape) != 4 || block < 1 || block > int64(x.Shape[1]*x.Shape[2]) {
		return nil, 0, misfit{fmt.Errorf("blocks of %d do not fit %v", block, x.Shape)}
	}
	return x, int(block), nil
}

// shuffle reshapes, reorders the axes and reshapes again.
func (c *call) shuffle(x *Node, dims, perm, shape []int) (*Node, error) {
	x, err := c.emit(OpReshape, Attrs{Dims: dims}, nil, x)
	if err != nil {
		return nil, err
	}
	if x, err = c.emit(OpTranspose, Attrs{Perm: perm}, nil, x); err != nil {
		return nil, err
	}
	return c.emit(OpReshape, Attrs{Dims: shape}, nil, x)
}
