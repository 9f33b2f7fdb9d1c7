package glyphs

import "math"

// colours draws ink and paper and returns their contrast in luma.
func (g *Generator) colours(rng *source, s *Scene) float64 {
	const full = 2.0 / Size // width of a stroke that keeps its contrast, frames
	d := &g.difficulty
	o := g.outline(s.Glyph)
	stroke := float64((o.stroke + float64(2*o.growth(s.Pose.Weight))) * s.Pose.Height)
	contrast := rng.In(d.Contrast)
	contrast = min(max(contrast, d.Contrast.Min*full/stroke), d.Contrast.Max)
	// The luma of the darker one is anywhere that leaves room for the other.
	low := float64((1 - contrast) * rng.Unit())
	dark, bright := tinted(rng, low), tinted(rng, low+contrast)
	s.Ink, s.Paper = dark, bright
	if rng.Chance(0.5) {
		s.Ink, s.Paper = bright, dark
	}
	slope := func() RGB {
		k := rng.Sym(float64(d.Gradient * contrast))
		return RGB{jitter(rng, k), jitter(rng, k), jitter(rng, k)}
	}
	s.PaperDX, s.PaperDY = slope(), slope()
	return contrast
}

func jitter(rng *source, k float64) float32 { return float32(k * (0.6 + float64(0.4*rng.Unit()))) }

// tinted returns a colour of the given luma and a random tint.
func tinted(rng *source, luma float64) RGB {
	r, g, b := rng.Unit(), rng.Unit(), rng.Unit()
	y := float64(lumaR*r) + float64(lumaG*g) + float64(lumaB*b)
	// Mix grey of the luma with the tint's deviation, as far as it stays in range.
	k := rng.Unit()
	for _, c := range [3]float64{r - y, g - y, b - y} {
		if c > 0 {
			k = min(k, (1-luma)/c)
		} else if c < 0 {
			k = min(k, -luma/c)
		}
	}
	return RGB{
		float32(luma + float64(k*(r-y))),
		float32(luma + float64(k*(g-y))),
		float32(luma + float64(k*(b-y))),
	}
}

// between mixes the paper with the ink, t of it, and adds a little tint.
func between(rng *source, s *Scene, t float64) RGB {
	mix := func(a, b float32) float32 {
		v := float64(a) + float64(float64(b-a)*t) + rng.Sym(0.05)
		return float32(min(max(v, 0), 1))
	}
	return RGB{mix(s.Paper.R, s.Ink.R), mix(s.Paper.G, s.Ink.G), mix(s.Paper.B, s.Ink.B)}
}

// behind draws the lines and blobs behind the glyph. Their contrast to the
// paper is a part of the glyph's, to either side of it.
func (g *Generator) behind(rng *source, s *Scene, contrast float64) {
	d := &g.difficulty
	level := func() float64 {
		t := rng.In(d.Clutter)
		if rng.Chance(0.5) {
			t = -t
		}
		return t
	}
	for range rng.IntN(d.Blobs + 1) {
		x, y := rng.Sym(0.55), rng.Sym(0.55)
		w, h := 0.08+float64(0.3*rng.Unit()), 0.08+float64(0.3*rng.Unit())
		sin, cos := sincos(rng.Unit() * math.Pi)
		dx, dy := float64(cos*w), float64(sin*w)
		s.Behind = append(s.Behind, Mark{X0: x - dx, Y0: y - dy, X1: x + dx, Y1: y + dy,
			Width: h, Round: rng.Chance(0.5), Colour: between(rng, s, level())})
	}
	for range rng.IntN(d.Lines + 1) {
		x, y := rng.Sym(0.5), rng.Sym(0.5)
		sin, cos := sincos(rng.Unit() * math.Pi)
		l := 0.2 + rng.Unit()
		dx, dy := float64(cos*l), float64(sin*l)
		s.Behind = append(s.Behind, Mark{X0: x - dx, Y0: y - dy, X1: x + dx, Y1: y + dy,
			Width: 0.02 + float64(0.05*rng.Unit()), Colour: between(rng, s, level())})
	}
}
