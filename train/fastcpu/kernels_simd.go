//go:build amd64 && goexperiment.simd

package fastcpu

import "simd/archsimd"

type vec = archsimd.Float32x8

// binaryVector does the elements up to a multiple of a vector's length, if it knows op, and returns how many.
func binaryVector(op elementOp, d []float32, a, b vector) int {
	if op == opPow {
		return 0
	}
	n := len(d) / lanes * lanes
	va, vb := archsimd.BroadcastFloat32x8(a.scalar), archsimd.BroadcastFloat32x8(b.scalar)
	zero, one := archsimd.BroadcastFloat32x8(0), archsimd.BroadcastFloat32x8(1)
	for i := 0; i < n; i += lanes {
		if a.data != nil {
			va = archsimd.LoadFloat32x8Slice(a.data[i:])
		}
		if b.data != nil {
			vb = archsimd.LoadFloat32x8Slice(b.data[i:])
		}
		var r vec
		switch op {
		case opAdd:
			r = va.Add(vb)
		case opSub:
			r = va.Sub(vb)
		case opMul:
			r = va.Mul(vb)
		case opDiv:
			r = va.Div(vb)
		case opMax:
			r = va.Max(vb)
		case opMin:
			r = va.Min(vb)
		case opGreater:
			r = one.Merge(zero, va.Greater(vb))
		case opGreaterEqual:
			r = one.Merge(zero, va.GreaterEqual(vb))
		case opLess:
			r = one.Merge(zero, va.Less(vb))
		case opLessEqual:
			r = one.Merge(zero, va.LessEqual(vb))
		case opEqual:
			r = one.Merge(zero, va.Equal(vb))
		default:
			r = one.Merge(zero, va.NotEqual(vb))
		}
		r.StoreSlice(d[i:])
	}
	return n
}

// selectVector is opSelect, for the elements up to a multiple of a vector's length; it returns how many.
func selectVector(d []float32, cond, a, b vector) int {
	if cond.data == nil {
		return 0
	}
	n := len(d) / lanes * lanes
	zero := archsimd.BroadcastFloat32x8(0)
	va, vb := archsimd.BroadcastFloat32x8(a.scalar), archsimd.BroadcastFloat32x8(b.scalar)
	for i := 0; i < n; i += lanes {
		if a.data != nil {
			va = archsimd.LoadFloat32x8Slice(a.data[i:])
		}
		if b.data != nil {
			vb = archsimd.LoadFloat32x8Slice(b.data[i:])
		}
		va.Merge(vb, archsimd.LoadFloat32x8Slice(cond.data[i:]).NotEqual(zero)).StoreSlice(d[i:])
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
