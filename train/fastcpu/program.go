package fastcpu

import (
	"slices"
	"unsafe"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// element marks a node as element-wise. A nil pattern means that the operand is read in the order of the result.
type element struct {
	op       elementOp
	patterns []*pattern
}

// pattern says how the elements of a result, in order, read a smaller operand: with a stride, perhaps zero, for each
// dimension of the result. Dimensions that can be merged are.
type pattern struct{ dims, strides []int }

// broadcastPattern returns how out reads in, whose axes are the given axes of out (all of them if nil). It is nil where
// both have the same elements in the same order.
func broadcastPattern(in, out shapes.Shape, axes []int) *pattern {
	if in.Size() == out.Size() {
		return nil
	}
	strides := make([]int, out.Rank())
	for i, s := range in.Strides() {
		axis := i
		if axes != nil {
			axis = axes[i]
		}
		if in.Dimensions[i] > 1 {
			strides[axis] = s
		}
	}
	p := &pattern{}
	for i := out.Rank() - 1; i >= 0; i-- {
		d, last := out.Dimensions[i], len(p.dims)-1
		switch {
		case d == 1:
		case last >= 0 && strides[i] == p.strides[last]*p.dims[last]:
			p.dims[last] *= d
		default:
			p.dims, p.strides = append(p.dims, d), append(p.strides, strides[i])
		}
	}
	return p // the fastest dimension first
}

// readPattern sets dst to the operand's values for the result's elements from lo on.
func readPattern[T any](p *pattern, dst, src []T, lo int) {
	inner, step := p.dims[0], p.strides[0]
	for len(dst) > 0 {
		i, rest := lo%inner, lo/inner
		at := i * step
		for d := 1; d < len(p.dims); d++ {
			at += rest % p.dims[d] * p.strides[d]
			rest /= p.dims[d]
		}
		run := min(inner-i, len(dst))
		switch step {
		case 0:
			v := src[at]
			for j := range dst[:run] {
				dst[j] = v
			}
		case 1:
			copy(dst[:run], src[at:])
		default:
			for j := range dst[:run] {
				dst[j] = src[at+j*step]
			}
		}
		dst, lo = dst[run:], lo+run
	}
}

// program computes one result from several operands, block by block. Registers are the operands first, then one for each
// instruction.
type program struct {
	loads []load
	code  []instruction
	temps int // temporary blocks
}

type load struct {
	input   int // of the node
	pattern *pattern
	bool    bool
	size    int
	temp    int // block that it is expanded into, or -1
}

type instruction struct {
	op      elementOp
	a, b, c int // registers
	temp    int // block of the result; the last instruction's is the result of the program
}

func (p *program) run(in []*buffer, out *buffer) {
	size := out.shape.Size()
	var dst []float32
	bools, isBool := out.flat.([]bool)
	if !isBool {
		dst = out.f32()
	}
	parallel(size, lanes, parallelSize, func(_, lo, hi int) {
		temps := rawScratch(max(1, p.temps+1) * blockSize)
		temp := func(i, n int) []float32 { return temps[i*blockSize : i*blockSize+n] }
		regs := make([]vector, len(p.loads)+len(p.code))
		for ; lo < hi; lo += blockSize {
			n := min(blockSize, hi-lo)
			for i := range p.loads {
				l := &p.loads[i]
				regs[i] = l.block(in[l.input], lo, n, size, temp)
			}
			for i, c := range p.code {
				var d []float32
				switch {
				case i < len(p.code)-1:
					d = temp(c.temp, n)
				case isBool:
					d = temp(p.temps, n)
				default:
					d = dst[lo : lo+n]
				}
				c.op.block(d, regs[c.a], regs[c.b], regs[c.c])
				regs[len(p.loads)+i] = vector{data: d}
			}
			if isBool {
				storeTruths(bools[lo:lo+n], temp(p.temps, n))
			}
		}
		putScratch(temps)
	})
}

// block returns the operand's values for n elements of the result from lo on.
func (l *load) block(b *buffer, lo, n, size int, temp func(i, n int) []float32) vector {
	if l.bool {
		src := b.flat.([]bool)
		if l.size == 1 {
			return vector{scalar: truth(src[0])}
		}
		d := temp(l.temp, n)
		if l.pattern == nil {
			src = src[lo : lo+n]
		} else {
			part := make([]bool, n)
			readPattern(l.pattern, part, src, lo)
			src = part
		}
		loadTruths(d, src)
		return vector{data: d}
	}
	src := b.f32()
	switch {
	case l.size == 1:
		return vector{scalar: src[0]}
	case l.pattern == nil:
		return vector{data: src[lo : lo+n]}
	}
	d := temp(l.temp, n)
	readPattern(l.pattern, d, src, lo)
	return vector{data: d}
}

// source returns the value whose elements v has, in their order.
func source(v *value) *value {
	for v.node.op == opReshape {
		v = v.node.inputs[0]
	}
	return v
}

// broadcasts says whether n only repeats a smaller operand, which its readers may as well read themselves.
func (n *node) broadcasts() bool {
	return n.element != nil && n.element.op == opCopy && n.element.patterns[0] != nil &&
		n.inputs[0].shape().DType == n.outs[0].DType
}

// fuse returns the nodes whose operations run together with root's, in order: element-wise ones of its size that are read
// by them alone.
func fuse(root *node, readers [][]*node, kept []bool) []*node {
	const most = 24
	members := []*node{root}
	inside := map[*node]bool{root: true}
	size := root.outs[0].Size()
	for i := 0; i < len(members) && size > 1; i++ {
	next:
		for _, in := range members[i].inputs {
			m := source(in).node
			if m.element == nil || inside[m] || kept[m.id] || m.broadcasts() || m.outs[0].Size() != size || len(members) == most {
				continue
			}
			for _, r := range readers[m.id] {
				if !inside[r] {
					continue next
				}
			}
			inside[m] = true
			members = append(members, m)
		}
	}
	slices.SortFunc(members, func(a, b *node) int { return a.id - b.id })
	return members
}

// bytesOf is the memory of truth values: 0 and 1.
func bytesOf(b []bool) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(b))), len(b))
}

