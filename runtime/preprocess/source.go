package preprocess

import (
	"fmt"
	"image"
)

// kind is how a source keeps its pixels.
type kind int

const (
	kindRGB kind = iota // 3 bytes per pixel
	kindRGBA
	kindNRGBA
	kindGray
	kindYCbCr
)

// source is a frame of any of the supported kinds. It borrows the pixels.
type source struct {
	kind   kind
	bounds image.Rectangle
	pix    []byte // from the top left pixel of bounds, except for kindYCbCr
	stride int
	ycbcr  *image.YCbCr
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
	default:
		return source{}, fmt.Errorf("preprocess: frame of type %T: draw it onto an *image.RGBA first", img)
	}
	if !holds(s.bounds, len(s.pix), s.stride, size) {
		return source{}, errShort(img, s.bounds)
	}
	return s, nil
}

func newYCbCr(m *image.YCbCr) (source, error) {
	s := source{kind: kindYCbCr, bounds: m.Rect, ycbcr: m}
	if m.Rect.Dx() < 1 || m.Rect.Dy() < 1 || m.Rect.Dx() > maxFrame || m.Rect.Dy() > maxFrame {
		return s, nil // apply refuses it
	}
	if m.Rect.Min.X < 0 || m.Rect.Min.Y < 0 {
		return source{}, fmt.Errorf("preprocess: %T with its origin at %v: draw it onto an *image.RGBA first", m, m.Rect.Min)
	}
	last := image.Pt(m.Rect.Max.X-1, m.Rect.Max.Y-1)
	c := m.COffset(last.X, last.Y)
	if m.YStride < m.Rect.Dx() || m.YOffset(last.X, last.Y) >= len(m.Y) || c >= len(m.Cb) || c >= len(m.Cr) {
		return source{}, errShort(m, m.Rect)
	}
	return s, nil
}

func errShort(img image.Image, bounds image.Rectangle) error {
	return fmt.Errorf("preprocess: %T of %dx%d pixels holds too few bytes (truncated frame?)", img, bounds.Dx(), bounds.Dy())
}

// holds reports whether n bytes are enough; sizes that apply refuses pass.
func holds(bounds image.Rectangle, n, stride, size int) bool {
	w, h := bounds.Dx(), bounds.Dy()
	if w < 1 || h < 1 || w > maxFrame || h > maxFrame {
		return true
	}
	return stride >= w*size && n >= (h-1)*stride+w*size
}

// row is row y of the window as RGB bytes; buf (3 bytes per pixel of the
// window) is used where the source keeps them otherwise.
func (s source) row(buf []byte, window image.Rectangle, y int) []byte {
	y += window.Min.Y
	switch s.kind {
	case kindRGB:
		at := y*s.stride + 3*window.Min.X
		return s.pix[at : at+3*window.Dx()]
	case kindRGBA:
		rgbaRow(buf, s.pix[y*s.stride+4*window.Min.X:])
	case kindNRGBA:
		nrgbaRow(buf, s.pix[y*s.stride+4*window.Min.X:])
	case kindGray:
		grayRow(buf, s.pix[y*s.stride+window.Min.X:])
	case kindYCbCr:
		ycbcrRow(buf, s.ycbcr, s.bounds.Min.X+window.Min.X, s.bounds.Min.Y+y)
	}
	return buf
}

func rgbaRow(dst, src []byte) {
	for i, j := 0, 0; i < len(dst); i, j = i+3, j+4 {
		d, s := dst[i:i+3:i+3], src[j:j+4:j+4]
		d[0], d[1], d[2] = s[0], s[1], s[2]
	}
}

// nrgbaRow multiplies by alpha, which is what image.RGBA keeps.
func nrgbaRow(dst, src []byte) {
	for i, j := 0, 0; i < len(dst); i, j = i+3, j+4 {
		d, s := dst[i:i+3:i+3], src[j:j+4:j+4]
		if s[3] == 255 {
			d[0], d[1], d[2] = s[0], s[1], s[2]
			continue
		}
		a := uint32(s[3])
		for c := range d {
			d[c] = byte((uint32(s[c])*a + 127) / 255)
		}
	}
}

func grayRow(dst, src []byte) {
	for i, j := 0, 0; i < len(dst); i, j = i+3, j+1 {
		dst[i], dst[i+1], dst[i+2] = src[j], src[j], src[j]
	}
}

// ycbcrRow converts the pixels from (x, y) on, in the image's own coordinates,
// as color.YCbCrToRGB does; pixels that share chroma share its part of the sums.
func ycbcrRow(dst []byte, m *image.YCbCr, x, y int) {
	luma := m.Y[m.YOffset(x, y):][:len(dst)/3]
	c := m.COffset(x, y)
	last := chromaRun(m.SubsampleRatio) - 1
	var r, g, b int32
	for i, l := range luma {
		if i == 0 || (x+i)&last == 0 {
			if i > 0 {
				c++
			}
			cb, cr := int32(m.Cb[c])-128, int32(m.Cr[c])-128
			r, g, b = 91881*cr, -22554*cb-46802*cr, 116130*cb
		}
		yy := int32(l) * 0x10101
		d := dst[3*i : 3*i+3 : 3*i+3]
		d[0], d[1], d[2] = fixedToByte(yy+r), fixedToByte(yy+g), fixedToByte(yy+b)
	}
}

// chromaRun is how many neighbours in a row share chroma, a power of two.
func chromaRun(ratio image.YCbCrSubsampleRatio) int {
	switch ratio {
	case image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420:
		return 2
	case image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410:
		return 4
	}
	return 1
}

// fixedToByte rounds 16.16 fixed point down and clamps to 0...255.
func fixedToByte(v int32) byte {
	if uint32(v)&0xff000000 == 0 {
		return byte(v >> 16)
	}
	return byte(^(v >> 31))
}
