package synthetic

import (
	"math"
	"time"

	"github.com/fathom-edge/fathom/glyphs"
)

// How far a glyph moves around the pose of its sample, and how fast. The
// amplitudes are a fraction of the nuisance of the dataset, so that a moving
// glyph stays within what networks were trained on.
const (
	driftFrames     = 0.02
	turnRadians     = 4 * math.Pi / 180
	breathe         = 0.05 // relative change of size
	lightLoss       = 0.08 // change of the light lost at the dark end
	driftPeriod     = 5.3  // seconds
	turnPeriod      = 7.1
	breathePeriod   = 8.9
	lightPeriod     = 23.0
	lightTurnPeriod = 41.0
)

// noiseGain makes up for the noise that averaging takes away when the picture
// is reduced to a sample of the dataset. It is less than what would make up for
// all of it (a factor of paintSide / glyphs.Size): that would drown the picture
// for a human eye, and clip.
const noiseGain = 2

// sceneAt is what stands before the camera: a sample of the test split, moved.
func (c *Camera) sceneAt(at time.Duration, number uint64) glyphs.Scene {
	index := uint64(at / c.options.Hold)
	s := c.generator.Scene(glyphs.Test, c.options.Seed<<32+index)
	t := at.Seconds()
	wave := func(period, phase float64) float64 { return math.Sin(2*math.Pi*(t/period) + phase) }

	dx, dy := driftFrames*wave(driftPeriod, 0), driftFrames*wave(driftPeriod, 2)
	turn, size := turnRadians*wave(turnPeriod, 0), 1+breathe*wave(breathePeriod, 0)
	move(&s.Pose, dx, dy, turn, size)
	for i := range s.Near {
		move(&s.Near[i].Pose, dx, dy, turn, size)
	}

	s.Light.Loss = min(max(s.Light.Loss+lightLoss*wave(lightPeriod, 0), 0), 0.6)
	sin, cos := math.Sincos(2 * math.Pi * t / lightTurnPeriod)
	l := &s.Light
	l.DX, l.DY = l.DX*cos-l.DY*sin, l.DX*sin+l.DY*cos

	s.Noise = min(s.Noise*noiseGain, 0.25)
	s.NoiseKey += number
	return s
}

// move moves, turns and scales a pose about the centre of the frame.
func move(p *glyphs.Pose, dx, dy, turn, size float64) {
	sin, cos := math.Sincos(turn)
	x, y := size*p.X, size*p.Y
	p.X, p.Y = x*cos-y*sin+dx, x*sin+y*cos+dy
	p.Rotation += turn
	p.Height *= size
}
