//go:build amd64 && goexperiment.simd

package fastcpu

import "unsafe"

// depthwiseSpan computes n output pixels of c channels: each the sum over the taps of x times w.
func depthwiseSpan(y unsafe.Pointer, yPixel, n int, x unsafe.Pointer, xStep int, t taps, w unsafe.Pointer, c int) {
	whole := c / lanes * lanes
	for ch := 0; ch < whole; ch += lanes {
		if len(t.x) == 9 {
			depthwiseSpan9(unsafe.Add(y, 4*ch), yPixel, n, unsafe.Add(x, 4*ch), xStep, t, unsafe.Add(w, 4*ch))
			continue
		}
		for i := range n {
			var s vec
			for k, o := range t.x {
				s = vecAt(x, i*xStep+o+ch).MulAdd(vecAt(w, t.w[k]+ch), s)
			}
			storeAt(y, i*yPixel+ch, s)
		}
	}
	depthwiseScalar(y, yPixel, n, x, xStep, t, w, whole, c)
}

// depthwiseSpan9 does one vector of channels of a 3x3 kernel that lies on the image.
func depthwiseSpan9(y unsafe.Pointer, yPixel, n int, x unsafe.Pointer, xStep int, t taps, w unsafe.Pointer) {
	w0, w1, w2 := vecAt(w, t.w[0]), vecAt(w, t.w[1]), vecAt(w, t.w[2])
	w3, w4, w5 := vecAt(w, t.w[3]), vecAt(w, t.w[4]), vecAt(w, t.w[5])
	w6, w7, w8 := vecAt(w, t.w[6]), vecAt(w, t.w[7]), vecAt(w, t.w[8])
	pixel := t.x[1] - t.x[0]
	a, b, c := unsafe.Add(x, 4*t.x[0]), unsafe.Add(x, 4*t.x[3]), unsafe.Add(x, 4*t.x[6])
	for range n {
		s := vecAt(a, 0).Mul(w0)
		s = vecAt(a, pixel).MulAdd(w1, s)
		s = vecAt(a, 2*pixel).MulAdd(w2, s)
		s = vecAt(b, 0).MulAdd(w3, s)
		s = vecAt(b, pixel).MulAdd(w4, s)
		s = vecAt(b, 2*pixel).MulAdd(w5, s)
		s = vecAt(c, 0).MulAdd(w6, s)
		s = vecAt(c, pixel).MulAdd(w7, s)
		storeAt(y, 0, vecAt(c, 2*pixel).MulAdd(w8, s))
		y = unsafe.Add(y, 4*yPixel)
		a, b, c = unsafe.Add(a, 4*xStep), unsafe.Add(b, 4*xStep), unsafe.Add(c, 4*xStep)
	}
}

// depthwiseGradSpan adds to sum, for each tap, the sum over n pixels of x times g.
func depthwiseGradSpan(sum, g unsafe.Pointer, gPixel, n int, x unsafe.Pointer, xStep int, t taps, c int) {
	whole := c / lanes * lanes
	for ch := 0; ch < whole; ch += lanes {
		if len(t.x) == 9 {
			depthwiseGradSpan9(unsafe.Add(sum, 4*ch), unsafe.Add(g, 4*ch), gPixel, n, unsafe.Add(x, 4*ch), xStep, t)
			continue
		}
		for k, o := range t.x {
			s := vecAt(sum, t.w[k]+ch)
			for i := range n {
				s = vecAt(x, i*xStep+o+ch).MulAdd(vecAt(g, i*gPixel+ch), s)
			}
			storeAt(sum, t.w[k]+ch, s)
		}
	}
	depthwiseGradScalar(sum, g, gPixel, n, x, xStep, t, whole, c)
}

func depthwiseGradSpan9(sum, g unsafe.Pointer, gPixel, n int, x unsafe.Pointer, xStep int, t taps) {
	s0, s1, s2 := vecAt(sum, t.w[0]), vecAt(sum, t.w[1]), vecAt(sum, t.w[2])
	s3, s4, s5 := vecAt(sum, t.w[3]), vecAt(sum, t.w[4]), vecAt(sum, t.w[5])
	s6, s7, s8 := vecAt(sum, t.w[6]), vecAt(sum, t.w[7]), vecAt(sum, t.w[8])
	pixel := t.x[1] - t.x[0]
	a, b, c := unsafe.Add(x, 4*t.x[0]), unsafe.Add(x, 4*t.x[3]), unsafe.Add(x, 4*t.x[6])
	for range n {
		v := vecAt(g, 0)
		s0 = vecAt(a, 0).MulAdd(v, s0)
		s1 = vecAt(a, pixel).MulAdd(v, s1)
		s2 = vecAt(a, 2*pixel).MulAdd(v, s2)
		s3 = vecAt(b, 0).MulAdd(v, s3)
		s4 = vecAt(b, pixel).MulAdd(v, s4)
		s5 = vecAt(b, 2*pixel).MulAdd(v, s5)
		s6 = vecAt(c, 0).MulAdd(v, s6)
		s7 = vecAt(c, pixel).MulAdd(v, s7)
		s8 = vecAt(c, 2*pixel).MulAdd(v, s8)
		g = unsafe.Add(g, 4*gPixel)
		a, b, c = unsafe.Add(a, 4*xStep), unsafe.Add(b, 4*xStep), unsafe.Add(c, 4*xStep)
	}
	storeAt(sum, t.w[0], s0)
	storeAt(sum, t.w[1], s1)
	storeAt(sum, t.w[2], s2)
	storeAt(sum, t.w[3], s3)
	storeAt(sum, t.w[4], s4)
	storeAt(sum, t.w[5], s5)
	storeAt(sum, t.w[6], s6)
	storeAt(sum, t.w[7], s7)
	storeAt(sum, t.w[8], s8)
}
