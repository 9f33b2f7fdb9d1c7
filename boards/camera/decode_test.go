package camera

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// samples are JPEGs of a test picture in each kind of colour, as cjpeg writes them.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		if all[filepath.Base(f)], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// shrunk is a picture by a whole number, as the mean of so many pixels by so many.
func shrunk(m image.Image, by int) *image.NRGBA {
	b := m.Bounds()
	small := image.NewNRGBA(image.Rect(0, 0, (b.Dx()+by-1)/by, (b.Dy()+by-1)/by))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			var sum [3]int
			n := 0
			part := image.Rect(x*by, y*by, x*by+by, y*by+by).Add(b.Min).Intersect(b)
			for py := part.Min.Y; py < part.Max.Y; py++ {
				for px := part.Min.X; px < part.Max.X; px++ {
					c := color.NRGBAModel.Convert(m.At(px, py)).(color.NRGBA)
					sum[0], sum[1], sum[2], n = sum[0]+int(c.R), sum[1]+int(c.G), sum[2]+int(c.B), n+1
				}
			}
			small.SetNRGBA(x, y, color.NRGBA{uint8(sum[0] / n), uint8(sum[1] / n), uint8(sum[2] / n), 255})
		}
	}
	return small
}

// difference is the mean of a channel, in steps of 255.
func difference(a, b image.Image) float64 {
	sum, r := 0.0, a.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c, d := color.NRGBAModel.Convert(a.At(x, y)).(color.NRGBA), color.NRGBAModel.Convert(b.At(x, y)).(color.NRGBA)
			for _, v := range [3][2]uint8{{c.R, d.R}, {c.G, d.G}, {c.B, d.B}} {
				sum += math.Abs(float64(v[0])-float64(v[1])) / float64(3*r.Dx()*r.Dy())
			}
		}
	}
	return sum
}

// Whichever decoder this build has: every kind of JPEG shows what image/jpeg shows, in full, or at a fraction if that is enough.
func TestDecodeJPEGShowsTheSame(t *testing.T) {
	for name, data := range samples(t) {
		full, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, by := range []int{1, 2, 4, 8} {
			want := shrunk(full, by)
			got, err := DecodeJPEG(data, want.Rect.Max, nil)
			if err != nil {
				t.Fatalf("%s by %d: %v", name, by, err)
			}
			if got.Bounds() == full.Bounds() {
				got = shrunk(got, by)
			}
			if got.Bounds() != want.Rect {
				t.Errorf("%s by %d: %v, want %v or all", name, by, got.Bounds(), want.Rect)
			} else if d := difference(want, got); d > 6 {
				t.Errorf("%s by %d: %.1f steps off", name, by, d)
			}
		}
	}
}

// A JPEG that is cut off or damaged is an error or a picture, as image/jpeg has it.
func TestDecodeJPEGDamaged(t *testing.T) {
	for name, data := range samples(t) {
		for cut := 0; cut < len(data); cut += 1 + len(data)/60 {
			for _, broken := range [][]byte{data[:cut], append(append(bytes.Clone(data[:cut]), 0xFF, 0xD9, 0x00), data[cut:]...)} {
				_, goErr := jpeg.Decode(bytes.NewReader(withTables(broken)))
				got, err := DecodeJPEG(broken, image.Pt(1, 1), nil)
				if (err == nil) != (got != nil) || goErr == nil && err != nil {
					t.Fatalf("%s at %d: %v, image/jpeg: %v", name, cut, err, goErr)
				}
			}
		}
	}
}

// What image/jpeg takes is taken; nothing is larger than it says; nothing crashes.
func FuzzDecodeJPEG(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(data, 16, 16)
		f.Add(data, 1, 1)
	}
	f.Fuzz(func(t *testing.T, data []byte, width, height int) {
		size, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err == nil && size.Width*size.Height > 1<<20 {
			return // only slow
		}
		got, err := DecodeJPEG(data, image.Pt(width, height), nil)
		if (err == nil) != (got != nil) {
			t.Fatalf("%v with error %v", got, err)
		}
		if err != nil {
			if _, err := jpeg.Decode(bytes.NewReader(withTables(data))); err == nil {
				t.Fatal("image/jpeg takes it")
			}
			return
		}
		b := got.Bounds().Size()
		if b.X > size.Width || b.Y > size.Height || b.X < min(width, size.Width) || b.Y < min(height, size.Height) {
			t.Fatalf("%v of %v, at least %dx%d", b, size, width, height)
		}
		got.At(b.X-1, b.Y-1)
	})
}

func BenchmarkDecodeJPEG(b *testing.B) {
	data := picture(640, 480, 10)
	for name, least := range map[string]image.Point{"full": whole, "half": image.Pt(320, 240), "quarter": image.Pt(160, 120)} {
		b.Run(name, func(b *testing.B) {
			var img image.Image
			var err error
			for b.Loop() {
				if img, err = DecodeJPEG(data, least, img); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
