//go:build amd64 && goexperiment.simd

package fastcpu

import (
	"math"

	"simd/archsimd"
)

func splat(v float64) vec { return archsimd.BroadcastFloat32x8(float32(v)) }

// expVector sets d to e^x, for a multiple of a vector's length. x is split into n ln 2 and a rest of at most ln(2)/2,
// whose exponential is its Taylor series; 2^n goes into the exponent bits. Results below the normal numbers are 0.
func expVector(d, x []float32) {
	// ln 2 in two parts; the first has so few digits that n times it is exact.
	const high = 0.693359375
	low := splat(math.Ln2 - high)
	log2e, ln2, most, least := splat(math.Log2E), splat(high), splat(88.72284), splat(-87.33654)
	c2, c3, c4, c5, c6, c7 := splat(1./2), splat(1./6), splat(1./24), splat(1./120), splat(1./720), splat(1./5040)
	zero, one, inf := splat(0), splat(1), splat(math.Inf(1))
	bias := archsimd.BroadcastInt32x8(126)
	for i := 0; i < len(d); i += lanes {
		v := archsimd.LoadFloat32x8Slice(x[i:])
		n := v.Min(most).Max(least).Mul(log2e).RoundToEven()
		r := v.Sub(n.Mul(ln2)).Sub(n.Mul(low))
		p := c7.MulAdd(r, c6).MulAdd(r, c5).MulAdd(r, c4).MulAdd(r, c3).MulAdd(r, c2)
		e := p.Mul(r).MulAdd(r, r).Add(one)
		// 2^n as 2 times 2^(n-1), because 2^128 is no float32.
		scale := n.ConvertToInt32().Add(bias).ShiftAllLeft(23).AsFloat32x8()
		e = e.Add(e).Mul(scale)
		e = inf.Merge(e, v.Greater(most))
		e = zero.Merge(e, v.Less(least))
		v.Merge(e, v.NotEqual(v)).StoreSlice(d[i:]) // NaN stays
	}
}

// tanhVector sets d to tanh x = 1 - 2/(e^2x + 1), by its Taylor series where that would lose digits.
func tanhVector(d, x []float32) {
	var t [blockSize]float32
	one, two, small := splat(1), splat(2), splat(0.3)
	c3, c5, c7, c9 := splat(-1./3), splat(2./15), splat(-17./315), splat(62./2835)
	for len(d) > 0 {
		n := min(len(d), blockSize)
		for i := 0; i < n; i += lanes {
			v := archsimd.LoadFloat32x8Slice(x[i:])
			v.Add(v).StoreSlice(t[i:])
		}
		expVector(t[:n], t[:n])
		for i := 0; i < n; i += lanes {
			v := archsimd.LoadFloat32x8Slice(x[i:])
			s := v.Mul(v)
			series := c9.MulAdd(s, c7).MulAdd(s, c5).MulAdd(s, c3).Mul(s).MulAdd(v, v)
			y := one.Sub(two.Div(archsimd.LoadFloat32x8Slice(t[i:]).Add(one)))
			series.Merge(y, s.Less(small.Mul(small))).StoreSlice(d[i:])
		}
		d, x = d[n:], x[n:]
	}
}

// erfVector sets d to erf x: near 0 by its Taylor series, elsewhere by formula 7.1.26 of Abramowitz and Stegun,
// "Handbook of Mathematical Functions", whose error is at most 1.5e-7.
func erfVector(d, x []float32) {
	var t [blockSize]float32
	zero, one, half := splat(0), splat(1), splat(0.5)
	p, a1, a2, a3, a4, a5 := splat(0.3275911), splat(0.254829592), splat(-0.284496736), splat(1.421413741), splat(-1.453152027), splat(1.061405429)
	c1, c3, c5, c7, c9, c11 := splat(2/math.SqrtPi), splat(-1./3), splat(1./10), splat(-1./42), splat(1./216), splat(-1./1320)
	for len(d) > 0 {
		n := min(len(d), blockSize)
		for i := 0; i < n; i += lanes {
			v := archsimd.LoadFloat32x8Slice(x[i:])
			zero.Sub(v.Mul(v)).StoreSlice(t[i:])
		}
		expVector(t[:n], t[:n])
		for i := 0; i < n; i += lanes {
			v := archsimd.LoadFloat32x8Slice(x[i:])
			s, size := v.Mul(v), v.Max(zero.Sub(v))
			series := c11.MulAdd(s, c9).MulAdd(s, c7).MulAdd(s, c5).MulAdd(s, c3).MulAdd(s, one).Mul(c1).Mul(v)
			r := one.Div(p.MulAdd(size, one))
			y := one.Sub(a5.MulAdd(r, a4).MulAdd(r, a3).MulAdd(r, a2).MulAdd(r, a1).Mul(r).Mul(archsimd.LoadFloat32x8Slice(t[i:])))
			y = zero.Sub(y).Merge(y, v.Less(zero))
			series.Merge(y, size.Less(half)).StoreSlice(d[i:])
		}
		d, x = d[n:], x[n:]
	}
}
