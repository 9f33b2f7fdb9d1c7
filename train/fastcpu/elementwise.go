package fastcpu

import "github.com/gomlx/compute"

type binaryOp int

const (
	opAdd binaryOp = iota
	opSub
	opMul
	opDiv
	opMax
)

func (o binaryOp) String() string { return [...]string{"Add", "Sub", "Mul", "Div", "Max"}[o] }

func (o binaryOp) emit(f compute.Function, a, b compute.Value) (compute.Value, error) {
	switch o {
	case opAdd:
		return f.Add(a, b)
	case opSub:
		return f.Sub(a, b)
	case opMul:
		return f.Mul(a, b)
	case opDiv:
		return f.Div(a, b)
	default:
		return f.Max(a, b)
	}
}

const (
	lanes        = 8       // elements of a vector
	parallelSize = 1 << 15 // elements below which one goroutine is faster
)

// vector is an operand of an element-wise operation: a slice as long as the output, or one number.
type vector struct {
	data   []float32
	scalar float32
}

func operand(b *buffer, size int) vector {
	d := b.f32()
	if len(d) == size && size > 1 {
		return vector{data: d}
	}
	return vector{scalar: d[0]}
}

func (v vector) part(lo, hi int) vector {
	if v.data == nil {
		return v
	}
	return vector{data: v.data[lo:hi]}
}

func (v vector) at(i int) float32 {
	if v.data == nil {
		return v.scalar
	}
	return v.data[i]
}

func binaryKernel(_ *execution, n *node, in, out []*buffer) {
	dst, op := out[0].f32(), n.attr.(binaryOp)
	a, b := operand(in[0], len(dst)), operand(in[1], len(dst))
	parallel(len(dst), lanes, parallelSize, func(_, lo, hi int) {
		d, a, b := dst[lo:hi], a.part(lo, hi), b.part(lo, hi)
		for i := binaryVector(op, d, a, b); i < len(d); i++ {
			d[i] = binaryOne(op, a.at(i), b.at(i))
		}
	})
}

func binaryOne(op binaryOp, a, b float32) float32 {
	switch op {
	case opAdd:
		return a + b
	case opSub:
		return a - b
	case opMul:
		return a * b
	case opDiv:
		return a / b
	default:
		return max(a, b)
	}
}

func sqrtKernel(_ *execution, _ *node, in, out []*buffer) {
	dst, src := out[0].f32(), in[0].f32()
	parallel(len(dst), lanes, parallelSize, func(_, lo, hi int) { sqrtAll(dst[lo:hi], src[lo:hi]) })
}

// selectKernel computes x > s ? a : b for in = x, s, a, b.
func selectKernel(_ *execution, _ *node, in, out []*buffer) {
	dst, x, s := out[0].f32(), in[0].f32(), in[1].f32()[0]
	a, b := operand(in[2], len(dst)), operand(in[3], len(dst))
	parallel(len(dst), lanes, parallelSize, func(_, lo, hi int) {
		d, x, a, b := dst[lo:hi], x[lo:hi], a.part(lo, hi), b.part(lo, hi)
		for i := selectVector(d, x, s, a, b); i < len(d); i++ {
			if x[i] > s {
				d[i] = a.at(i)
			} else {
				d[i] = b.at(i)
			}
		}
	})
}

func copyKernel(_ *execution, _ *node, in, out []*buffer) { copy(out[0].f32(), in[0].f32()) }

func sliceRowsKernel(_ *execution, n *node, in, out []*buffer) {
	copy(out[0].f32(), in[0].f32()[n.attr.(int):])
}

func padRowsKernel(_ *execution, n *node, in, out []*buffer) {
	dst, src, fill, start := out[0].f32(), in[0].f32(), in[1].f32()[0], n.attr.(int)
	for i := range dst[:start] {
		dst[i] = fill
	}
	copy(dst[start:], src)
	tail := dst[start+len(src):]
	for i := range tail {
		tail[i] = fill
	}
}

func concatRowsKernel(_ *execution, _ *node, in, out []*buffer) {
	dst := out[0].f32()
	for _, b := range in {
		dst = dst[copy(dst, b.f32()):]
	}
}