func loadTruths(d []float32, b []bool) {
	bytes := bytesOf(b)
	for i := truthVector(d, bytes); i < len(d); i++ {
		d[i] = float32(bytes[i])
	}
}

func storeTruths(b []bool, v []float32) {
	for i := truthBytes(bytesOf(b), v); i < len(b); i++ {
		b[i] = v[i] != 0
	}
}

// assemble builds the program of root with the nodes fused into it; members are in order, root last. It returns the
// program and the values that it reads.
func assemble(members []*node) (*program, []*value) {
	p := &program{}
	var inputs []*value
	result := map[*node]int{} // index of a member's instruction
	type key struct {
		v       value
		pattern *pattern
	}
	loaded := map[key]int{}
	var regs [][3]int // negative: load -1-i; else instruction i
	for _, m := range members {
		var o [3]int
		for i, in := range m.inputs {
			v, pat := *source(in), m.element.patterns[i]
			if r, ok := result[v.node]; ok {
				o[i] = r
				continue
			}
			if v.node.broadcasts() && pat == nil {
				v, pat = *source(v.node.inputs[0]), v.node.element.patterns[0]
			}
			k := key{v, pat}
			at, ok := loaded[k]
			if !ok {
				at = len(p.loads)
				loaded[k] = at
				p.loads = append(p.loads, load{input: len(inputs), pattern: pat, bool: v.shape().DType == dtypes.Bool, size: v.shape().Size(), temp: -1})
				inputs = append(inputs, &v)
			}
			o[i] = -1 - at
		}
		for i := len(m.inputs); i < 3; i++ {
			o[i] = o[0]
		}
		result[m] = len(p.code)
		p.code = append(p.code, instruction{op: m.element.op})
		regs = append(regs, o)
	}
	p.allocate(regs)
	return p, inputs
}

// allocate numbers the registers and the temporary blocks.
func (p *program) allocate(regs [][3]int) {
	for i := range p.loads {
		if l := &p.loads[i]; l.size > 1 && (l.bool || l.pattern != nil) {
			l.temp = p.temps
			p.temps++
		}
	}
	last := make([]int, len(p.code))
	for i, o := range regs {
		for _, r := range o {
			if r >= 0 {
				last[r] = i
			}
		}
	}
	var free []int
	for i, o := range regs {
		c := &p.code[i]
		number := func(r int) int {
			if r < 0 {
				return -1 - r
			}
			return len(p.loads) + r
		}
		c.a, c.b, c.c = number(o[0]), number(o[1]), number(o[2])
		// A block may be written where an operand of the same instruction ends: operations go element by element.
		for j, at := range last[:i] {
			if at == i {
				free = append(free, p.code[j].temp)
				last[j] = -1
			}
		}
		if len(free) > 0 {
			c.temp, free = free[len(free)-1], free[:len(free)-1]
			continue
		}
		c.temp = p.temps
		p.temps++
	}
}
