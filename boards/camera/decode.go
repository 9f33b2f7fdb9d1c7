package camera

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"

	"github.com/fathom-edge/fathom/boards/camera/turbo"
)

// maxSide bounds the width and height of a picture, in pixels. It is checked in
// the header, before any memory is set aside for the picture: at most 64 MiB
// then, several times that for a progressive JPEG.
const maxSide = turbo.MaxSide

// format is one way to encode a picture.
type format struct {
	config func([]byte) (image.Config, error)
	decode func([]byte) (image.Image, error)
	// quick, if it is there, decodes most pictures at less cost, or refuses. See DecodeJPEG.
	quick func(data []byte, least image.Point, over image.Image) (image.Image, error)
}

var (
	jpegFormat = format{
		func(b []byte) (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(b)) },
		func(b []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(withTables(b))) },
		turbo.Decode,
	}
	pngFormat = format{
		func(b []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(b)) },
		func(b []byte) (image.Image, error) { return png.Decode(bytes.NewReader(b)) },
		nil,
	}
)

// whole is a size that no picture may fall below: it is decoded in full.
var whole = image.Pt(math.MaxInt, math.MaxInt)

// DecodeJPEG decodes a camera's JPEG, at a fraction of its size where that costs less and the result is not smaller than least.
// Over is a picture that nobody needs any more, for its memory; it may be nil.
func DecodeJPEG(data []byte, least image.Point, over image.Image) (image.Image, error) {
	return jpegFormat.picture(data, least, over)
}

// CopyJPEG copies a camera's JPEG, complete with its Huffman tables.
func CopyJPEG(data []byte) []byte { return bytes.Clone(withTables(data)) }

// picture decodes data into one of the image types that a Frame may hold. What quick refuses, image/jpeg or image/png judge.
func (f format) picture(data []byte, least image.Point, over image.Image) (image.Image, error) {
	if f.quick != nil {
		if img, err := f.quick(data, least, over); err == nil {
			return img, nil
		}
	}
	config, err := f.config(data)
	if err != nil {
		return nil, err
	}
	if config.Width > maxSide || config.Height > maxSide {
		return nil, fmt.Errorf("a picture of %dx%d pixels is larger than %dx%d (lower the resolution)",
			config.Width, config.Height, maxSide, maxSide)
	}
	if config.Width == 0 || config.Height == 0 {
		return nil, fmt.Errorf("a picture of %dx%d pixels", config.Width, config.Height)
	}
	img, err := f.decode(data)
	if err != nil {
		return nil, err
	}
	switch img.(type) {
	case *image.RGBA, *image.NRGBA, *image.Gray, *image.YCbCr:
		return img, nil
	}
	// Palettes, 16 bits a channel, CMYK.
	plain := image.NewNRGBA(img.Bounds())
	draw.Draw(plain, plain.Rect, img, img.Bounds().Min, draw.Src)
	return plain, nil
}
