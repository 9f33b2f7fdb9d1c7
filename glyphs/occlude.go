package glyphs

import (
	"math"
)

// over draws what covers the glyph: patches and a thin line.
func (g *Generator) over(rng *source, s *Scene, contrast float64) {
	d := &g.difficulty
	o := g.outline(s.Glyph)
	for range 2 {
		if !rng.Chance(d.OccludeP) {
			continue
		}
		// The patch in the glyph's plane, cap heights from its centre.
		x, y := rng.Sym(o.halfW), rng.Sym(o.halfH)
		sin, cos := sincos(rng.Unit() * math.Pi)
		width, half := rng.In(d.OccludeW), rng.In(d.OccludeL)/2
		colour := patch(rng, s, contrast)
		round := rng.Chance(0.5)
		if dx, dy, ok := decisive(s.Glyph, o); ok && fromLine(dx-x, dy-y, cos, sin, half) < width/2+clearance {
			continue
		}
		dx, dy := float64(cos*half), float64(sin*half)
		x0, y0 := s.Pose.place(x-dx, y-dy)
		x1, y1 := s.Pose.place(x+dx, y+dy)
		s.Over = append(s.Over, Mark{X0: x0, Y0: y0, X1: x1, Y1: y1,
			Width: float64(width * s.Pose.Height), Round: round, Colour: colour})
	}
	if rng.Chance(d.StrikeP) {
		x, y := s.Pose.X+rng.Sym(0.2), s.Pose.Y+rng.Sym(0.2)
		sin, cos := sincos(rng.Unit() * math.Pi)
		s.Over = append(s.Over, Mark{X0: x - cos, Y0: y - sin, X1: x + cos, Y1: y + sin,
			Width: rng.In(d.Strike), Colour: between(rng, s, rng.Sym(0.5))})
	}
}

// patch draws the colour of an occluder: one that is
// neither taken for ink nor hides that it is there.
func patch(rng *source, s *Scene, contrast float64) RGB {
	for range 8 {
		luma := rng.Unit()
		if math.Abs(luma-s.Ink.luma()) > float64(0.6*contrast) && math.Abs(luma-s.Paper.luma()) > float64(0.25*contrast) {
			return tinted(rng, luma)
		}
	}
	return s.Paper
}

// clearance is how far, in cap heights, patches stay from a decisive part.
const clearance = 0.12

// decisive returns the place of a glyph, cap heights from its centre, where it
// differs from another letter by one small part: Q has its tail where O has
// none. The letters on both sides of such a pair keep it clear.
func decisive(glyph Glyph, o *outline) (x, y float64, ok bool) {
	switch Labels[glyph.Label] {
	case "0-O", "Q", "P", "R":
		x, y = 0.6, 0.75
	case "C", "G":
		x, y = 0.75, 0.2
	case "J":
		x, y = -0.6, 0.75
	case "E", "F":
		x, y = 0.5, 0.9
	case "6":
		x, y = 0.6, -0.4
	case "9":
		x, y = -0.6, 0.4
	case "5":
		x, y = -0.6, 0.35
	case "L", "Z", "2":
		x, y = 0.6, 0.9
	case "T", "7":
		x, y = -0.6, -0.9
	default:
		return 0, 0, false
	}
	return float64(x * o.halfW), float64(y * o.halfH), true
}

// fromLine returns the distance of (x, y) from a line of a length of 2 half
// through the origin along the unit vector (ux, uy).
func fromLine(x, y, ux, uy, half float64) float64 {
	t := float64(x*ux) + float64(y*uy)
	t = min(max(t, -half), half)
	return hypot(x-float64(t*ux), y-float64(t*uy))
}
