package scene

import (
	"fmt"
	"image"
	"slices"
	"time"
)

// MotionConfig says when a frame is worth an inference.
type MotionConfig struct {
	// Skip frames in which nothing moved.
	Enabled bool `yaml:"enabled"`
	// By how many of 255 steps of luma a cell of a 16 by 12 grid must differ, beyond what the whole picture got brighter or darker.
	Threshold float64 `yaml:"threshold"`
	// How many of the 192 cells must differ.
	Cells int `yaml:"cells"`
	// How long after a motion every frame is classified.
	Hold time.Duration `yaml:"hold"`
	// How long frames are skipped at most.
	AtLeastEvery time.Duration `yaml:"at_least_every"`
}

// DefaultMotion are the settings of an empty section: no gate.
func DefaultMotion() MotionConfig {
	return MotionConfig{Threshold: 10, Cells: 2, Hold: 3 * time.Second, AtLeastEvery: 10 * time.Second}
}

// Validate says what is wrong; the message begins with the field.
func (c MotionConfig) Validate() error {
	switch {
	case !(c.Threshold >= 1 && c.Threshold <= 255):
		return fmt.Errorf("threshold: %g: want 1 to 255 steps of luma", c.Threshold)
	case c.Cells < 1 || c.Cells > gridCells:
		return fmt.Errorf("cells: %d: want 1 to %d", c.Cells, gridCells)
	case c.Hold < 0 || c.Hold > time.Hour:
		return fmt.Errorf("hold: %v: want 0s to 1h", c.Hold)
	case c.AtLeastEvery < time.Second || c.AtLeastEvery > time.Hour:
		return fmt.Errorf("at_least_every: %v: want 1s to 1h", c.AtLeastEvery)
	}
	return nil
}

const (
	gridWidth, gridHeight = 16, 12
	gridCells             = gridWidth * gridHeight
	gridPoints            = 4 // a side of a cell
)

// grid is the mean luma of each cell, 0 to 255.
type grid [gridCells]float32

// Gate lets frames pass in which something moved since the last one that passed.
// A slow change passes once it has added up; a change of the light does not. One
// goroutine.
type Gate struct {
	config MotionConfig
	kept   grid // of the last frame that passed
	passed time.Time
	moved  time.Time
}

// NewGate returns a gate; one that is not enabled lets everything pass.
func NewGate(c MotionConfig) *Gate { return &Gate{config: c} }

// Pass tells whether a picture is to be classified. A false is never given for
// longer than AtLeastEvery.
func (g *Gate) Pass(now time.Time, picture image.Image) bool {
	if !g.config.Enabled {
		return true
	}
	seen := look(picture)
	first := g.passed.IsZero()
	moved := !first && g.differs(&seen)
	if moved {
		g.moved = now
	}
	held := !g.moved.IsZero() && now.Sub(g.moved) < g.config.Hold
	if !first && !moved && !held && now.Sub(g.passed) < g.config.AtLeastEvery && now.After(g.passed) {
		return false
	}
	g.kept, g.passed = seen, now
	return true
}

// differs tells whether enough cells changed by more than the median cell did.
func (g *Gate) differs(seen *grid) bool {
	var change, sorted grid
	for i := range seen {
		change[i] = seen[i] - g.kept[i]
	}
	sorted = change
	slices.Sort(sorted[:])
	light := sorted[gridCells/2]
	n := 0
	for _, d := range change {
		if d -= light; max(d, -d) > float32(g.config.Threshold) {
			n++
		}
	}
	return n >= g.config.Cells
}

// look samples 4 × 4 points a cell.
func look(picture image.Image) grid {
	luma := lumaOf(picture)
	var sum grid
	b := picture.Bounds()
	w, h := b.Dx(), b.Dy()
	for y := range gridHeight * gridPoints {
		py := b.Min.Y + (2*y+1)*h/(2*gridHeight*gridPoints)
		row := sum[y/gridPoints*gridWidth:][:gridWidth]
		for x := range gridWidth * gridPoints {
			row[x/gridPoints] += luma(b.Min.X+(2*x+1)*w/(2*gridWidth*gridPoints), py)
		}
	}
	for i := range sum {
		sum[i] /= gridPoints * gridPoints
	}
	return sum
}

// lumaOf returns how to read the luma of a pixel, 0 to 255.
func lumaOf(picture image.Image) func(x, y int) float32 {
	switch p := picture.(type) {
	case *image.YCbCr:
		return func(x, y int) float32 { return float32(p.Y[p.YOffset(x, y)]) }
	case *image.Gray:
		return func(x, y int) float32 { return float32(p.Pix[p.PixOffset(x, y)]) }
	case image.RGBA64Image:
		return func(x, y int) float32 {
			c := p.RGBA64At(x, y)
			return (0.299*float32(c.R) + 0.587*float32(c.G) + 0.114*float32(c.B)) / 257
		}
	}
	return func(x, y int) float32 {
		r, g, b, _ := picture.At(x, y).RGBA()
		return (0.299*float32(r) + 0.587*float32(g) + 0.114*float32(b)) / 257
	}
}
