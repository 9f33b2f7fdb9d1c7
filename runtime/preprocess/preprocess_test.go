package preprocess

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fathom-edge/fathom/runtime/frame"
)

func spec(width, height int) Spec {
	return Spec{Width: width, Height: height, Channels: "RGB", Fit: FitCrop,
		Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}
}

func apply(t testing.TB, s Spec, img image.Image) []float32 {
	t.Helper()
	p, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, s.Len())
	if err := p.Apply(dst, img); err != nil {
		t.Fatal(err)
	}
	return dst
}

// weights is the slow and obvious share of each source position in output i.
func weights(src, dst, i int) []float64 {
	out := make([]float64, src)
	scale := float64(src) / float64(dst)
	if src >= dst { // the part of the output's span that lies within pixel k
		from, to := scale*float64(i), scale*float64(i+1)
		for k := range out {
			out[k] = max(0, min(to, float64(k+1))-max(from, float64(k))) / scale
		}
		return out
	}
	// Linear between pixel centres: (i + 1/2) * src/dst - 1/2, clamped.
	at := max(0, min((float64(i)+0.5)*scale-0.5, float64(src-1)))
	for k := range out {
		out[k] = max(0, 1-math.Abs(at-float64(k)))
	}
	return out
}

// reference resamples in float64, one output pixel at a time.
func reference(s Spec, img image.Image) []float32 {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	x0, y0 := 0, 0
	shown := image.Rect(0, 0, s.Width, s.Height) // where the tensor shows the frame
	switch {
	case s.Fit == FitCrop && w*s.Height > h*s.Width:
		cut := max(1, h*s.Width/s.Height)
		x0, w = (w-cut)/2, cut
	case s.Fit == FitCrop:
		cut := max(1, w*s.Height/s.Width)
		y0, h = (h-cut)/2, cut
	case s.Fit == FitLetterbox:
		scale := math.Min(float64(s.Width)/float64(w), float64(s.Height)/float64(h))
		size := image.Pt(max(1, int(math.Round(float64(w)*scale))), max(1, int(math.Round(float64(h)*scale))))
		at := image.Pt((s.Width-size.X)/2, (s.Height-size.Y)/2)
		shown = image.Rectangle{at, at.Add(size)}
	}
	out := make([]float32, s.Len())
	for y := range shown.Dy() {
		for x := range shown.Dx() {
			var sum [3]float64
			wx := weights(w, shown.Dx(), x)
			for ky, wy := range weights(h, shown.Dy(), y) {
				for kx, wx := range wx {
					if wy*wx == 0 {
						continue
					}
					r, g, bl, _ := img.At(b.Min.X+x0+kx, b.Min.Y+y0+ky).RGBA()
					for c, v := range [3]uint32{r >> 8, g >> 8, bl >> 8} {
						sum[c] += wy * wx * float64(v) / 255
					}
				}
			}
			for c, v := range sum {
				if s.Channels == "BGR" {
					c = 2 - c
				}
				at := ((shown.Min.Y+y)*s.Width+shown.Min.X+x)*3 + c
				out[at] = (float32(v) - s.Mean[c]) / s.Std[c]
			}
		}
	}
	return out
}

// frames makes one random image of every supported kind, off the origin.
func frames(width, height int) map[string]image.Image {
	rng := rand.New(rand.NewPCG(uint64(width), uint64(height)))
	r := image.Rect(3, 5, 3+width, 5+height)
	fill := func(pix []byte) {
		for i := range pix {
			pix[i] = byte(rng.Uint32())
		}
	}
	rgba := image.NewRGBA(r)
	fill(rgba.Pix)
	for i := 3; i < len(rgba.Pix); i += 4 {
		rgba.Pix[i] = 255
	}
	nrgba := image.NewNRGBA(r)
	fill(nrgba.Pix)
	for i := 3; i < len(nrgba.Pix); i += 8 {
		nrgba.Pix[i] = 255
	}
	gray := image.NewGray(r)
	fill(gray.Pix)
	out := map[string]image.Image{"rgba": rgba, "nrgba": nrgba, "gray": gray,
		"part of a larger frame": larger(rng, r)}
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		m := image.NewYCbCr(r, ratio)
		fill(m.Y)
		fill(m.Cb)
		fill(m.Cr)
		out[ratio.String()] = m
	}
	for _, layout := range []frame.Layout{frame.YUYV, frame.UYVY, frame.NV12, frame.NV21, frame.I420} {
		for _, colour := range []frame.Colour{frame.BT601Full, frame.BT601Limited, frame.BT709Limited} {
			stride := layout.RowBytes(r.Max.X) + 6
			pix := make([]byte, layout.Size(r.Max.X, r.Max.Y, stride))
			fill(pix)
			m, err := frame.New(layout, colour, pix, r.Max.X, r.Max.Y, stride)
			if err != nil {
				panic(err)
			}
			out[layout.String()+" "+colour.String()] = m.SubImage(r)
			if colour == frame.BT601Limited {
				out["whole "+layout.String()] = m.SubImage(r.Sub(r.Min))
			}
		}
	}
	return out
}

