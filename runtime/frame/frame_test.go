package frame

import (
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A 5x3 picture in each layout, every sample of its own value, with gaps between rows.
func TestLayouts(t *testing.T) {
	const width, height = 5, 3
	for _, tt := range []struct {
		layout  Layout
		stride  int
		samples func(x, y int) (luma, cb, cr int) // offsets
	}{
		{YUYV, 14, func(x, y int) (int, int, int) { return y*14 + 2*x, y*14 + x/2*4 + 1, y*14 + x/2*4 + 3 }},
		{UYVY, 14, func(x, y int) (int, int, int) { return y*14 + 2*x + 1, y*14 + x/2*4, y*14 + x/2*4 + 2 }},
		{NV12, 7, func(x, y int) (int, int, int) { return y*7 + x, 21 + y/2*8 + x/2*2, 21 + y/2*8 + x/2*2 + 1 }},
		{NV21, 7, func(x, y int) (int, int, int) { return y*7 + x, 21 + y/2*8 + x/2*2 + 1, 21 + y/2*8 + x/2*2 }},
		{I420, 7, func(x, y int) (int, int, int) { return y*7 + x, 21 + y/2*4 + x/2, 21 + 8 + y/2*4 + x/2 }},
	} {
		t.Run(tt.layout.String(), func(t *testing.T) {
			pix := make([]byte, tt.layout.Size(width, height, tt.stride))
			for i := range pix {
				pix[i] = byte(i*37 + 11)
			}
			f, err := New(tt.layout, BT601Limited, pix, width, height, tt.stride)
			if err != nil {
				t.Fatal(err)
			}
			if !f.Whole() {
				t.Error("not whole")
			}
			for y := range height {
				for x := range width {
					luma, cb, cr := tt.samples(x, y)
					r, g, b := BT601Limited.Terms().RGB(pix[luma], pix[cb], pix[cr])
					if want, got := (color.RGBA{R: r, G: g, B: b, A: 255}), f.RGBAAt(x, y); got != want {
						t.Errorf("(%d,%d) is %v, want %v", x, y, got, want)
					}
				}
			}
			if short, err := New(tt.layout, BT601Limited, pix[:len(pix)-1], width, height, tt.stride); short != nil || err == nil ||
				!strings.Contains(err.Error(), "truncated frame?") {
				t.Errorf("a byte less: %v, %v", short, err)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	pix := make([]byte, 1000)
	for want, do := range map[string]func() (*YUV, error){
		"Layout(9) is no layout":     func() (*YUV, error) { return New(9, BT601Full, pix, 4, 4, 0) },
		"Colour(9) is no colour":     func() (*YUV, error) { return New(YUYV, 9, pix, 4, 4, 0) },
		"0x4 pixels: each side":      func() (*YUV, error) { return New(YUYV, 0, pix, 0, 4, 0) },
		"4x20000 pixels: each side":  func() (*YUV, error) { return New(NV12, 0, pix, 4, 20000, 0) },
		"rows 7 bytes apart":         func() (*YUV, error) { return New(YUYV, 0, pix, 4, 4, 7) },
		"rows -8 bytes apart":        func() (*YUV, error) { return New(NV12, 0, pix, 4, 4, -8) },
		"must be 1536 (truncated":    func() (*YUV, error) { return New(I420, 0, pix, 32, 32, 0) },
		"must be 2048 (truncated":    func() (*YUV, error) { return New(YUYV, 0, pix, 32, 32, 0) },
		"rows 900000000 bytes apart": func() (*YUV, error) { return New(NV12, 0, pix, 32, 32, 900000000) },
	} {
		if f, err := do(); f != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// formula is the definition, in float64.
func formula(c Colour, y, cb, cr byte) [3]float64 {
	kr, kb := 0.299, 0.114
	if c == BT709Full || c == BT709Limited {
		kr, kb = 0.2126, 0.0722
	}
	luma, u, v := float64(y)/255, (float64(cb)-128)/255, (float64(cr)-128)/255
	if c == BT601Limited || c == BT709Limited {
		luma, u, v = (float64(y)-16)/219, (float64(cb)-128)/224, (float64(cr)-128)/224
	}
	r, b := luma+2*(1-kr)*v, luma+2*(1-kb)*u
	g := (luma - kr*r - kb*b) / (1 - kr - kb)
	return [3]float64{255 * max(0, min(r, 1)), 255 * max(0, min(g, 1)), 255 * max(0, min(b, 1))}
}

// Every colour lies within a rounding of the formula; BT601Full rounds down as
// image/color does, and agrees with it exactly.
func TestTermsAgainstFormula(t *testing.T) {
	for c := range colours {
		limit := 0.501
		if c == BT601Full {
			limit = 1
		}
		worst := 0.0
		for y := 0; y < 256; y += 5 {
			for cb := 0; cb < 256; cb += 7 {
				for cr := 0; cr < 256; cr += 7 {
					r, g, b := c.Terms().RGB(byte(y), byte(cb), byte(cr))
					want := formula(c, byte(y), byte(cb), byte(cr))
					for i, got := range [3]byte{r, g, b} {
						worst = max(worst, math.Abs(float64(got)-want[i]))
					}
					if c == BT601Full {
						wr, wg, wb := color.YCbCrToRGB(byte(y), byte(cb), byte(cr))
						if diff := cmp.Diff([3]byte{wr, wg, wb}, [3]byte{r, g, b}); diff != "" {
							t.Fatalf("%d %d %d (-image/color +ours):\n%s", y, cb, cr, diff)
						}
					}
				}
			}
		}
		if worst > limit {
			t.Errorf("%v: %.3f steps off, at most %.3f are allowed", c, worst, limit)
		}
	}
}

func TestSubImage(t *testing.T) {
	pix := make([]byte, NV12.Size(8, 8, 0))
	for i := range pix {
		pix[i] = byte(i * 5)
	}
	whole, err := New(NV12, BT601Full, pix, 8, 8, 0)
	if err != nil {
		t.Fatal(err)
	}
	part := whole.SubImage(image.Rect(3, 1, 20, 7)).(*YUV)
	if want := image.Rect(3, 1, 8, 7); part.Bounds() != want || !part.Whole() {
		t.Fatalf("bounds %v, want %v", part.Bounds(), want)
	}
	if part.At(3, 1) != whole.At(3, 1) || part.At(2, 1) != (color.RGBA{}) {
		t.Error("a part shows other pixels")
	}
	if whole.SubImage(image.Rect(30, 30, 40, 40)).(*YUV).Whole() {
		t.Error("a part without pixels is whole")
	}
}

func FuzzNew(f *testing.F) {
	f.Add(uint8(0), uint8(0), 5, 3, 0, 60)
	f.Add(uint8(2), uint8(1), 640, 480, 704, 1000)
	f.Add(uint8(4), uint8(3), 1, 1, 1, 3)
	f.Fuzz(func(t *testing.T, layout, colour uint8, width, height, stride, n int) {
		img, err := New(Layout(layout), Colour(colour), make([]byte, max(0, min(n, 1<<16))), width, height, stride)
		if (err == nil) != (img != nil) {
			t.Fatalf("%v with error %v", img, err)
		}
		if err != nil {
			return
		}
		if !img.Whole() {
			t.Fatal("not whole")
		}
		for _, at := range []image.Point{{0, 0}, {width - 1, 0}, {0, height - 1}, {width - 1, height - 1}} {
			img.At(at.X, at.Y)
		}
	})
}
