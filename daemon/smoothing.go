package daemon

import (
	"image"
	"math"
	"sync/atomic"
	"time"
)

// Smoother averages the probabilities of successive frames exponentially: a
// frame that comes dt after the last one counts with weight 1 - exp(-dt/τ).
// It forgets everything when the scene changes, so that a new object does not
// inherit the label of the old one.
//
// A scene change is seen in the picture, never in the probabilities: a shallow
// network that is sure and wrong for one frame must not look like a new object.
//
// Not safe for concurrent use, but for SetTimeConstant.
type Smoother struct {
	tau  atomic.Int64 // time.Duration
	mean []float64
	last time.Time
	look thumbnail
	seen bool
}

// sceneCorrelation is the correlation of two thumbnails under which they show
// different scenes. Measured on the synthetic camera at 5 frames/s: every new
// glyph is under it, and no frame of the same glyph.
const sceneCorrelation = 0.6

// NewSmoother returns a smoother with the time constant tau; 0 does not smooth.
func NewSmoother(tau time.Duration) *Smoother {
	s := &Smoother{}
	s.SetTimeConstant(tau)
	return s
}

// SetTimeConstant changes the time constant from the next frame on.
func (s *Smoother) SetTimeConstant(tau time.Duration) { s.tau.Store(int64(tau)) }

// Add takes the probabilities of one frame and returns the smoothed ones, which
// are valid until the next call. The picture tells whether the scene is the
// same; nil counts as the same scene.
func (s *Smoother) Add(at time.Time, picture image.Image, probabilities []float32) []float64 {
	changed, tau := s.sceneChanged(picture), s.tau.Load()
	if changed || len(s.mean) != len(probabilities) || tau <= 0 {
		s.mean = s.mean[:0]
		for _, p := range probabilities {
			s.mean = append(s.mean, float64(p))
		}
		s.last = at
		return s.mean
	}
	weight := 1 - math.Exp(-float64(max(at.Sub(s.last), 0))/float64(tau))
	for i, p := range probabilities {
		s.mean[i] += weight * (float64(p) - s.mean[i])
	}
	s.last = at
	return s.mean
}

func (s *Smoother) sceneChanged(picture image.Image) bool {
	if picture == nil {
		return false
	}
	now := look(picture)
	changed := s.seen && now.correlation(&s.look) < sceneCorrelation
	s.look, s.seen = now, true
	return changed
}

// thumbnailSide is the side of the thumbnail in cells.
const thumbnailSide = 12

// thumbnail is the luma of the central square of a picture, coarse.
type thumbnail [thumbnailSide * thumbnailSide]float64

// look samples a picture sparsely: 4 × 4 points a cell, whatever its size.
// Every picture of a camera.Source is an image.RGBA64Image, which spares an
// allocation per point; other pictures yield an empty thumbnail.
func look(picture image.Image) thumbnail {
	at, ok := picture.(image.RGBA64Image)
	if !ok {
		return thumbnail{}
	}
	const points = 4
	b := picture.Bounds()
	side := min(b.Dx(), b.Dy())
	x0, y0 := b.Min.X+(b.Dx()-side)/2, b.Min.Y+(b.Dy()-side)/2
	var t thumbnail
	const n = thumbnailSide * points
	for y := range n {
		for x := range n {
			c := at.RGBA64At(x0+(2*x+1)*side/(2*n), y0+(2*y+1)*side/(2*n))
			t[y/points*thumbnailSide+x/points] += 0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)
		}
	}
	return t
}

// correlation is Pearson's; light that gets brighter or dimmer does not change
// it. Two flat pictures are the same scene.
func (t *thumbnail) correlation(u *thumbnail) float64 {
	n := float64(len(t))
	var mt, mu float64
	for i := range t {
		mt += t[i] / n
		mu += u[i] / n
	}
	var tt, uu, tu float64
	for i := range t {
		a, b := t[i]-mt, u[i]-mu
		tt += a * a
		uu += b * b
		tu += a * b
	}
	if tt == 0 && uu == 0 {
		return 1
	}
	if tt == 0 || uu == 0 {
		return 0
	}
	return tu / math.Sqrt(tt*uu)
}