func larger(rng *rand.Rand, r image.Rectangle) image.Image {
	m := image.NewRGBA(r.Inset(-2))
	for i := range m.Pix {
		m.Pix[i] = byte(rng.Uint32()) | byte(-(i & 3 / 3))
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	return m.SubImage(r)
}

func TestAgainstReference(t *testing.T) {
	for _, size := range [][4]int{ // frame, tensor
		{32, 32, 8, 8}, {20, 13, 7, 5}, {13, 20, 5, 7}, {40, 9, 8, 8}, {9, 40, 8, 8},
		{4, 3, 9, 10}, {5, 5, 16, 16}, {1, 1, 4, 4}, {12, 4, 6, 7}, {8, 8, 8, 8}, {1, 30, 3, 9},
	} {
		for _, fit := range []Fit{FitCrop, FitStretch, FitLetterbox} {
			for name, img := range frames(size[0], size[1]) {
				s := spec(size[2], size[3])
				s.Fit = fit
				if size[0]%2 == 1 {
					s.Channels = "BGR"
				}
				t.Run(fmt.Sprint(size, fit, name), func(t *testing.T) {
					got, want := apply(t, s, img), reference(s, img)
					limit := 2e-6 // rounding of float32
					if name == "nrgba" {
						limit = 0.02 // image.NRGBA.At rounds alpha in 16 bits: one step of 1/255 / 0.224
					}
					for i := range want {
						if d := math.Abs(float64(got[i] - want[i])); d > limit {
							t.Fatalf("value %d is %v, the reference %v", i, got[i], want[i])
						}
					}
				})
			}
		}
	}
}

func TestIdentityIsExact(t *testing.T) {
	pix := make([]byte, 32*32*3)
	for i := range pix {
		pix[i] = byte(i * 7)
	}
	for _, channels := range []string{"RGB", "BGR"} {
		s := spec(32, 32)
		s.Channels = channels
		p, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, s.Len())
		if err := p.ApplyRGB(got, pix, 32, 32); err != nil {
			t.Fatal(err)
		}
		for i, v := range pix {
			at, c := i, i%3
			if channels == "BGR" {
				at, c = i-i%3+2-i%3, 2-i%3
			}
			if want := (float32(v)/255 - s.Mean[c]) / s.Std[c]; got[at] != want {
				t.Fatalf("%s: value %d is %v, want exactly %v", channels, at, got[at], want)
			}
		}
	}
}

// A flat frame stays flat to the last bit at any size: weights sum to one.
func TestFlatFrame(t *testing.T) {
	for _, size := range [][2]int{{640, 480}, {1920, 1080}, {33, 31}, {7, 9}} {
		img := image.NewGray(image.Rect(0, 0, size[0], size[1]))
		for i := range img.Pix {
			img.Pix[i] = 200
		}
		s := spec(32, 32)
		for i, got := range apply(t, s, img) {
			if want := (float32(200)/255 - s.Mean[i%3]) / s.Std[i%3]; got != want {
				t.Fatalf("%v: value %d is %v, want exactly %v", size, i, got, want)
			}
		}
	}
}

// Kinds of images that hold the same colours give the same tensor.
func TestKindsAgree(t *testing.T) {
	for name, img := range frames(50, 40) {
		b := img.Bounds()
		pix := make([]byte, 0, 3*b.Dx()*b.Dy())
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for x := b.Min.X; x < b.Max.X; x++ {
				c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
				pix = append(pix, c.R, c.G, c.B)
			}
		}
		s := spec(16, 16)
		p, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float32, s.Len())
		if err := p.ApplyRGB(want, pix, b.Dx(), b.Dy()); err != nil {
			t.Fatal(err)
		}
		limit := float32(0)
		if name == "nrgba" {
			limit = 0.02
		}
		for i, got := range apply(t, s, img) {
			if d := got - want[i]; d > limit || d < -limit {
				t.Fatalf("%s: value %d is %v, as RGB bytes %v", name, i, got, want[i])
			}
		}
	}
}

