package glyphs

import (
	"image/color"
	"math"
)

// Glyph is one character to draw.
type Glyph struct {
	Label int  // index into Labels
	Rune  rune // one of RunesOf(Label); 0 takes the first
	Face  int  // index of a face, below Generator.Faces
}

// Pose places a glyph in a frame. Lengths are in frames: 1 is the shorter side
// of the picture, and (0, 0) its centre; x grows to the right, y downwards.
type Pose struct {
	X, Y         float64 // centre of the glyph's box
	Height       float64 // cap height
	Rotation     float64 // radians, clockwise
	Slant        float64 // tangent of the lean to the right
	Stretch      float64 // width factor, 1 as designed; 0 counts as 1
	TiltX, TiltY float64 // relative growth of size per cap height to the right, and down
	Weight       float64 // growth of the strokes, in strokes; 0 as designed
}

// RGB is a linear mixing colour, each part in [0, 1] of full scale.
type RGB struct{ R, G, B float32 }

// luma returns the brightness after BT.601.
func (c RGB) luma() float64 {
	return float64(lumaR*float64(c.R)) + float64(lumaG*float64(c.G)) + float64(lumaB*float64(c.B))
}

// RGBA converts the colour to 8 bits a channel.
func (c RGB) RGBA() color.RGBA { return color.RGBA{to8(c.R), to8(c.G), to8(c.B), 255} }

// Scene is everything that is in a picture. Its units are frames, so that it
// can be painted at any resolution; see Generator.Paint.
type Scene struct {
	Glyph Glyph
	Pose  Pose
	Ink   RGB

	Paper    RGB // at the centre
	PaperDX  RGB // change of the paper across the frame to the right
	PaperDY  RGB // and downwards
	Behind   []Mark
	Near     []Neighbour
	Over     []Mark
	Light    Light
	Blur     float64 // standard deviation, frames
	MotionX  float64 // way of the camera during the exposure, frames
	MotionY  float64
	Noise    float64 // standard deviation, of full scale
	NoiseKey uint64  // seeds the noise
}

// Neighbour is another glyph, in the ink of the scene.
type Neighbour struct {
	Glyph Glyph
	Pose  Pose
}

// Mark is a stroke or a patch of one colour: a line of a width between two
// points, with round or flat ends. A blob is a short wide one.
type Mark struct {
	X0, Y0, X1, Y1 float64 // ends, frames
	Width          float64 // frames
	Round          bool    // an ellipse around the ends, in place of a rectangle between them
	Colour         RGB
}

// Light is uneven light, as factors on the picture.
type Light struct {
	DX, DY     float64 // direction of the falling gradient, unit vector
	Loss       float64 // lost at the dark end, of full light
	EdgeX      float64 // shadow: unit normal of its edge, pointing into the shadow
	EdgeY      float64
	EdgeAt     float64 // distance of the edge from the centre along the normal, frames
	EdgeSoft   float64 // width of the edge, frames
	ShadowLoss float64 // lost in the shadow, of full light; 0 is no shadow
}

// Scene returns the description of a sample: what Sample paints at 32 × 32.
func (g *Generator) Scene(split Split, index uint64) Scene {
	var s Scene
	g.scene(split, index, &s)
	return s
}

// scene draws the parameters of a sample into s and reuses its slices.
func (g *Generator) scene(split Split, index uint64, s *Scene) {
	d := &g.difficulty
	rng := newRand(uint64(split)<<1, index)
	*s = Scene{Behind: s.Behind[:0], Near: s.Near[:0], Over: s.Over[:0]}

	label := labelOf(split, index)
	runes := runesOf(label)
	families := g.families[split]
	faces := families[rng.IntN(len(families))].faces
	s.Glyph = Glyph{Label: label, Rune: runes[rng.IntN(len(runes))], Face: faces[rng.IntN(len(faces))]}
	g.pose(&rng, s)
	contrast := g.colours(&rng, s)
	g.behind(&rng, s, contrast)
	g.neighbours(&rng, s)
	g.over(&rng, s, contrast)
	light(d, &rng, s)

	s.Blur = float64(rng.In(d.Blur) * s.Pose.Height)
	if rng.Chance(d.MotionP) {
		sin, cos := sincos(rng.Unit() * 2 * math.Pi)
		length := float64(rng.In(d.Motion) * s.Pose.Height)
		s.MotionX, s.MotionY = float64(cos*length), float64(sin*length)
	}
	lit := float64((1 - s.Light.Loss/2) * (1 - s.Light.ShadowLoss))
	follow, grain := float64(rng.In(d.Noise)*float64(contrast*lit)), rng.In(d.Grain)
	s.Noise = math.Sqrt(float64(follow*follow) + float64(grain*grain))
	s.NoiseKey = rng.Uint64()
}

