//go:build amd64 && goexperiment.simd

package fastcpu

import "simd/archsimd"

type vec = archsimd.Float32x8

// binaryVector does the elements up to a multiple of a vector's length and returns how many.
func binaryVector(op binaryOp, d []float32, a, b vector) int {
	n := len(d) / lanes * lanes
	va, vb := archsimd.BroadcastFloat32x8(a.scalar), archsimd.BroadcastFloat32x8(b.scalar)
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
		default:
			r = va.Max(vb)
		}
		r.StoreSlice(d[i:])
	}
	return n
}

func selectVector(d, x []float32, s float32, a, b vector) int {
	n := len(d) / lanes * lanes
	vs := archsimd.BroadcastFloat32x8(s)
	va, vb := archsimd.BroadcastFloat32x8(a.scalar), archsimd.BroadcastFloat32x8(b.scalar)
	for i := 0; i < n; i += lanes {
		if a.data != nil {
			va = archsimd.LoadFloat32x8Slice(a.data[i:])
		}
		if b.data != nil {
			vb = archsimd.LoadFloat32x8Slice(b.data[i:])
		}
		va.Merge(vb, archsimd.LoadFloat32x8Slice(x[i:]).Greater(vs)).StoreSlice(d[i:])
	}
	return n
}

func sqrtAll(d, x []float32) {
	i := 0
	for ; i+lanes <= len(d); i += lanes {
		archsimd.LoadFloat32x8Slice(x[i:]).Sqrt().StoreSlice(d[i:])
	}
	sqrtScalar(d[i:], x[i:])
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