func TestFrameSizesMayChange(t *testing.T) {
	s := spec(8, 8)
	p, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, s.Len())
	for _, size := range [][2]int{{40, 30}, {8, 8}, {5, 4}, {100, 20}, {40, 30}} {
		for _, img := range frames(size[0], size[1]) {
			if err := p.Apply(got, img); err != nil {
				t.Fatal(err)
			}
			for i, want := range apply(t, s, img) {
				if got[i] != want {
					t.Fatalf("%v: the size before left a trace", size)
				}
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	p, err := New(spec(8, 8))
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, 8*8*3)
	short := image.NewRGBA(image.Rect(0, 0, 8, 8))
	short.Pix = short.Pix[:100]
	shortChroma := image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio420)
	shortChroma.Cr = shortChroma.Cr[:3]
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"empty":            {p.Apply(dst, image.NewRGBA(image.Rectangle{})), "frame of 0x0"},
		"empty YCbCr":      {p.Apply(dst, &image.YCbCr{}), "frame of 0x0"},
		"absurd":           {p.Apply(dst, &image.Gray{Rect: image.Rect(0, 0, 1<<20, 1)}), "each side must be 1 to 16384"},
		"truncated":        {p.Apply(dst, short), "too few bytes"},
		"truncated chroma": {p.Apply(dst, shortChroma), "too few bytes"},
		"negative origin":  {p.Apply(dst, image.NewYCbCr(image.Rect(-8, 0, 8, 8), image.YCbCrSubsampleRatio420)), "origin at (-8,0)"},
		"truncated YUV":    {p.Apply(dst, &frame.YUV{Y: make([]byte, 64), YStride: 8, YStep: 1, Rect: image.Rect(0, 0, 8, 8)}), "too few bytes"},
		"YUV without size": {p.Apply(dst, &frame.YUV{}), "frame of 0x0"},
		"codes":            {p.ApplyInt8(make([]int8, 3), Quantization{Scale: 1}, image.NewRGBA(image.Rect(0, 0, 8, 8))), "tensor of 3 values: the spec has 192"},
		"scale":            {p.ApplyInt8(make([]int8, 192), Quantization{}, image.NewRGBA(image.Rect(0, 0, 8, 8))), "scale is 0"},
		"other type":       {p.Apply(dst, image.NewCMYK(image.Rect(0, 0, 8, 8))), "frame of type *image.CMYK"},
		"no image":         {p.Apply(dst, nil), "frame of type <nil>"},
		"tensor":           {p.Apply(dst[1:], image.NewRGBA(image.Rect(0, 0, 8, 8))), "tensor of 191 values: the spec has 192"},
		"RGB length":       {p.ApplyRGB(dst, make([]byte, 10), 8, 8), "10 bytes for an RGB frame of 8x8"},
		"RGB negative":     {p.ApplyRGB(dst, nil, -8, -8), "frame of"},
		"RGB overflow":     {p.ApplyRGB(dst, nil, math.MaxInt, math.MaxInt), "frame of"},
	} {
		if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", name, tc.err, tc.want)
		}
	}
}

func TestSpecValidate(t *testing.T) {
	nan := float32(math.NaN())
	for want, change := range map[string]func(*Spec){
		"input of 0x8":          func(s *Spec) { s.Width = 0 },
		"each side must be":     func(s *Spec) { s.Height = 5000 },
		`channels "rgb"`:        func(s *Spec) { s.Channels = "rgb" },
		`fit "squash"`:          func(s *Spec) { s.Fit = "squash" },
		"mean of channel 2":     func(s *Spec) { s.Mean[2] = nan },
		"std of channel 0 is 0": func(s *Spec) { s.Std[0] = 0 },
		"std of channel 1":      func(s *Spec) { s.Std[1] = float32(math.Inf(1)) },
	} {
		s := spec(8, 8)
		change(&s)
		p, err := New(s)
		if err == nil || p != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestNoAllocationPerFrame(t *testing.T) {
	s := spec(32, 32)
	p, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	dst, codes := make([]float32, s.Len()), make([]int8, s.Len())
	for name, img := range frames(64, 48) {
		apply := func() {
			if err := p.Apply(dst, img); err != nil {
				t.Fatal(err)
			}
			if err := p.ApplyInt8(codes, Quantization{Scale: 0.02}, img); err != nil {
				t.Fatal(err)
			}
		}
		apply()
		if n := testing.AllocsPerRun(20, apply); n != 0 {
			t.Errorf("%s: %v allocations per frame", name, n)
		}
	}
}
