package glyphs

import (
	"math"
)

// light multiplies the planes with the light.
func (p *painter) light(l *Light) {
	for y := range p.h {
		for x := range p.w {
			fx, fy := p.place(x, y)
			// From 0 to 1 across the frame's diagonal.
			t := 0.5 + float64((float64(fx*l.DX)+float64(fy*l.DY))/math.Sqrt2)
			f := 1 - float64(l.Loss*min(max(t, 0), 1))
			if l.ShadowLoss > 0 {
				e := (float64(fx*l.EdgeX) + float64(fy*l.EdgeY) - l.EdgeAt) / l.EdgeSoft
				f = float64(f * (1 - float64(l.ShadowLoss*min(max(e+0.5, 0), 1))))
			}
			i := y*p.w + x
			for k := range p.planes {
				p.planes[k][i] = float32(p.planes[k][i] * float32(f))
			}
		}
	}
}

// motion averages the picture over a straight way of the camera.
func (p *painter) motion(mx, my float64) {
	mx, my = float64(mx*p.unit), float64(my*p.unit)
	length := hypot(mx, my)
	if length < 0.5 {
		return
	}
	steps := int(math.Ceil(length))*2 + 1
	for k, plane := range p.planes {
		clear(p.spare)
		for s := range steps {
			t := float64(s)/float64(steps-1) - 0.5
			dx, dy := float64(mx*t), float64(my*t)
			x0, y0 := int(math.Floor(dx)), int(math.Floor(dy))
			wx, wy := float32(dx-float64(x0)), float32(dy-float64(y0))
			a, b := float32((1-wx)*(1-wy)), float32(wx*(1-wy))
			c, d := float32((1-wx)*wy), float32(wx*wy)
			for y := range p.h {
				top := plane[clampInt(y+y0, p.h)*p.w:][:p.w]
				bottom := plane[clampInt(y+y0+1, p.h)*p.w:][:p.w]
				row := p.spare[y*p.w:][:p.w]
				for x := range row {
					l, r := clampInt(x+x0, p.w), clampInt(x+x0+1, p.w)
					row[x] += float32(a*top[l]) + float32(b*top[r]) + float32(c*bottom[l]) + float32(d*bottom[r])
				}
			}
		}
		scale := 1 / float32(steps)
		for i, v := range p.spare {
			p.spare[i] = float32(v * scale)
		}
		p.planes[k], p.spare = p.spare, plane
	}
}

// blur blurs the planes with a Gaussian of sigma frames.
func (p *painter) blur(sigma float64) {
	sigma = float64(sigma * p.unit)
	if sigma < 0.05 {
		return
	}
	radius := max(int(math.Ceil(2.5*sigma)), 1)
	p.kernel = p.kernel[:0]
	sum := 0.0
	for i := -radius; i <= radius; i++ {
		w := math.Round(math.Exp(-float64(i*i)/float64(2*sigma*sigma)) * (1 << 30))
		p.kernel = append(p.kernel, float32(w))
		sum += w
	}
	for i, w := range p.kernel {
		p.kernel[i] = w / float32(sum)
	}
	for k, plane := range p.planes {
		for y := range p.h {
			row, out := plane[y*p.w:][:p.w], p.spare[y*p.w:][:p.w]
			for x := range out {
				v := float32(0)
				for i, w := range p.kernel {
					v += float32(w * row[clampInt(x+i-radius, p.w)])
				}
				out[x] = v
			}
		}
		out := plane
		for y := range p.h {
			o := out[y*p.w:][:p.w]
			clear(o)
			for i, w := range p.kernel {
				row := p.spare[clampInt(y+i-radius, p.h)*p.w:][:p.w]
				for x, v := range row {
					o[x] += float32(w * v)
				}
			}
		}
		p.planes[k] = out
	}
}

// noise adds noise of the standard deviation sigma, full scale being 1: the
// sum of four uniform numbers, which is near enough to a Gaussian.
func (p *painter) noise(sigma float64, key uint64) {
	if sigma <= 0 {
		return
	}
	rng := newRand(0xff, key)
	// Each of the four has variance 65536² / 12.
	scale := float32(sigma / (65536 * math.Sqrt(4.0/12)))
	for _, plane := range p.planes {
		for i := range plane {
			u := rng.Uint64()
			n := int32(u&0xffff) + int32(u>>16&0xffff) + int32(u>>32&0xffff) + int32(u>>48) - 2*65535
			plane[i] += float32(float32(n) * scale)
		}
	}
}

// clampInt keeps i in [0, n).
func clampInt(i, n int) int { return min(max(i, 0), n-1) }
