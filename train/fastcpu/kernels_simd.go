//go:build amd64 && goexperiment.simd

package fastcpu

import (
	"unsafe"

	"simd/archsimd"
)

type vec = archsimd.Float32x8

// stream is where a vector operand is read: a slice, or one vector again and again.
type stream struct {
	data unsafe.Pointer
	step int
}

// stream returns v's stream; a number goes into space.
func (v vector) stream(space *[lanes]float32) stream {
	if v.data != nil {
		return stream{ptr(v.data), 1}
	}
	archsimd.BroadcastFloat32x8(v.scalar).Store(space)
	return stream{unsafe.Pointer(space), 0}
}

func (s stream) at(i int) vec { return vecAt(s.data, i*s.step) }

func vecAt(p unsafe.Pointer, i int) vec {
	return archsimd.LoadFloat32x8((*[lanes]float32)(unsafe.Add(p, 4*i)))
}

func storeAt(p unsafe.Pointer, i int, v vec) { v.Store((*[lanes]float32)(unsafe.Add(p, 4*i))) }

// binaryVector does the elements up to a multiple of a vector's length, if it knows op, and returns how many.
func binaryVector(op elementOp, dst []float32, va, vb vector) int {
	var spaceA, spaceB [lanes]float32
	a, b, d, n := va.stream(&spaceA), vb.stream(&spaceB), ptr(dst), len(dst)/lanes*lanes
	zero, one := splat(0), splat(1)
	switch op {
	case opAdd:
		for i := 0; i < n; i += lanes {
			storeAt(d, i, a.at(i).Add(b.at(i)))
		}
	case opSub:
		for i := 0; i < n; i += lanes {
			storeAt(d, i, a.at(i).Sub(b.at(i)))
		}
	case opMul:
		for i := 0; i < n; i += lanes {
			storeAt(d, i, a.at(i).Mul(b.at(i)))
		}
	case opDiv:
		for i := 0; i < n; i += lanes {
			storeAt(d, i, a.at(i).Div(b.at(i)))
		}
	case opMax:
		for i := 0; i < n; i += lanes {
			storeAt(d, i, a.at(i).Max(b.at(i)))
		}
	case opMin:
		for i := 0; i < n; i += lanes {
			storeAt(d, i, a.at(i).Min(b.at(i)))
		}
	case opGreater:
		for i := 0; i < n; i += lanes {
			storeAt(d, i, one.Merge(zero, a.at(i).Greater(b.at(i))))
		}
	case opGreaterEqual:
		for i := 0; i < n; i += lanes {
			storeAt(d, i, one.Merge(zero, a.at(i).GreaterEqual(b.at(i))))
		}
	case opLess:
		for i := 0; i < n; i += lanes {
			storeAt(d, i, one.Merge(zero, a.at(i).Less(b.at(i))))
		}
	case opLessEqual:
		for i := 0; i < n; i += lanes {
			storeAt(d, i, one.Merge(zero, a.at(i).LessEqual(b.at(i))))
		}
	case opEqual:
		for i := 0; i < n; i += lanes {
			storeAt(d, i, one.Merge(zero, a.at(i).Equal(b.at(i))))
		}
	case opNotEqual:
		for i := 0; i < n; i += lanes {
			storeAt(d, i, one.Merge(zero, a.at(i).NotEqual(b.at(i))))
		}
	default:
		return 0
	}
	return n
}

// selectVector is opSelect, for the elements up to a multiple of a vector's length; it returns how many.
func selectVector(dst []float32, vc, va, vb vector) int {
	var spaceA, spaceB, spaceC [lanes]float32
	a, b, c, d, n := va.stream(&spaceA), vb.stream(&spaceB), vc.stream(&spaceC), ptr(dst), len(dst)/lanes*lanes
	zero := splat(0)
	for i := 0; i < n; i += lanes {
		storeAt(d, i, a.at(i).Merge(b.at(i), c.at(i).NotEqual(zero)))
	}
	return n
}

// unaryVector does the elements up to a multiple of a vector's length, if it knows op, and returns how many.
func unaryVector(op elementOp, d, x []float32) int {
	n := len(d) / lanes * lanes
	zero, one := archsimd.BroadcastFloat32x8(0), archsimd.BroadcastFloat32x8(1)
	switch op {
	case opCopy:
		return copy(d, x)
	case opNeg:
		for i := 0; i < n; i += lanes {
			zero.Sub(archsimd.LoadFloat32x8Slice(x[i:])).StoreSlice(d[i:])
		}
	case opAbs:
		for i := 0; i < n; i += lanes {
			v := archsimd.LoadFloat32x8Slice(x[i:])
			v.Max(zero.Sub(v)).StoreSlice(d[i:])
		}
	case opSign:
		for i := 0; i < n; i += lanes {
			v := archsimd.LoadFloat32x8Slice(x[i:])
			one.Merge(zero, v.Greater(zero)).Sub(one.Merge(zero, v.Less(zero))).StoreSlice(d[i:])
		}
	case opSqrt:
		for i := 0; i < n; i += lanes {
			archsimd.LoadFloat32x8Slice(x[i:]).Sqrt().StoreSlice(d[i:])
		}
	case opRsqrt:
		for i := 0; i < n; i += lanes {
			one.Div(archsimd.LoadFloat32x8Slice(x[i:]).Sqrt()).StoreSlice(d[i:])
		}
	case opExp:
		expVector(d[:n], x)
	case opTanh:
		tanhVector(d[:n], x)
	case opErf:
		erfVector(d[:n], x)
	case opLogistic:
		for i := 0; i < n; i += lanes {
			zero.Sub(archsimd.LoadFloat32x8Slice(x[i:])).StoreSlice(d[i:])
		}
		expVector(d[:n], d)
		for i := 0; i < n; i += lanes {
			one.Div(one.Add(archsimd.LoadFloat32x8Slice(d[i:]))).StoreSlice(d[i:])
		}
	default:
		return 0
	}
	return n
}

