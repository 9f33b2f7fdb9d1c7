package fastcpu

import (
	"math"
	"slices"

	"github.com/gomlx/compute"
)

// reduction combines the middle axis of [outer, reduced, inner].
type reduction struct{ outer, reduced, inner int }

// reduceAttr is a reduction of any axes: one pass over each run of neighbouring ones, the last first.
type reduceAttr struct {
	op     elementOp // opAdd, opMax or opMin
	passes []reduction
}

func (f *function) reduction(op elementOp, name string, x compute.Value, axes []int,
	emit func(g compute.Function, x compute.Value, axes ...int) (compute.Value, error)) (compute.Value, error) {
	n, err := f.delegated(name, func(g compute.Function, in []compute.Value) (compute.Value, error) { return emit(g, in[0], axes...) }, x)
	if err != nil {
		return nil, err
	}
	in := n.inputs[0]
	if !isF32(in) || in.shape().Size() == 0 {
		return f.add(n), nil
	}
	all := len(axes) == 0
	dims := in.shape().Dimensions
	a := &reduceAttr{op: op}
	inner := 1
	for i := len(dims) - 1; i >= 0; {
		if !all && !slices.Contains(axes, i) {
			inner *= dims[i]
			i--
			continue
		}
		reduced := 1
		for ; i >= 0 && (all || slices.Contains(axes, i)); i-- {
			reduced *= dims[i]
		}
		outer := 1
		for _, d := range dims[:i+1] {
			outer *= d
		}
		a.passes = append(a.passes, reduction{outer, reduced, inner})
	}
	return f.native(name, reduceKernel, a, n.outs[0], in), nil
}

func (f *function) ReduceSum(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduction(opAdd, "ReduceSum", x, axes, compute.Function.ReduceSum)
}
func (f *function) ReduceMax(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduction(opMax, "ReduceMax", x, axes, compute.Function.ReduceMax)
}
func (f *function) ReduceMin(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduction(opMin, "ReduceMin", x, axes, compute.Function.ReduceMin)
}

func reduceKernel(n *node, in, out []*buffer) {
	a := n.attr.(*reduceAttr)
	src := in[0].f32()
	if len(a.passes) == 0 {
		copy(out[0].f32(), src)
	}
	var last []float32
	for i, r := range a.passes {
		dst := out[0].f32()
		if i < len(a.passes)-1 {
			dst = rawScratch(r.outer * r.inner)
		}
		r.run(a.op, dst, src)
		if last != nil {
			putScratch(last)
		}
		src, last = dst, dst
	}
}

// run reduces src to dst [outer, inner].
func (r reduction) run(op elementOp, dst, src []float32) {
	size := r.reduced * r.inner
	if r.outer >= batchedFrom {
		parallel(r.outer, 1, max(2, parallelSize/size), func(_, lo, hi int) {
			sum := make([]float64, r.inner)
			for o := lo; o < hi; o++ {
				r.start(op, sum)
				r.add(op, sum, src[o*size:(o+1)*size])
				round(dst[o*r.inner:], sum)
			}
		})
		return
	}
	for o := range r.outer {
		parts := make([][]float64, maxParts)
		img := src[o*size:]
		parallel(r.reduced, 1, parallelSize/r.inner, func(part, lo, hi int) {
			parts[part] = make([]float64, r.inner)
			r.start(op, parts[part])
			r.add(op, parts[part], img[lo*r.inner:hi*r.inner])
		})
		for _, p := range parts[1:] {
			for i, v := range p {
				parts[0][i] = combine(op, parts[0][i], v)
			}
		}
		round(dst[o*r.inner:], parts[0])
	}
}

func round(dst []float32, sum []float64) {
	for i, v := range sum {
		dst[i] = float32(v)
	}
}

func (r reduction) start(op elementOp, sum []float64) {
	v := 0.0
	switch op {
	case opMax:
		v = math.Inf(-1)
	case opMin:
		v = math.Inf(1)
	}
	for i := range sum {
		sum[i] = v
	}
}

func combine(op elementOp, a, b float64) float64 {
	switch op {
	case opAdd:
		return a + b
	case opMax:
		return max(a, b)
	default:
		return min(a, b)
	}
}

// add combines rows of inner values into sum: in float32 over short runs, in float64 over the runs.
func (r reduction) add(op elementOp, sum []float64, rows []float32) {
	const run = 1 << 10
	if r.inner == 1 {
		for len(rows) > 0 {
			n := min(run, len(rows))
			sum[0] = combine(op, sum[0], float64(foldRow(op, rows[:n])))
			rows = rows[n:]
		}
		return
	}
	short := rawScratch(r.inner)
	length := max(1, run/r.inner) * r.inner
	for len(rows) > 0 {
		part := rows[:min(length, len(rows))]
		copy(short, part[:r.inner])
		for at := r.inner; at < len(part); at += r.inner {
			binaryBlock(op, short, vector{data: short}, vector{data: part[at : at+r.inner]})
		}
		for i, v := range short {
			sum[i] = combine(op, sum[i], float64(v))
		}
		rows = rows[len(part):]
	}
	putScratch(short)
}

// foldRow combines all values of a row, which is not empty.
func foldRow(op elementOp, row []float32) float32 {
	v, i := foldVector(op, row)
	if i == 0 {
		v, i = row[0], 1
	}
	for ; i < len(row); i++ {
		v = binaryOne(op, v, row[i])
	}
	return v
}
