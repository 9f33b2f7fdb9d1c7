package main

import (
	"image"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/fathom-edge/fathom/runtime/frame"
)

type named struct {
	name string
	img  image.Image
}

// frames is one scene, soft shapes and a little noise, as each kind of frame.
func frames() ([]named, error) {
	bounds := image.Rect(0, 0, width, height)
	rgba := image.NewRGBA(bounds)
	paint(rgba.Pix, rgba.Stride, 4)
	out := []named{{"rgba", rgba}}
	for _, f := range []struct {
		name  string
		ratio image.YCbCrSubsampleRatio
	}{{"ycbcr-444", image.YCbCrSubsampleRatio444}, {"ycbcr-422", image.YCbCrSubsampleRatio422}, {"ycbcr-420", image.YCbCrSubsampleRatio420}} {
		m := image.NewYCbCr(bounds, f.ratio)
		paint(m.Y, m.YStride, 1)
		paint(m.Cb, m.CStride, 1)
		paint(m.Cr, m.CStride, 1)
		out = append(out, named{f.name, m})
	}
	for _, layout := range []frame.Layout{frame.YUYV, frame.NV12, frame.I420} {
		pix := make([]byte, layout.Size(width, height, 0))
		paint(pix, layout.RowBytes(width), 1)
		m, err := frame.New(layout, frame.BT601Limited, pix, width, height, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, named{strings.ToLower(layout.String()), m})
	}
	return out, nil
}

// paint fills rows of pixels of step bytes.
func paint(pix []byte, stride, step int) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range pix {
		x, y := float64(i%stride/step)/width, float64(i/stride)/height
		pix[i] = byte(128 + 60*math.Sin(7*x+3*y) + 8*rng.Float64())
		if step == 4 && i%4 == 3 {
			pix[i] = 255
		}
	}
}
