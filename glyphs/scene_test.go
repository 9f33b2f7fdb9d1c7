package glyphs

import (
	"image"
	"image/color"
	"math"
	"testing"
)

// TestScenesKeepTheirPromises checks, over many scenes, what a reader of a
// sample needs: the glyph inside the frame and plain, neighbours off the
// middle, and decisive parts in sight.
func TestScenesKeepTheirPromises(t *testing.T) {
	g := generator(t)
	d := Frozen()
	patches, neighbours := 0, 0
	for _, split := range Splits() {
		for i := range uint64(3000) {
			s := g.Scene(split, i)
			o := g.outline(s.Glyph)
			halfW, halfH := s.Pose.extent(o)
			if math.Abs(s.Pose.X)+halfW > 0.4801 || math.Abs(s.Pose.Y)+halfH > 0.4801 {
				t.Errorf("%v %d: the glyph leaves the frame", split, i)
			}
			if contrast := math.Abs(s.Ink.luma() - s.Paper.luma()); contrast < d.Contrast.Min-1e-6 || contrast > d.Contrast.Max+1e-6 {
				t.Errorf("%v %d: contrast %.3f outside %v", split, i, contrast, d.Contrast)
			}
			for _, n := range s.Near {
				neighbours++
				if away := hypot(n.Pose.X-s.Pose.X, n.Pose.Y-s.Pose.Y); away < neighbourAway-1e-6 {
					t.Errorf("%v %d: a neighbour %.2f frames away", split, i, away)
				}
			}
			dx, dy, ok := decisive(s.Glyph, o)
			fx, fy := s.Pose.place(dx, dy)
			for _, m := range s.Over {
				length := hypot(m.X1-m.X0, m.Y1-m.Y0)
				if length > 1 { // a strike
					continue
				}
				patches++
				if !ok {
					continue
				}
				// In the frame, slant and stretch change the distance; half
				// of the clearance must be left in any case.
				mx, my := (m.X0+m.X1)/2, (m.Y0+m.Y1)/2
				away := fromLine(fx-mx, fy-my, (m.X1-m.X0)/length, (m.Y1-m.Y0)/length, length/2)
				if away < m.Width/2+clearance/3*s.Pose.Height {
					t.Errorf("%v %d: a patch on the decisive part of %s", split, i, Labels[s.Glyph.Label])
				}
			}
		}
	}
	if patches == 0 || neighbours == 0 {
		t.Errorf("%d patches and %d neighbours: nothing tested", patches, neighbours)
	}
}

// TestPaintDoesNotDependOnResolution paints scenes without noise at 32 and at
// 128 pixels: averaged to 32, the large one is nearly the small one.
func TestPaintDoesNotDependOnResolution(t *testing.T) {
	g := generator(t)
	const factor = 4
	small := image.NewRGBA(image.Rect(0, 0, Size, Size))
	large := image.NewRGBA(image.Rect(0, 0, Size*factor, Size*factor))
	for i := range uint64(40) {
		s := g.Scene(Train, i)
		s.Noise = 0
		g.Paint(small, &s)
		g.Paint(large, &s)
		sum := 0.0
		for y := range Size {
			for x := range Size {
				mean := 0.0
				for dy := range factor {
					for dx := range factor {
						mean += float64(large.RGBAAt(x*factor+dx, y*factor+dy).G) / (factor * factor)
					}
				}
				sum += math.Abs(mean - float64(small.RGBAAt(x, y).G))
			}
		}
		if mean := sum / (Size * Size); mean > 4 {
			t.Errorf("scene %d: the two sizes differ by %.1f of 255 on average", i, mean)
		}
	}
}

// TestPaintIsSample: Sample is Scene and Paint.
func TestPaintIsSample(t *testing.T) {
	g := generator(t)
	img := image.NewRGBA(image.Rect(0, 0, Size, Size))
	dst := make([]byte, SampleBytes)
	for i := range uint64(34) {
		s := g.Scene(Validation, i)
		g.Paint(img, &s)
		if label := g.Sample(Validation, i, dst); label != s.Glyph.Label {
			t.Fatalf("sample %d has label %d, its scene %d", i, label, s.Glyph.Label)
		}
		for p := range Size * Size {
			got := color.RGBA{dst[3*p], dst[3*p+1], dst[3*p+2], 255}
			if want := img.RGBAAt(p%Size, p/Size); got != want {
				t.Fatalf("sample %d pixel %d is %v, painted %v", i, p, got, want)
			}
		}
	}
}

// TestDrawStaysInItsPicture draws into a part of a picture.
func TestDrawStaysInItsPicture(t *testing.T) {
	g := generator(t)
	img := image.NewRGBA(image.Rect(-10, -10, 70, 70))
	part := image.Rect(20, 30, 60, 60)
	g.Draw(img.SubImage(part).(*image.RGBA), Glyph{Label: 10}, Pose{Height: 2, Rotation: 0.3}, RGB{1, 0, 0})
	inside := 0
	for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
		for x := img.Rect.Min.X; x < img.Rect.Max.X; x++ {
			c := img.RGBAAt(x, y)
			switch {
			case image.Pt(x, y).In(part):
				inside += int(c.R)
			case c != color.RGBA{}:
				t.Fatalf("pixel %d,%d outside the part is %v", x, y, c)
			}
		}
	}
	if inside == 0 {
		t.Error("nothing drawn")
	}
}

func TestTintedHasItsLuma(t *testing.T) {
	rng := newRand(7, 7)
	for range 1000 {
		want := rng.Unit()
		c := tinted(&rng, want)
		if got := c.luma(); math.Abs(got-want) > 1e-6 {
			t.Fatalf("luma %v, want %v", got, want)
		}
		for _, v := range []float32{c.R, c.G, c.B} {
			if v < -1e-6 || v > 1+1e-6 {
				t.Fatalf("%v is out of range", c)
			}
		}
	}
}
