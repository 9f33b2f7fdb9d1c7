package glyphs

import (
	"image"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// painter is the working memory of painting one picture.
type painter struct {
	scene  Scene
	w, h   int
	unit   float64 // pixels of one frame
	raster vector.Rasterizer
	cover  image.Alpha // coverage of the shape drawn last
	planes [3][]float32
	spare  []float32
	kernel []float32
}

// resize prepares the painter for pictures of w × h pixels.
func (p *painter) resize(w, h int) {
	p.w, p.h, p.unit = w, h, float64(min(w, h))
	n := w * h
	p.cover = image.Alpha{Pix: resized(p.cover.Pix, n), Stride: w, Rect: image.Rect(0, 0, w, h)}
	p.spare = resized(p.spare, n)
	for i := range p.planes {
		p.planes[i] = resized(p.planes[i], n)
	}
}

// resized returns a slice of n values, in the memory of s where they fit.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// Paint paints a scene over all of dst: the centre of dst is the centre of the
// frame, and its shorter side is one frame.
func (g *Generator) Paint(dst *image.RGBA, s *Scene) {
	p := g.painters.Get().(*painter)
	defer g.painters.Put(p)
	b := dst.Bounds()
	p.resize(b.Dx(), b.Dy())
	p.paint(g, s)
	for y := range p.h {
		row := dst.Pix[dst.PixOffset(b.Min.X, b.Min.Y+y):]
		for x := range p.w {
			i := y*p.w + x
			row[4*x], row[4*x+1], row[4*x+2], row[4*x+3] =
				to8(p.planes[0][i]), to8(p.planes[1][i]), to8(p.planes[2][i]), 255
		}
	}
}

// Draw draws one glyph in one colour over what dst holds, antialiased and
// without any nuisance but the pose. The centre of dst is the centre of the
// frame, and its shorter side is one frame.
func (g *Generator) Draw(dst *image.RGBA, glyph Glyph, pose Pose, ink RGB) {
	p := g.painters.Get().(*painter)
	defer g.painters.Put(p)
	b := dst.Bounds()
	p.resize(b.Dx(), b.Dy())
	p.coverGlyph(g.outline(glyph), pose)
	draw.DrawMask(dst, b, image.NewUniform(ink.RGBA()), image.Point{}, &p.cover, image.Point{}, draw.Over)
}

// outline looks a glyph up.
func (g *Generator) outline(glyph Glyph) *outline {
	r := glyph.Rune
	if r == 0 {
		r = runesOf(glyph.Label)[0]
	}
	return g.faces[glyph.Face].glyphs[r]
}

// paint paints the scene into the planes.
func (p *painter) paint(g *Generator, s *Scene) {
	p.paper(s)
	for i := range s.Behind {
		p.mark(&s.Behind[i])
	}
	for i := range s.Near {
		p.coverGlyph(g.outline(s.Near[i].Glyph), s.Near[i].Pose)
		p.fill(s.Ink)
	}
	p.coverGlyph(g.outline(s.Glyph), s.Pose)
	p.fill(s.Ink)
	for i := range s.Over {
		p.mark(&s.Over[i])
	}
	p.light(&s.Light)
	p.motion(s.MotionX, s.MotionY)
	p.blur(s.Blur)
	p.noise(s.Noise, s.NoiseKey)
}

// place returns the frame coordinates of a pixel's centre.
func (p *painter) place(x, y int) (fx, fy float64) {
	return (float64(x) + 0.5 - float64(p.w)/2) / p.unit, (float64(y) + 0.5 - float64(p.h)/2) / p.unit
}

func (p *painter) paper(s *Scene) {
	base := [3]float32{s.Paper.R, s.Paper.G, s.Paper.B}
	dx := [3]float32{s.PaperDX.R, s.PaperDX.G, s.PaperDX.B}
	dy := [3]float32{s.PaperDY.R, s.PaperDY.G, s.PaperDY.B}
	for c, plane := range p.planes {
		for y := range p.h {
			_, fy := p.place(0, y)
			row := plane[y*p.w:][:p.w]
			v := base[c] + float32(dy[c]*float32(fy))
			for x := range row {
				fx, _ := p.place(x, 0)
				row[x] = v + float32(dx[c]*float32(fx))
			}
		}
	}
}

// coverGlyph sets the coverage to a posed glyph.
func (p *painter) coverGlyph(o *outline, pose Pose) {
	p.raster.Reset(p.w, p.h)
	grow := o.growth(pose.Weight)
	stretch := pose.Stretch
	if stretch == 0 {
		stretch = 1
	}
	sin, cos := sincos(pose.Rotation)
	size := float64(pose.Height * p.unit)
	cx := float64(p.w)/2 + float64(pose.X*p.unit)
	cy := float64(p.h)/2 + float64(pose.Y*p.unit)
	start := 0
	for _, end := range o.ends {
		for i, v := range o.points[start:end] {
			// Weight, stretch and slant in the glyph's plane, then the
			// perspective, then the rotation in the picture.
			x := float64((v.x + float64(v.mx*grow)) * stretch)
			y := v.y + float64(v.my*grow)
			x -= float64(y * pose.Slant)
			k := size / max(1-float64(x*pose.TiltX)-float64(y*pose.TiltY), 0.2)
			x, y = float64(x*k), float64(y*k)
			sx := float32(cx + float64(x*cos) - float64(y*sin))
			sy := float32(cy + float64(x*sin) + float64(y*cos))
			if i == 0 {
				p.raster.MoveTo(sx, sy)
			} else {
				p.raster.LineTo(sx, sy)
			}
		}
		p.raster.ClosePath()
		start = end
	}
	p.rasterize()
}

// rasterize turns the path of the rasterizer into the coverage.
func (p *painter) rasterize() {
	p.raster.DrawOp = draw.Src
	p.raster.Draw(&p.cover, p.cover.Rect, image.Opaque, image.Point{})
}

// mark draws a line or a blob.
func (p *painter) mark(m *Mark) {
	ox, oy := float64(p.w)/2, float64(p.h)/2
	dx, dy := m.X1-m.X0, m.Y1-m.Y0
	length := max(hypot(dx, dy), 1e-6)
	// Half the width to the left of the direction.
	nx, ny := float64(-dy/length*m.Width/2), float64(dx/length*m.Width/2)
	p.raster.Reset(p.w, p.h)
	to := func(move bool, x, y float64) {
		sx, sy := float32(ox+float64(x*p.unit)), float32(oy+float64(y*p.unit))
		if move {
			p.raster.MoveTo(sx, sy)
		} else {
			p.raster.LineTo(sx, sy)
		}
	}
	if m.Round {
		const corners = 24
		mx, my := (m.X0+m.X1)/2, (m.Y0+m.Y1)/2
		for i := range corners {
			sin, cos := sincos(2 * math.Pi * float64(i) / corners)
			to(i == 0, mx+float64(cos*dx)/2+float64(sin*nx), my+float64(cos*dy)/2+float64(sin*ny))
		}
	} else {
		to(true, m.X0+nx, m.Y0+ny)
		to(false, m.X1+nx, m.Y1+ny)
		to(false, m.X1-nx, m.Y1-ny)
		to(false, m.X0-nx, m.Y0-ny)
	}
	p.raster.ClosePath()
	p.rasterize()
	p.fill(m.Colour)
}

// fill mixes a colour into the planes where the coverage is.
func (p *painter) fill(c RGB) {
	ink := [3]float32{c.R, c.G, c.B}
	for i, a := range p.cover.Pix {
		if a == 0 {
			continue
		}
		t := float32(a) / 255
		for k := range p.planes {
			v := &p.planes[k][i]
			*v += float32((ink[k] - *v) * t)
		}
	}
}

// writeRGB writes the planes as 8-bit RGB, HWC.
func (p *painter) writeRGB(dst []byte) {
	for i := range p.w * p.h {
		dst[3*i], dst[3*i+1], dst[3*i+2] = to8(p.planes[0][i]), to8(p.planes[1][i]), to8(p.planes[2][i])
	}
}

// to8 rounds a part of full scale to 8 bits.
func to8(v float32) uint8 { return uint8(min(max(float32(v*255)+0.5, 0), 255)) }
