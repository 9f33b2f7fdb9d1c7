package scene

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCrop(t *testing.T) {
	for _, tt := range []struct {
		region Region
		bounds image.Rectangle
		want   image.Rectangle
	}{
		{Region{}, image.Rect(0, 0, 640, 480), image.Rect(0, 0, 640, 480)},
		{Region{X: 0.25, Y: 0.5, Width: 0.5, Height: 0.5}, image.Rect(0, 0, 640, 480), image.Rect(160, 240, 480, 480)},
		{Region{X: 0.7, Width: 0.3, Height: 1}, image.Rect(0, 0, 10, 9), image.Rect(7, 0, 10, 9)},
		{Region{X: 0.33, Y: 0.33, Width: 0.33, Height: 0.33}, image.Rect(0, 0, 10, 10), image.Rect(3, 3, 7, 7)},
		{Region{X: 0.5, Y: 0.5, Width: 0.5, Height: 0.5}, image.Rect(100, 200, 110, 220), image.Rect(105, 210, 110, 220)},
		{Region{X: 0.98, Y: 0.98, Width: 0.02, Height: 0.02}, image.Rect(0, 0, 3, 3), image.Rect(2, 2, 3, 3)},
	} {
		for _, picture := range []image.Image{image.NewGray(tt.bounds), image.NewRGBA(tt.bounds), image.NewNRGBA(tt.bounds),
			image.NewYCbCr(tt.bounds, image.YCbCrSubsampleRatio420)} {
			if got := tt.region.Crop(picture).Bounds(); got != tt.want {
				t.Errorf("%+v of %T %v: %v, want %v", tt.region, picture, tt.bounds, got, tt.want)
			}
		}
	}
}

func TestRegionsRefused(t *testing.T) {
	fine := Region{Name: "a", X: 0.7, Width: 0.3, Height: 1}
	if err := ValidateRegions([]Region{fine, {Name: "b", Width: 1, Height: 1}}); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Region){
		"[0].name: missing": func(r *Region) { r.Name = "" },
		"x 0.8,":            func(r *Region) { r.X = 0.8 },
		"x NaN,":            func(r *Region) { r.X = math.NaN() },
		"width 0,":          func(r *Region) { r.Width = 0 },
		"y -0.1,":           func(r *Region) { r.Y = -0.1 },
	} {
		r := fine
		change(&r)
		if err := ValidateRegions([]Region{r}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := ValidateRegions([]Region{fine, fine}); err == nil {
		t.Error("a name stands twice")
	}
	if err := ValidateRegions(make([]Region, 9)); err == nil {
		t.Error("nine regions")
	}
}

// film draws a noisy picture of a level of light, with a square of the given side at x.
func film(r *rand.Rand, light, side, x int) *image.YCbCr {
	m := image.NewYCbCr(image.Rect(0, 0, 320, 240), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = uint8(light + r.IntN(11) - 5)
	}
	for y := range side {
		for dx := range side {
			m.Y[m.YOffset(x+dx, 100+y)] = 220
		}
	}
	return m
}

func TestGate(t *testing.T) {
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	r := rand.New(rand.NewPCG(1, 1))
	c := DefaultMotion()
	c.Enabled = true
	for name, tt := range map[string]struct {
		picture func(frame int) image.Image
		want    []int // of 300 frames at 5 a second, those that pass
	}{
		"noise":                  {func(int) image.Image { return film(r, 100, 0, 0) }, []int{0, 50, 100, 150, 200, 250}},
		"light goes on":          {func(i int) image.Image { return film(r, 60+i/10, 0, 0) }, []int{0, 50, 100, 150, 200, 250}},
		"something comes to lie": {func(i int) image.Image { return film(r, 100, 50*min(i/20, 1), 120) }, append([]int{0}, append(span(20, 35), 84, 134, 184, 234, 284)...)},
		"something always moves": {func(i int) image.Image { return film(r, 100, 50, 4*i%250) }, span(0, 300)},
	} {
		g := NewGate(c)
		var passed []int
		for i := range 300 {
			if g.Pass(start.Add(time.Duration(i)*200*time.Millisecond), tt.picture(i)) {
				passed = append(passed, i)
			}
		}
		if diff := cmp.Diff(tt.want, passed); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	off := NewGate(DefaultMotion())
	for i := range 3 {
		if !off.Pass(start, film(r, 100, 0, 0)) {
			t.Errorf("frame %d is held back by a gate that is off", i)
		}
	}
}

func span(from, to int) []int {
	var list []int
	for i := from; i < to; i++ {
		list = append(list, i)
	}
	return list
}

// All kinds of pictures say the same of the same scene.
func TestLumaOfEveryPicture(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	want := look(film(r, 100, 50, 40))
	r = rand.New(rand.NewPCG(3, 3))
	source := film(r, 100, 50, 40)
	for i := range source.Cb {
		source.Cb[i], source.Cr[i] = 128, 128
	}
	for _, m := range []draw.Image{image.NewRGBA(source.Rect), image.NewNRGBA(source.Rect), image.NewGray(source.Rect), &opaque{image.NewRGBA(source.Rect)}} {
		draw.Draw(m, source.Rect, source, image.Point{}, draw.Src)
		if diff := cmp.Diff(want, look(m), cmp.Comparer(func(a, b float32) bool { return math.Abs(float64(a-b)) < 1 })); diff != "" {
			t.Errorf("%T: %s", m, diff)
		}
	}
}

// opaque hides the faster methods of a picture.
type opaque struct{ m *image.RGBA }

func (o *opaque) ColorModel() color.Model     { return o.m.ColorModel() }
func (o *opaque) Bounds() image.Rectangle     { return o.m.Bounds() }
func (o *opaque) At(x, y int) color.Color     { return o.m.At(x, y) }
func (o *opaque) Set(x, y int, c color.Color) { o.m.Set(x, y, c) }

func BenchmarkGate(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	rect := image.Rect(0, 0, 640, 480)
	c := DefaultMotion()
	c.Enabled = true
	for name, m := range map[string]image.Image{"YCbCr": film(r, 100, 50, 40), "RGBA": image.NewRGBA(rect)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			g := NewGate(c)
			at := time.Unix(0, 0)
			for b.Loop() {
				at = at.Add(time.Millisecond)
				g.Pass(at, m)
			}
		})
	}
}