// truthVector converts bytes of 0 and 1 and returns how many it did.
func truthVector(d []float32, b []int8) int {
	i := 0
	for ; i+2*lanes <= len(b); i += lanes {
		archsimd.LoadInt8x16Slice(b[i:]).ExtendLo8ToInt32().ConvertToFloat32().StoreSlice(d[i:])
	}
	return i
}

// bitsToBytes spreads eight bits over eight bytes of 0 or 1.
var bitsToBytes = func() (table [256]uint64) {
	for bits := range table {
		for i := range lanes {
			table[bits] |= uint64(bits>>i&1) << (8 * i)
		}
	}
	return table
}()

// truthBytes converts truth values to bytes of 0 and 1 and returns how many it did.
func truthBytes(b []int8, v []float32) int {
	n := len(b) / lanes * lanes
	zero := splat(0)
	for i := 0; i < n; i += lanes {
		*(*uint64)(unsafe.Pointer(&b[i])) = bitsToBytes[archsimd.LoadFloat32x8Slice(v[i:]).NotEqual(zero).ToBits()]
	}
	return n
}

// foldVector combines the values of row up to a multiple of a vector's length and returns how many.
func foldVector(op elementOp, row []float32) (float32, int) {
	n := len(row) / lanes * lanes
	if n == 0 {
		return 0, 0
	}
	v := archsimd.LoadFloat32x8Slice(row)
	for i := lanes; i < n; i += lanes {
		x := archsimd.LoadFloat32x8Slice(row[i:])
		switch op {
		case opAdd:
			v = v.Add(x)
		case opMax:
			v = v.Max(x)
		default:
			v = v.Min(x)
		}
	}
	var all [lanes]float32
	v.Store(&all)
	r := all[0]
	for _, x := range all[1:] {
		r = binaryOne(op, r, x)
	}
	return r, n
}

// affine sets y = a x + b, with a and b repeated for each row.
func affine(y, x, a, b []float32) {
	c := len(a)
	if c%lanes != 0 {
		affineScalar(y, x, a, b)
		return
	}
	for r := 0; r < len(x); r += c {
		xr, yr := x[r:r+c], y[r:r+c]
		for i := 0; i < c; i += lanes {
			archsimd.LoadFloat32x8Slice(xr[i:]).MulAdd(archsimd.LoadFloat32x8Slice(a[i:]), archsimd.LoadFloat32x8Slice(b[i:])).StoreSlice(yr[i:])
		}
	}
}

// affine2 sets y = p g + q x + r, with p, q and r repeated for each row.
func affine2(y, g, x, p, q, r []float32) {
	c := len(p)
	if c%lanes != 0 {
		affine2Scalar(y, g, x, p, q, r)
		return
	}
	for o := 0; o < len(x); o += c {
		xr, gr, yr := x[o:o+c], g[o:o+c], y[o:o+c]
		for i := 0; i < c; i += lanes {
			t := archsimd.LoadFloat32x8Slice(xr[i:]).MulAdd(archsimd.LoadFloat32x8Slice(q[i:]), archsimd.LoadFloat32x8Slice(r[i:]))
			archsimd.LoadFloat32x8Slice(gr[i:]).MulAdd(archsimd.LoadFloat32x8Slice(p[i:]), t).StoreSlice(yr[i:])
		}
	}
}

// addMoments adds x-shift and its square to s and s2, row by row.
func addMoments(x, shift, s, s2 []float32) {
	c := len(s)
	if c%lanes != 0 {
		addMomentsScalar(x, shift, s, s2)
		return
	}
	for i := 0; i < c; i += lanes {
		m := archsimd.LoadFloat32x8Slice(shift[i:])
		a, a2 := archsimd.LoadFloat32x8Slice(s[i:]), archsimd.LoadFloat32x8Slice(s2[i:])
		for r := i; r < len(x); r += c {
			d := archsimd.LoadFloat32x8Slice(x[r:]).Sub(m)
			a = a.Add(d)
			a2 = d.MulAdd(d, a2)
		}
		a.StoreSlice(s[i:])
		a2.StoreSlice(s2[i:])
	}
}

// addProducts adds g and g (x - mean) to s and s2, row by row.
func addProducts(g, x, mean, s, s2 []float32) {
	c := len(s)
	if c%lanes != 0 {
		addProductsScalar(g, x, mean, s, s2)
		return
	}
	for i := 0; i < c; i += lanes {
		m := archsimd.LoadFloat32x8Slice(mean[i:])
		a, a2 := archsimd.LoadFloat32x8Slice(s[i:]), archsimd.LoadFloat32x8Slice(s2[i:])
		for r := i; r < len(x); r += c {
			v := archsimd.LoadFloat32x8Slice(g[r:])
			a = a.Add(v)
			a2 = v.MulAdd(archsimd.LoadFloat32x8Slice(x[r:]).Sub(m), a2)
		}
		a.StoreSlice(s[i:])
		a2.StoreSlice(s2[i:])
	}
}
