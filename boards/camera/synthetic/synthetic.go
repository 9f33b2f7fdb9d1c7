// Package synthetic is a camera that does not exist: it renders glyph scenes
// whose truth is known. One glyph of a held-out font stands in the central
// square of the picture, which is what a network that crops sees, among the
// clutter, blur and noise of the glyphs test split. It drifts, turns and
// breathes slowly, the light wanders, and after a while another glyph takes its
// place.
//
// A frame is a function of the seed and its number alone. Frames are rendered
// only when somebody asks for one; those that nobody asked for count as dropped.
//
// Times are since the first frame; lengths are in pixels where they are ints,
// and in frames (the shorter side of the picture) where they are floats.
package synthetic

import (
	"context"
	"fmt"
	"image"
	"io"
	"sync"
	"time"

	"golang.org/x/image/draw"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/glyphs"
)

// Options describe the camera. Zero fields take the defaults.
type Options struct {
	Width, Height int           // pixels; 320 × 240
	FPS           float64       // frames a second; 15
	Hold          time.Duration // how long a glyph stays; 3 s
	Seed          uint64        // chooses the scenes
}

// paintSide is the shorter side at which scenes are painted, in pixels. The
// blur of the scenes hides that they are enlarged, and painting larger ones
// would cost more than a shallow inference.
const paintSide = 96

// Camera is a synthetic camera.Source.
type Camera struct {
	options   Options
	generator *glyphs.Generator
	painted   *image.RGBA // scene at paintSide
	picture   *image.RGBA // at the size that was asked for
	start     time.Time   // of frame 0; zero before the first Next
	next      uint64      // the first frame that was not delivered or dropped
	close     sync.Once
	closed    chan struct{}
}

var _ camera.Source = (*Camera)(nil)

// New refuses sizes and rates that no camera has.
func New(o Options) (*Camera, error) {
	if o.Width == 0 && o.Height == 0 {
		o.Width, o.Height = 320, 240
	}
	if o.FPS == 0 {
		o.FPS = 15
	}
	if o.Hold == 0 {
		o.Hold = 3 * time.Second
	}
	switch {
	case min(o.Width, o.Height) < 32 || max(o.Width, o.Height) > 4096:
		return nil, fmt.Errorf("synthetic camera: %d × %d pixels (choose 32 to 4096)", o.Width, o.Height)
	case !(o.FPS > 0 && o.FPS <= 1000):
		return nil, fmt.Errorf("synthetic camera: %v frames a second (choose more than 0, at most 1000)", o.FPS)
	case o.Hold < 0:
		return nil, fmt.Errorf("synthetic camera: hold %v is negative", o.Hold)
	}
	generator, err := glyphs.New()
	if err != nil {
		return nil, fmt.Errorf("synthetic camera: %w", err)
	}
	short := min(o.Width, o.Height)
	side := min(paintSide, short)
	return &Camera{
		options:   o,
		generator: generator,
		painted:   image.NewRGBA(image.Rect(0, 0, o.Width*side/short, o.Height*side/short)),
		picture:   image.NewRGBA(image.Rect(0, 0, o.Width, o.Height)),
		closed:    make(chan struct{}),
	}, nil
}

// Name implements camera.Source.
func (c *Camera) Name() string {
	return fmt.Sprintf("synthetic glyphs, %d × %d, %g frames/s", c.options.Width, c.options.Height, c.options.FPS)
}

// Next implements camera.Source.
func (c *Camera) Next(ctx context.Context) (camera.Frame, error) {
	now := time.Now()
	if c.start.IsZero() {
		c.start = now
	}
	number := max(c.numberAt(now), c.next)
	captured := c.start.Add(c.timeOf(number))
	wait := time.NewTimer(captured.Sub(now))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return camera.Frame{}, ctx.Err()
	case <-c.closed:
		return camera.Frame{}, fmt.Errorf("synthetic camera: closed: %w", io.EOF)
	case <-wait.C:
	}
	if ctx.Err() != nil { // select takes any of several that are ready
		return camera.Frame{}, ctx.Err()
	}
	c.next = number + 1
	return camera.Frame{Image: c.picture, Sequence: number, Captured: captured, Truth: c.render(number)}, nil
}

// Close implements camera.Source.
func (c *Camera) Close() error {
	c.close.Do(func() { close(c.closed) })
	return nil
}

// numberAt is the newest frame at a time.
func (c *Camera) numberAt(now time.Time) uint64 {
	return uint64(max(now.Sub(c.start).Seconds()*c.options.FPS, 0))
}

// timeOf is when a frame is taken.
func (c *Camera) timeOf(number uint64) time.Duration {
	return time.Duration(float64(number) / c.options.FPS * float64(time.Second))
}

// render paints a frame and returns its truth.
func (c *Camera) render(number uint64) string {
	at := c.timeOf(number)
	scene := c.sceneAt(at, number)
	c.generator.Paint(c.painted, &scene)
	draw.ApproxBiLinear.Scale(c.picture, c.picture.Rect, c.painted, c.painted.Rect, draw.Src, nil)
	return glyphs.Labels[scene.Glyph.Label]
}
