package preprocess

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fathom-edge/fathom/runtime/frame"

	"github.com/google/go-cmp/cmp"
)

// Sizes with large common divisors, with none, and at both sides of exactInverse:
// 480·299 is below it, 720·299 above.
func TestNarrowAndWideAgree(t *testing.T) {
	for _, size := range [][3]int{{64, 48, 22}, {61, 47, 23}, {480, 480, 299}, {720, 720, 299}, {9, 7, 31}, {3001, 13, 11}} {
		img := frames(size[0], size[1])["YCbCrSubsampleRatio420"]
		s := spec(size[2], size[2])
		s.Fit = FitStretch
		want := apply(t, s, img)
		p, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		p.fit(size[0], size[1])
		if !p.narrow {
			t.Fatalf("%v is not narrow", size)
		}
		p.narrow = false
		got := make([]float32, s.Len())
		if err := p.Apply(got, img); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(want, got) {
			t.Errorf("%v: the ways differ (-narrow +wide):\n%.500s", size, cmp.Diff(want, got))
		}
	}
}

// A window whose sums do not fit goes the wide way by itself: white stays white.
func TestWideWhereItMust(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 8231, 3))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	s := Spec{Width: 2, Height: 3, Channels: "RGB", Fit: FitStretch, Std: [3]float32{1, 1, 1}}
	p, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, s.Len())
	if err := p.Apply(got, img); err != nil {
		t.Fatal(err)
	}
	if p.narrow {
		t.Error("the narrow way was taken")
	}
	for i, v := range got {
		if v != 1 {
			t.Fatalf("value %d is %v, want 1", i, v)
		}
	}
}

// finish makes the same float32 as divide and normalize of every sum below exactInverse.
func TestInversesAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	s := spec(1, 1)
	for i := range 100000 {
		den := 255 * (1 + rng.Uint64N(exactInverse/255))
		sums := []uint64{rng.Uint64N(den+1) | rng.Uint64N(den+1)<<32, rng.Uint64N(den + 1)}
		s.Channels = []string{"RGB", "BGR"}[i%2]
		for c := range s.Std {
			s.Mean[c] = rng.Float32() * float32(rng.IntN(3)-1)
			s.Std[c] = (1 + rng.Float32()) * float32(math.Ldexp(1, rng.IntN(100)-50))
		}
		p, err := New(s)
		if err != nil || p.inverse == [3]float64{} {
			t.Fatal(err, p.inverse)
		}
		product, quotient := make([]float32, 3), make([]float32, 3)
		p.finish(product, sums, 1/float64(den))
		divide(quotient, sums, float64(den))
		p.normalize(quotient)
		if !slices.Equal(quotient, product) {
			t.Fatalf("%d of %d by %+v: the quotients are %v, the products %v", sums, den, s, quotient, product)
		}
	}
}

// Where the quotients could be subnormal, they are not made by products.
func TestInversesOnlyWhereExact(t *testing.T) {
	for _, s := range []Spec{
		{Std: [3]float32{1, 1, 0x1p61}}, {Std: [3]float32{0x1p-61, 1, 1}},
		{Mean: [3]float32{0, -0x1p-61, 0}, Std: [3]float32{1, 1, 1}},
	} {
		if got := s.inverses(); got != [3]float64{} {
			t.Errorf("%+v: inverses %v", s, got)
		}
	}
	if got, want := (Spec{Mean: [3]float32{0, -0x1p-60, 1}, Std: [3]float32{0x1p-60, 0x1p60, 0.5}}).inverses(), [3]float64{0x1p60, 0x1p-60, 2}; got != want {
		t.Errorf("inverses %v, want %v", got, want)
	}
}

