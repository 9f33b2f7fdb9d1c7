package preprocess

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

// view is a frame as a camera sees one: soft shapes and a little noise. Colours at
// random would clamp at every second pixel, which no camera's do.
func view(kind string, width, height int) image.Image {
	for name, img := range frames(width, height) {
		if name != kind {
			continue
		}
		rng := rand.New(rand.NewPCG(1, 2))
		paint := func(pix []byte, stride, step int) {
			for i := range pix {
				x, y := float64(i%stride/step)/float64(width), float64(i/stride)/float64(height)
				pix[i] = byte(128 + 60*math.Sin(7*x+3*y) + 8*rng.Float64())
			}
		}
		switch m := img.(type) {
		case *image.RGBA:
			paint(m.Pix, m.Stride, 4)
		case *image.YCbCr:
			paint(m.Y, m.YStride, 1)
			paint(m.Cb, m.CStride, 1)
			paint(m.Cr, m.CStride, 1)
		}
		return img
	}
	panic("no frame of kind " + kind)
}

func BenchmarkApply(b *testing.B) {
	for _, size := range [][3]int{{640, 480, 32}, {640, 480, 224}, {1920, 1080, 224}, {32, 32, 32}} {
		for _, kind := range []string{"rgba", "YCbCrSubsampleRatio420"} {
			b.Run(fmt.Sprintf("%dx%d-%d/%s", size[0], size[1], size[2], kind), func(b *testing.B) {
				s := spec(size[2], size[2])
				p, err := New(s)
				if err != nil {
					b.Fatal(err)
				}
				dst, img := make([]float32, s.Len()), view(kind, size[0], size[1])
				for b.Loop() {
					if err := p.Apply(dst, img); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/float64(size[0]*size[1]), "ns/pixel")
			})
		}
	}
}
