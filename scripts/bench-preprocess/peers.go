package main

import (
	"image"

	"github.com/disintegration/imaging"
	"golang.org/x/image/draw"
)

// peers are the usual ways from a picture to a tensor: crop and resize with a
// library, then normalize in a loop. Only imaging's filters and CatmullRom and
// BiLinear of x/image average all pixels, as we do; ApproxBiLinear looks at four.
func peers(img image.Image, tensor []float32) (names []string, run []func() error) {
	window := image.Rect((width-height)/2, 0, (width+height)/2, height)
	small := image.NewRGBA(image.Rect(0, 0, side, side))
	for _, s := range []struct {
		name   string
		scaler draw.Scaler
	}{{"draw.ApproxBiLinear", draw.ApproxBiLinear}, {"draw.BiLinear", draw.BiLinear}, {"draw.CatmullRom", draw.CatmullRom}} {
		// A Scaler made once for its sizes keeps its tables.
		scaler := s.scaler
		if kernel, ok := scaler.(*draw.Kernel); ok {
			scaler = kernel.NewScaler(side, side, height, height)
		}
		names = append(names, s.name)
		run = append(run, func() error {
			scaler.Scale(small, small.Rect, img, window, draw.Src, nil)
			normalize(tensor, small.Pix)
			return nil
		})
	}
	for _, f := range []struct {
		name   string
		filter imaging.ResampleFilter
	}{{"imaging.Box", imaging.Box}, {"imaging.Linear", imaging.Linear}} {
		names = append(names, f.name)
		run = append(run, func() error {
			part := img.(interface {
				SubImage(image.Rectangle) image.Image
			}).SubImage(window)
			normalize(tensor, imaging.Resize(part, side, side, f.filter).Pix)
			return nil
		})
	}
	return names, run
}

// normalize takes pixels of four bytes.
func normalize(tensor []float32, pix []byte) {
	s := spec()
	for i := 0; i+3 < len(pix); i += 4 {
		p, d := pix[i:i+4:i+4], tensor[i/4*3:i/4*3+3:i/4*3+3]
		d[0] = (float32(p[0])/255 - s.Mean[0]) / s.Std[0]
		d[1] = (float32(p[1])/255 - s.Mean[1]) / s.Std[1]
		d[2] = (float32(p[2])/255 - s.Mean[2]) / s.Std[2]
	}
}