func TestInt8IsTheQuantizedTensor(t *testing.T) {
	for _, q := range []Quantization{{0.0186, -14}, {4e-3, 127}, {0.5, 0}} {
		for _, size := range []int{16, 40, 90} {
			for name, img := range frames(61, 40) {
				s := spec(size, 40)
				s.Fit = FitLetterbox
				p, err := New(s)
				if err != nil {
					t.Fatal(err)
				}
				want, got := make([]int8, s.Len()), make([]int8, s.Len())
				q.Quantize(want, apply(t, s, img))
				if err := p.ApplyInt8(got, q, img); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(want, got) {
					t.Errorf("%s, %+v (-want +got):\n%.500s", name, q, cmp.Diff(want, got))
				}
			}
		}
	}
}

// Bars are the mean colour: 0, and the zero point of an int8 tensor.
func TestLetterboxBars(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 40, 10))
	s := Spec{Width: 8, Height: 8, Channels: "RGB", Fit: FitLetterbox, Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.25, 0.25, 0.25}}
	for i, v := range apply(t, s, img) {
		want := float32(0)
		if row := i / (3 * s.Width); row == 3 || row == 4 {
			want = -2
		}
		if v != want {
			t.Fatalf("value %d is %v, want %v", i, v, want)
		}
	}
	if low, high := (Spec{Fit: FitLetterbox, Mean: [3]float32{-1, -1, -1}, Std: [3]float32{1, 1, 1}}).Range(); low != 0 || high != 2 {
		t.Errorf("range %g to %g, want 0 to 2", low, high)
	}
}

// Any frame gives an error or a tensor within the spec's range, and never more
// than its own bytes are read.
func FuzzApply(f *testing.F) {
	f.Add(uint8(0), uint16(13), uint16(7), 3, 5, 60, 400, 8, 6, uint8(0))
	f.Add(uint8(6), uint16(640), uint16(2), 1, 1, 700, 9000, 5, 5, uint8(1))
	f.Add(uint8(9), uint16(1), uint16(1), 0, 0, 1, 3, 9, 9, uint8(2))
	f.Add(uint8(4), uint16(31), uint16(9), -1, 2, 31, 1000, 30, 2, uint8(5))
	f.Fuzz(func(t *testing.T, kind uint8, width, height uint16, x, y, stride, n, tw, th int, how uint8) {
		pix := make([]byte, max(0, min(n, 1<<16)))
		for i := range pix {
			pix[i] = byte(i * 31)
		}
		limit := 1 << 20
		x, y, stride = x%limit, y%limit, stride%limit
		r := image.Rect(x, y, x+int(width), y+int(height))
		var img image.Image
		switch kind % 10 {
		case 0:
			img = &image.RGBA{Pix: pix, Stride: stride, Rect: r}
		case 1:
			img = &image.NRGBA{Pix: pix, Stride: stride, Rect: r}
		case 2:
			img = &image.Gray{Pix: pix, Stride: stride, Rect: r}
		case 3, 4, 5:
			img = &image.YCbCr{Y: pix, Cb: pix, Cr: pix[len(pix)/2:], YStride: stride, CStride: stride / 2, Rect: r,
				SubsampleRatio: image.YCbCrSubsampleRatio(how % 6)}
		case 6, 7:
			m, err := frame.New(frame.Layout(how%6), frame.Colour(how%5), pix, int(width), int(height), stride)
			if err != nil {
				return
			}
			img = m.SubImage(r)
		default:
			img = &frame.YUV{Y: pix, Cb: pix, Cr: pix, YStride: stride, CStride: stride, YStep: tw, CStep: th,
				ShiftX: int(how), ShiftY: y, Rect: r, Colour: frame.Colour(kind / 16)}
		}
		s := spec(1+int(uint(tw)%64), 1+int(uint(th)%64))
		s.Fit = []Fit{FitCrop, FitStretch, FitLetterbox}[how%3]
		p, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float32, s.Len())
		if err := p.Apply(dst, img); err != nil {
			return
		}
		low, high := s.Range()
		for i, v := range dst {
			if !(low <= v && v <= high) {
				t.Fatalf("value %d is %v, outside %v to %v", i, v, low, high)
			}
		}
	})
}
