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
	// decode may shrink the picture as long as it covers least.
	decode func(data []byte, least image.Point) (image.Image, error)
}

var (
	jpegFormat = format{
		func(b []byte) (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(b)) },
		decodeJPEG,
	}
	pngFormat = format{
		func(b []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(b)) },
		func(b []byte, _ image.Point) (image.Image, error) { return png.Decode(bytes.NewReader(b)) },
	}
)

// decodeJPEG lets image/jpeg judge what libjpeg-turbo complains of or is not there for.
func decodeJPEG(data []byte, least image.Point) (image.Image, error) {
	if img, err := turbo.Decode(data, least); err == nil {
		return img, nil
	}
	return jpeg.Decode(bytes.NewReader(withTables(data)))
}

// whole is a size that no picture may fall below: it is decoded in full.
var whole = image.Pt(math.MaxInt, math.MaxInt)

// DecodeJPEG decodes a camera's JPEG, at a fraction of its size where that costs less and the result is not smaller than least.
func DecodeJPEG(data []byte, least image.Point) (image.Image, error) {
	return jpegFormat.picture(data, least)
}

// CopyJPEG copies a camera's JPEG, complete with its Huffman tables.
func CopyJPEG(data []byte) []byte { return bytes.Clone(withTables(data)) }

// picture decodes data into one of the image types that a Frame may hold.
func (f format) picture(data []byte, least image.Point) (image.Image, error) {
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
	img, err := f.decode(data, least)
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
