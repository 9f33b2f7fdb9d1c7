package fastcpu

import (
	"math"
)

// batchNormKernel: in = x [rows..., C], scale [C], offset [C]; out = normalized, mean [C], variance [C] (biased).
func batchNormKernel(n *node, in, out []*buffer) {
	x, scale, offset := in[0].f32(), in[1].f32(), in[2].f32()
	y, mean, variance := out[0].f32(), out[1].f32(), out[2].f32()
	eps := float64(n.attr.(float32))
	c := len(scale)
	rows := len(x) / c
	// Sums are taken around the first row: moments of a shifted variable lose no digits to a large mean.
	shift := x[:c]
	sum, sum2 := twoSums(rows, c, func(lo, hi int, s, s2 []float32) { addMoments(x[lo*c:hi*c], shift, s, s2) })
	a, b := make([]float32, c), make([]float32, c)
	for i := range c {
		d := sum[i] / float64(rows)
		v := max(0, sum2[i]/float64(rows)-d*d)
		m := d + float64(shift[i])
		mean[i], variance[i] = float32(m), float32(v)
		k := float64(scale[i]) / math.Sqrt(v+eps)
		a[i], b[i] = float32(k), float32(float64(offset[i])-m*k)
	}
	parallel(rows, 1, parallelSize/c, func(_, lo, hi int) { affine(y[lo*c:hi*c], x[lo*c:hi*c], a, b) })
}

// batchNormInferenceKernel: in = x [rows..., C], scale, offset, mean, variance [C].
func batchNormInferenceKernel(n *node, in, out []*buffer) {
	x, scale, offset, mean, variance, y := in[0].f32(), in[1].f32(), in[2].f32(), in[3].f32(), in[4].f32(), out[0].f32()
	eps := float64(n.attr.(float32))
	c := len(scale)
	a, b := make([]float32, c), make([]float32, c)
	for i := range c {
		k := float64(scale[i]) / math.Sqrt(float64(variance[i])+eps)
		a[i], b[i] = float32(k), float32(float64(offset[i])-float64(mean[i])*k)
	}
	parallel(len(x)/c, 1, parallelSize/c, func(_, lo, hi int) { affine(y[lo*c:hi*c], x[lo*c:hi*c], a, b) })
}

// batchNormGradKernel: in = x, scale, mean, variance, gradient of the output; out = gradients of x, scale, offset.
func batchNormGradKernel(n *node, in, out []*buffer) {
	x, scale, mean, variance, g := in[0].f32(), in[1].f32(), in[2].f32(), in[3].f32(), in[4].f32()
	gx, gScale, gOffset := out[0].f32(), out[1].f32(), out[2].f32()
	eps := float64(n.attr.(float32))
	c := len(scale)
	rows := len(x) / c
	sum, sumX := twoSums(rows, c, func(lo, hi int, s, s2 []float32) { addProducts(g[lo*c:hi*c], x[lo*c:hi*c], mean, s, s2) })
	// gx = k (g - sum/rows - xhat * sum(g xhat)/rows) = p g + q x + r
	p, q, r := make([]float32, c), make([]float32, c), make([]float32, c)
	for i := range c {
		inv := 1 / math.Sqrt(float64(variance[i])+eps)
		k := float64(scale[i]) * inv
		gs := sumX[i] * inv
		gScale[i], gOffset[i] = float32(gs), float32(sum[i])
		qi := -k * inv * gs / float64(rows)
		p[i], q[i], r[i] = float32(k), float32(qi), float32(-k*sum[i]/float64(rows)-qi*float64(mean[i]))
	}
	parallel(rows, 1, parallelSize/c, func(_, lo, hi int) { affine2(gx[lo*c:hi*c], g[lo*c:hi*c], x[lo*c:hi*c], p, q, r) })
}

// twoSums adds up two sums for each channel: in float32 over short runs of rows, in float64 over the runs.
func twoSums(rows, c int, add func(lo, hi int, s, s2 []float32)) (sum, sum2 []float64) {
	const run = 256
	parts := make([][]float64, maxParts)
	parallel(rows, run, parallelSize/c, func(part, lo, hi int) {
		total := make([]float64, 2*c)
		short := make([]float32, 2*c)
		for ; lo < hi; lo += run {
			clear(short)
			add(lo, min(hi, lo+run), short[:c], short[c:])
			for i, v := range short {
				total[i] += float64(v)
			}
		}
		parts[part] = total
	})
	total := make([]float64, 2*c)
	for _, p := range parts {
		for i, v := range p {
			total[i] += v
		}
	}
	return total[:c], total[c:]
}
