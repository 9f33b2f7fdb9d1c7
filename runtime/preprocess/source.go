package preprocess

import (
	"fmt"
	"image"

	"github.com/fathom-edge/fathom/runtime/frame"
)

// kind is how a source keeps its pixels.
type kind int

const (
	kindRGB kind = iota // 3 bytes per pixel
	kindRGBA
	kindNRGBA
	kindGray
	kindYUV
)

// source is a frame of any of the supported kinds. It borrows the pixels.
type source struct {
	kind   kind
	bounds image.Rectangle
	pix    []byte // from the top left pixel of bounds, except for kindYUV
	stride int
	yuv    yuv
}

// newSource checks that the image holds all the pixels that its bounds promise.
func newSource(img image.Image) (source, error) {
	var s source
	size := 0 // bytes per pixel
	switch m := img.(type) {
	case *image.RGBA:
		s, size = source{kind: kindRGBA, bounds: m.Rect, pix: m.Pix, stride: m.Stride}, 4
	case *image.NRGBA:
		s, size = source{kind: kindNRGBA, bounds: m.Rect, pix: m.Pix, stride: m.Stride}, 4
	case *image.Gray:
		s, size = source{kind: kindGray, bounds: m.Rect, pix: m.Pix, stride: m.Stride}, 1
	case *image.YCbCr:
		return newYCbCr(m)
	case *frame.YUV:
		return newYUV(m)
	default:
		return source{}, fmt.Errorf("preprocess: frame of type %T: draw it onto an *image.RGBA first", img)
	}
	if !sized(s.bounds) {
		return s, nil
	}
	if w, h := s.bounds.Dx(), s.bounds.Dy(); s.stride < w*size || len(s.pix) < (h-1)*s.stride+w*size {
		return source{}, errShort(img, s.bounds)
	}
	return s, nil
}

// sized reports whether a frame has a size that apply takes.
func sized(r image.Rectangle) bool {
	return r.Dx() >= 1 && r.Dy() >= 1 && r.Dx() <= maxFrame && r.Dy() <= maxFrame
}

func errShort(img image.Image, bounds image.Rectangle) error {
	return fmt.Errorf("preprocess: %T of %dx%d pixels holds too few bytes (truncated frame?)", img, bounds.Dx(), bounds.Dy())
}

// row writes row y of the window to dst, as many pixels as the window is wide.
func (s *source) row(dst []uint64, window image.Rectangle, y int) {
	x := window.Min.X
	y += window.Min.Y
	switch s.kind {
	case kindRGB:
		rgbRow(dst, s.pix[y*s.stride+3*x:])
	case kindRGBA:
		rgbaRow(dst, s.pix[y*s.stride+4*x:])
	case kindNRGBA:
		nrgbaRow(dst, s.pix[y*s.stride+4*x:])
	case kindGray:
		grayRow(dst, s.pix[y*s.stride+x:])
	case kindYUV:
		s.yuv.row(dst, x, y)
	}
}

func rgbRow(dst []uint64, src []byte) {
	src = src[:3*len(dst)]
	for i := range dst {
		s := src[3*i : 3*i+3 : 3*i+3]
		dst[i] = pixel(s[0], s[1], s[2])
	}
}

func rgbaRow(dst []uint64, src []byte) {
	src = src[:4*len(dst)]
	for i := range dst {
		s := src[4*i : 4*i+4 : 4*i+4]
		dst[i] = pixel(s[0], s[1], s[2])
	}
}

// nrgbaRow multiplies by alpha, which is what image.RGBA keeps.
func nrgbaRow(dst []uint64, src []byte) {
	src = src[:4*len(dst)]
	for i := range dst {
		s := src[4*i : 4*i+4 : 4*i+4]
		if s[3] == 255 {
			dst[i] = pixel(s[0], s[1], s[2])
			continue
		}
		a := uint32(s[3])
		dst[i] = pixel(byte((uint32(s[0])*a+127)/255), byte((uint32(s[1])*a+127)/255), byte((uint32(s[2])*a+127)/255))
	}
}

func grayRow(dst []uint64, src []byte) {
	for i, v := range src[:len(dst)] {
		dst[i] = pixel(v, v, v)
	}
}