// pose draws the pose of the glyph, and keeps its box inside the frame.
func (g *Generator) pose(rng *source, s *Scene) {
	d := &g.difficulty
	o := g.outline(s.Glyph)
	p := &s.Pose
	p.Height = rng.In(d.Height)
	p.Rotation = rng.Sym(d.Rotation) * math.Pi / 180
	sin, cos := sincos(rng.Sym(d.Slant) * math.Pi / 180)
	p.Slant = sin / cos
	p.Stretch = rng.In(d.Stretch)
	p.TiltX, p.TiltY = rng.Sym(d.Perspective), rng.Sym(d.Perspective)
	p.Weight = rng.In(d.Weight)
	p.X, p.Y = rng.Sym(d.Shift), rng.Sym(d.Shift)
	const room = 0.48 // frames from the centre to where the box must end
	halfW, halfH := p.extent(o)
	if k := room / max(halfW, halfH); k < 1 {
		p.Height = float64(p.Height * k)
		halfW, halfH = float64(halfW*k), float64(halfH*k)
	}
	p.X = min(max(p.X, halfW-room), room-halfW)
	p.Y = min(max(p.Y, halfH-room), room-halfH)
}

// extent returns half the size of an upright box around the posed glyph, in
// frames, without the perspective.
func (p Pose) extent(o *outline) (halfW, halfH float64) {
	sin, cos := sincos(math.Abs(p.Rotation))
	w := float64(o.halfW*p.Stretch) + float64(o.halfH*math.Abs(p.Slant))
	w, h := float64(w*p.Height), float64(o.halfH*p.Height)
	return float64(w*cos) + float64(h*sin), float64(w*sin) + float64(h*cos)
}

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

// The weights of luma, BT.601.
const lumaR, lumaG, lumaB = 0.299, 0.587, 0.114

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

// neighbourAway is the least distance of a neighbour's centre from the
// glyph's, frames: far enough that the middle one is always plain.
const neighbourAway = 0.36

// neighbours puts other glyphs of the face to the left and right, as in a line
// of text, so that some of them shows at the edges.
func (g *Generator) neighbours(rng *source, s *Scene) {
	d := &g.difficulty
	o := g.outline(s.Glyph)
	for _, side := range [2]float64{-1, 1} {
		if !rng.Chance(d.NeighbourP) {
			continue
		}
		n := Neighbour{Glyph: Glyph{Label: rng.IntN(len(Labels)), Face: s.Glyph.Face}, Pose: s.Pose}
		runes := runesOf(n.Glyph.Label)
		n.Glyph.Rune = runes[rng.IntN(len(runes))]
		gap := 0.14 + float64(0.2*rng.Unit()) // cap heights between the boxes
		lean := float64(0.5 * math.Abs(s.Pose.Slant))
		along := float64((o.halfW+g.outline(n.Glyph).halfW)*s.Pose.Stretch) + gap + lean
		sin, cos := sincos(s.Pose.Rotation)
		along = float64(side * max(float64(along*s.Pose.Height), neighbourAway))
		n.Pose.X += float64(along * cos)
		n.Pose.Y += float64(along * sin)
		n.Pose.TiltX, n.Pose.TiltY = 0, 0
		s.Near = append(s.Near, n)
	}
}

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

// place maps a point of the glyph's plane, cap heights from its centre, to the
// frame, without the perspective.
func (p Pose) place(x, y float64) (fx, fy float64) {
	sin, cos := sincos(p.Rotation)
	x = float64((float64(x*p.Stretch) - float64(y*p.Slant)) * p.Height)
	y = float64(y * p.Height)
	return p.X + float64(x*cos) - float64(y*sin), p.Y + float64(x*sin) + float64(y*cos)
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

// light draws the gradient and the shadow.
func light(d *Difficulty, rng *source, s *Scene) {
	l := &s.Light
	l.DY, l.DX = sincos(rng.Unit() * 2 * math.Pi)
	l.Loss = rng.In(d.Light)
	if rng.Chance(d.ShadowP) {
		l.EdgeY, l.EdgeX = sincos(rng.Unit() * 2 * math.Pi)
		l.EdgeAt = rng.Sym(0.35)
		l.EdgeSoft = 0.03 + float64(0.2*rng.Unit())
		l.ShadowLoss = rng.In(d.Shadow)
	}
}

// sincos is math.Sincos rounded to 30 binary digits: where two machines differ
// in the last digit, the result is the same.
func sincos(x float64) (sin, cos float64) {
	const one = 1 << 30
	sin, cos = math.Sincos(x)
	return math.Round(sin*one) / one, math.Round(cos*one) / one
}
