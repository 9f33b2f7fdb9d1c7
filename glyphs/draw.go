package glyphs

import (
	"math"
)

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
