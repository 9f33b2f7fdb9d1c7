package fastcpu

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// opReshape names nodes that share the storage of their operand.
const opReshape = "Reshape"

// move copies a box of elements between two tensors, both walked with strides of their own.
type move struct {
	dims, dst, src     []int
	dstStart, srcStart int
}

// movement is the attribute of a node that moves one box of each operand, over a background of fill if there is one more
// operand than boxes.
type movement struct{ boxes []*move }

func newMove(dims, dst, src []int, dstStart, srcStart int) *move {
	m := &move{dstStart: dstStart, srcStart: srcStart}
	for i, d := range dims {
		last := len(m.dims) - 1
		switch {
		case d == 1:
		case last >= 0 && m.dst[last] == dst[i]*d && m.src[last] == src[i]*d:
			m.dims[last] *= d
			m.dst[last], m.src[last] = dst[i], src[i]
		default:
			m.dims, m.dst, m.src = append(m.dims, d), append(m.dst, dst[i]), append(m.src, src[i])
		}
	}
	for len(m.dims) < 2 {
		m.dims, m.dst, m.src = slices.Insert(m.dims, 0, 1), slices.Insert(m.dst, 0, 0), slices.Insert(m.src, 0, 0)
	}
	return m
}

func moveKernel(n *node, in, out []*buffer) {
	a, dst := n.attr.(*movement), out[0].f32()
	if len(in) > len(a.boxes) {
		v := in[len(a.boxes)].f32()[0]
		parallel(len(dst), lanes, parallelSize, func(_, lo, hi int) {
			for i := range dst[lo:hi] {
				dst[lo+i] = v
			}
		})
	}
	for i, m := range a.boxes {
		m.run(dst, in[i].f32())
	}
}

func (m *move) run(dst, src []float32) {
	r := len(m.dims) - 2
	outer, size := 1, m.dims[r]*m.dims[r+1]
	for _, d := range m.dims[:r] {
		outer *= d
	}
	if outer*size == 0 {
		return
	}
	if outer >= batchedFrom {
		parallel(outer, 1, max(2, parallelSize/size), func(_, lo, hi int) {
			for o := lo; o < hi; o++ {
				m.plane(dst, src, o, 0, m.dims[r])
			}
		})
		return
	}
	for o := range outer {
		parallel(m.dims[r], 1, max(2, parallelSize/m.dims[r+1]), func(_, lo, hi int) { m.plane(dst, src, o, lo, hi) })
	}
}

// plane moves rows [lo, hi) of the innermost two dimensions at index o of the others.
func (m *move) plane(dst, src []float32, o, lo, hi int) {
	r := len(m.dims) - 2
	d, s := m.dstStart, m.srcStart
	for i := r - 1; i >= 0; i-- {
		d, s = d+o%m.dims[i]*m.dst[i], s+o%m.dims[i]*m.src[i]
		o /= m.dims[i]
	}
	n, dRow, sRow, dStep, sStep := m.dims[r+1], m.dst[r], m.src[r], m.dst[r+1], m.src[r+1]
	if dStep == 1 && sStep == 1 {
		for i := lo; i < hi; i++ {
			copy(dst[d+i*dRow:][:n], src[s+i*sRow:])
		}
		return
	}
	// In squares, so that neither side jumps through memory for long.
	const side = 16
	for i0 := lo; i0 < hi; i0 += side {
		for j0 := 0; j0 < n; j0 += side {
			for i := i0; i < min(hi, i0+side); i++ {
				for j := j0; j < min(n, j0+side); j++ {
					dst[d+i*dRow+j*dStep] = src[s+i*sRow+j*sStep]
				}
			}
		}
	}
}

// ---- recording ----

// moved records n, a delegated node, as a movement if its operands are float32.
func (f *function) moved(n *node, boxes func(out shapes.Shape) []*move) compute.Value {
	if !isF32(n.inputs...) || n.outs[0].Size() == 0 {
		return f.add(n)
	}
	return f.native(n.op, moveKernel, &movement{boxes(n.outs[0])}, n.outs[0], n.inputs...)
}

func (f *function) Identity(x compute.Value) (compute.Value, error) { return x, nil }

