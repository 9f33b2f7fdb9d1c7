package snapshots

import (
	"bytes"
	"image"
	"image/jpeg"
	"slices"

	"golang.org/x/image/draw"
)

// Copy copies a picture, at most width pixels wide, so that the camera may have its
// buffer back.
func Copy(picture image.Image, width int) image.Image {
	b := picture.Bounds()
	if b.Dx() > width {
		small := image.NewRGBA(image.Rect(0, 0, width, max(b.Dy()*width/b.Dx(), 1)))
		draw.ApproxBiLinear.Scale(small, small.Rect, picture, b, draw.Src, nil)
		return small
	}
	if p, ok := picture.(*image.YCbCr); ok {
		c := *p
		c.Y, c.Cb, c.Cr = slices.Clone(p.Y), slices.Clone(p.Cb), slices.Clone(p.Cr)
		return &c
	}
	c := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(c, c.Rect, picture, b.Min, draw.Src)
	return c
}

// Encode makes a JPEG.
func Encode(picture image.Image, quality int) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: quality})
	return b.Bytes(), err
}
