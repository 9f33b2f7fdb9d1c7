package fastcpu

import "unsafe"

// A depthwise convolution uses a convPlan with as many groups as channels: cin and cout are then all channels, and each
// is convolved with a kernel of its own.

// taps are the kernel positions that fall on the image, for some output pixels of a row: where they read from the
// position of the first pixel, and where their weights are.
type taps struct{ x, w []int }

// span is a run of output pixels of a row that have the same taps.
type span struct {
	first, n int
	taps     taps
}

// spans cuts output row oy. Tap weights lie kernel position by kernel position, each with all channels.
func (p *convPlan) spans(oy int) []span {
	var out []span
	for ox := 0; ox < p.ow; {
		x0 := ox*p.stride - p.padX
		n := 1
		if x0 >= 0 {
			n = max(1, min(p.ow-ox, (p.w-p.kw-x0)/p.stride+1))
			if x0+p.kw > p.w {
				n = 1
			}
		}
		s := span{first: ox, n: n}
		for ky := range p.kh {
			y := oy*p.stride - p.padY + ky
			if y < 0 || y >= p.h {
				continue
			}
			for kx := range p.kw {
				if x := x0 + kx; x >= 0 && x < p.w {
					s.taps.x = append(s.taps.x, (y*p.w+x)*p.xPixel)
					s.taps.w = append(s.taps.w, (ky*p.kw+kx)*p.cin)
				}
			}
		}
		out = append(out, s)
		ox += n
	}
	return out
}

func (p *convPlan) allSpans() [][]span {
	rows := make([][]span, p.oh)
	for oy := range rows {
		rows[oy] = p.spans(oy)
	}
	return rows
}

func depthwiseKernel(n *node, in, out []*buffer) {
	plans := n.attr.([]convPlan)
	for i := range plans {
		plans[i].depthwise(in[0].f32(), in[1].f32(), out[0].f32())
	}
}

func (p *convPlan) depthwise(x, w, y []float32) {
	packed := rawScratch(max(1, p.kh*p.kw*p.cin))
	defer putScratch(packed)
	for ky := range p.kh {
		for kx := range p.kw {
			for c := range p.cin {
				packed[(ky*p.kw+kx)*p.cin+c] = w[p.kOffset+ky*p.sKh+kx*p.sKw+c*p.sCo]
			}
		}
	}
	spans := p.allSpans()
	parallel(p.batch*p.oh, 1, 2, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			b, oy := i/p.oh, i%p.oh
			img := x[b*p.h*p.w*p.xPixel:]
			row := y[b*p.yImage+oy*p.yRow+p.yOffset:]
			for _, s := range spans[oy] {
				depthwiseSpan(ptr(row[s.first*p.yPixel:]), p.yPixel, s.n, ptr(img), p.stride*p.xPixel, s.taps, ptr(packed), p.cin)
			}
		}
	})
}

func depthwiseGradKernel(n *node, in, out []*buffer) {
	plans := n.attr.([]convPlan)
	for i := range plans {
		plans[i].depthwiseGrad(in[0].f32(), in[1].f32(), out[0].f32())
	}
}

func (p *convPlan) depthwiseGrad(x, g, dw []float32) {
	spans := p.allSpans()
	size := p.kh * p.kw * p.cin
	sums := make([][]float32, maxParts)
	parallel(p.batch*p.oh, 1, 2, func(part, lo, hi int) {
		sum := getScratch(size)
		for i := lo; i < hi; i++ {
			b, oy := i/p.oh, i%p.oh
			img := x[b*p.h*p.w*p.xPixel:]
			row := g[b*p.yImage+oy*p.yRow:]
			for _, s := range spans[oy] {
				depthwiseGradSpan(ptr(sum), ptr(row[s.first*p.yPixel:]), p.yPixel, s.n, ptr(img), p.stride*p.xPixel, s.taps, p.cin)
			}
		}
		sums[part] = sum
	})
	total := addAll(sums)
	for ky := range p.kh {
		for kx := range p.kw {
			for c := range p.cin {
				dw[p.kOffset+ky*p.sKh+kx*p.sKw+c*p.sCo] = total[(ky*p.kw+kx)*p.cin+c]
			}
		}
	}
	putScratch(total)
}

// depthwiseScalar computes channels [from, c) of n output pixels: each the sum over the taps of x times w.
func depthwiseScalar(y unsafe.Pointer, yPixel, n int, x unsafe.Pointer, xStep int, t taps, w unsafe.Pointer, from, c int) {
	for i := range n {
		for ch := from; ch < c; ch++ {
			var s float32
			for k, o := range t.x {
				s += *at(x, i*xStep+o+ch) * *at(w, t.w[k]+ch)
			}
			*at(y, i*yPixel+ch) = s
		}
	}
}

// depthwiseGradScalar adds to channels [from, c) of sum, for each tap, the sum over n pixels of x times g.
func depthwiseGradScalar(sum, g unsafe.Pointer, gPixel, n int, x unsafe.Pointer, xStep int, t taps, from, c int) {
	for k, o := range t.x {
		for ch := from; ch < c; ch++ {
			s := *at(sum, t.w[k]+ch)
			for i := range n {
				s += *at(x, i*xStep+o+ch) * *at(g, i*gPixel+ch)
			}
			*at(sum, t.w[k]+ch) = s
		}
	}
}