func (f *function) Reshape(x compute.Value, dims ...int) (compute.Value, error) {
	vals, err := cast(x)
	if err != nil {
		return nil, err
	}
	shape, err := shapeinference.Reshape(vals[0].shape(), dims)
	if err != nil {
		return nil, err
	}
	return f.add(&node{op: opReshape, inputs: vals, outs: []shapes.Shape{shape}}), nil
}

func (f *function) BroadcastInDim(x compute.Value, shape shapes.Shape, axes []int) (compute.Value, error) {
	vals, err := cast(x)
	if err != nil {
		return nil, err
	}
	if in := vals[0].shape(); isF32(vals...) && len(axes) == in.Rank() && slices.IsSorted(axes) && shape.Size() > 0 {
		if err := shapeinference.BroadcastInDim(in, shape, axes, nil); err != nil {
			return nil, err
		}
		v := f.element(opCopy, "BroadcastInDim", shape)
		v.node.inputs, v.node.element.patterns = vals, []*pattern{broadcastPattern(in, shape, axes)}
		return v, nil
	}
	return f.unary("BroadcastInDim", x, func(g compute.Function, x compute.Value) (compute.Value, error) {
		return g.BroadcastInDim(x, shape, axes)
	})
}

func (f *function) Slice(x compute.Value, starts, limits, strides []int) (compute.Value, error) {
	n, err := f.delegated("Slice", func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Slice(in[0], starts, limits, strides)
	}, x)
	if err != nil {
		return nil, err
	}
	return f.moved(n, func(out shapes.Shape) []*move {
		src, start := n.inputs[0].shape().Strides(), 0
		for i := range src {
			start += starts[i] * src[i]
			if len(strides) > 0 {
				src[i] *= strides[i]
			}
		}
		return []*move{newMove(out.Dimensions, out.Strides(), src, 0, start)}
	}), nil
}

func (f *function) Reverse(x compute.Value, axes ...int) (compute.Value, error) {
	n, err := f.delegated("Reverse", func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Reverse(in[0], axes...)
	}, x)
	if err != nil {
		return nil, err
	}
	return f.moved(n, func(out shapes.Shape) []*move {
		src, start := out.Strides(), 0
		for _, a := range axes {
			start += (out.Dimensions[a] - 1) * src[a]
			src[a] = -src[a]
		}
		return []*move{newMove(out.Dimensions, out.Strides(), src, 0, start)}
	}), nil
}

func (f *function) Transpose(x compute.Value, permutation ...int) (compute.Value, error) {
	n, err := f.delegated("Transpose", func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Transpose(in[0], permutation...)
	}, x)
	if err != nil {
		return nil, err
	}
	return f.moved(n, func(out shapes.Shape) []*move {
		src := make([]int, len(permutation))
		for i, a := range permutation {
			src[i] = n.inputs[0].shape().Strides()[a]
		}
		return []*move{newMove(out.Dimensions, out.Strides(), src, 0, 0)}
	}), nil
}

func (f *function) Pad(x, fill compute.Value, axesConfig ...compute.PadAxis) (compute.Value, error) {
	n, err := f.delegated("Pad", func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Pad(in[0], in[1], axesConfig...)
	}, x, fill)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(axesConfig, func(a compute.PadAxis) bool { return a.Start < 0 || a.End < 0 }) {
		return f.add(n), nil
	}
	return f.moved(n, func(out shapes.Shape) []*move {
		dst, start := out.Strides(), 0
		for i, a := range axesConfig {
			start += a.Start * dst[i]
			dst[i] *= a.Interior + 1
		}
		in := n.inputs[0].shape()
		return []*move{newMove(in.Dimensions, dst, in.Strides(), start, 0)}
	}), nil
}

func (f *function) Concatenate(axis int, operands ...compute.Value) (compute.Value, error) {
	n, err := f.delegated("Concatenate", func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Concatenate(axis, in...)
	}, operands...)
	if err != nil {
		return nil, err
	}
	return f.moved(n, func(out shapes.Shape) []*move {
		var boxes []*move
		start := 0
		for _, v := range n.inputs {
			in := v.shape()
			boxes = append(boxes, newMove(in.Dimensions, out.Strides(), in.Strides(), start, 0))
			start += in.Dimensions[axis] * out.Strides()[axis]
		}
		return boxes
	}), nil
}
