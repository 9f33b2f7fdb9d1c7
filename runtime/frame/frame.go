// Package frame holds pictures as cameras deliver them: luma and chroma in one of
// a few layouts. A [YUV] is an image.Image over the camera's own bytes, so that
// it can be shown, encoded and classified without being turned into RGB first.
//
// Nothing here is safe for use while the bytes change.
package frame

import (
	"fmt"
	"image"
	"image/color"
)

// Layout is how the samples of a frame lie in memory. In all of them two
// neighbours in a row share chroma; in those with 4:2:0 also two rows.
type Layout uint8

const (
	YUYV Layout = iota // packed 4:2:2: Y0 Cb Y1 Cr
	UYVY               // packed 4:2:2: Cb Y0 Cr Y1
	NV12               // 4:2:0: a plane of luma, then one of pairs Cb Cr
	NV21               // 4:2:0: a plane of luma, then one of pairs Cr Cb
	I420               // 4:2:0: planes of luma, Cb and Cr
)

var layouts = [...]struct {
	name                string
	yAt, yStep, cStep   int  // of packed layouts: the first luma sample; bytes between samples
	cb, cr              int  // of packed and paired chroma: the first sample within its row
	packed, crossShared bool // all in one plane; two rows share chroma
}{
	YUYV: {name: "YUYV", yStep: 2, cStep: 4, cb: 1, cr: 3, packed: true},
	UYVY: {name: "UYVY", yAt: 1, yStep: 2, cStep: 4, cr: 2, packed: true},
	NV12: {name: "NV12", yStep: 1, cStep: 2, cr: 1, crossShared: true},
	NV21: {name: "NV21", yStep: 1, cStep: 2, cb: 1, crossShared: true},
	I420: {name: "I420", yStep: 1, cStep: 1, crossShared: true},
}

func (l Layout) String() string {
	if int(l) < len(layouts) {
		return layouts[l].name
	}
	return fmt.Sprintf("Layout(%d)", uint8(l))
}

// maxSide bounds a frame, in pixels per side.
const maxSide = 16384

// RowBytes is the least distance between two rows of the first plane.
func (l Layout) RowBytes(width int) int {
	if int(l) < len(layouts) && layouts[l].packed {
		return 4 * ((width + 1) / 2)
	}
	return width
}

// Size is the number of bytes of a frame whose rows are stride bytes apart (0: no
// gaps between rows). The chroma rows of I420 are half as far apart.
func (l Layout) Size(width, height, stride int) int {
	if stride == 0 {
		stride = l.RowBytes(width)
	}
	switch {
	case int(l) < len(layouts) && layouts[l].packed:
		return stride * height
	case l == I420:
		return stride*height + 2*((stride+1)/2)*((height+1)/2)
	}
	return stride*height + (stride+1)/2*2*((height+1)/2)
}

// YUV is a frame of luma and chroma samples. The sample of luma at (x, y) is
// Y[y*YStride+x*YStep], that of Cb is
// Cb[(y>>ShiftY)*CStride+(x>>ShiftX)*CStep], and Cr goes like Cb.
type YUV struct {
	Y, Cb, Cr        []byte
	YStride, CStride int // bytes between rows
	YStep, CStep     int // bytes between samples of a row
	ShiftX, ShiftY   int // 1 where two pixels share chroma along that axis, otherwise 0
	Colour           Colour
	Rect             image.Rectangle // what is to be seen; never left of or above (0, 0)
}

// New describes the bytes of a frame, which it keeps. Rows are stride bytes apart,
// 0 where there are no gaps. Bytes beyond the end of the frame are left alone; too
// few are an error.
func New(layout Layout, colour Colour, pix []byte, width, height, stride int) (*YUV, error) {
	if int(layout) >= len(layouts) {
		return nil, fmt.Errorf("frame: %v is no layout", layout)
	}
	if colour >= colours {
		return nil, fmt.Errorf("frame: %v is no colour encoding", colour)
	}
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		return nil, fmt.Errorf("frame: %v of %dx%d pixels: each side must be 1 to %d", layout, width, height, maxSide)
	}
	least := layout.RowBytes(width)
	if stride == 0 {
		stride = least
	}
	if stride < least || stride > 8*maxSide {
		return nil, fmt.Errorf("frame: %v of %dx%d pixels: rows %d bytes apart: must be %d to %d", layout, width, height, stride, least, 8*maxSide)
	}
	if n := layout.Size(width, height, stride); len(pix) < n {
		return nil, fmt.Errorf("frame: %d bytes for %v of %dx%d pixels with rows %d bytes apart: must be %d (truncated frame?)",
			len(pix), layout, width, height, stride, n)
	}
	l := layouts[layout]
	f := &YUV{
		Y: pix[l.yAt:], YStride: stride, YStep: l.yStep, CStep: l.cStep, ShiftX: 1,
		Colour: colour, Rect: image.Rect(0, 0, width, height),
	}
	if l.crossShared {
		f.ShiftY = 1
	}
	chroma := pix
	if !l.packed {
		chroma = pix[stride*height:]
	}
	switch {
	case l.packed:
		f.CStride = stride
	case layout == I420:
		f.CStride = (stride + 1) / 2
		f.Cb, f.Cr = chroma, chroma[f.CStride*((height+1)/2):]
		return f, nil
	default:
		f.CStride = (stride + 1) / 2 * 2
	}
	f.Cb, f.Cr = chroma[l.cb:], chroma[l.cr:]
	return f, nil
}

// ColorModel implements image.Image.
func (f *YUV) ColorModel() color.Model { return color.RGBAModel }

// Bounds implements image.Image.
func (f *YUV) Bounds() image.Rectangle { return f.Rect }

// At implements image.Image.
func (f *YUV) At(x, y int) color.Color { return f.RGBAAt(x, y) }

// RGBA64At implements image.RGBA64Image.
func (f *YUV) RGBA64At(x, y int) color.RGBA64 {
	c := f.RGBAAt(x, y)
	return color.RGBA64{R: uint16(c.R) * 0x101, G: uint16(c.G) * 0x101, B: uint16(c.B) * 0x101, A: uint16(c.A) * 0x101}
}

// RGBAAt is the colour of a pixel, and transparent black outside the frame.
func (f *YUV) RGBAAt(x, y int) color.RGBA {
	if !image.Pt(x, y).In(f.Rect) {
		return color.RGBA{}
	}
	c := (y>>f.ShiftY)*f.CStride + (x>>f.ShiftX)*f.CStep
	r, g, b := f.Colour.Terms().RGB(f.Y[y*f.YStride+x*f.YStep], f.Cb[c], f.Cr[c])
	return color.RGBA{R: r, G: g, B: b, A: 255}
}

// SubImage is the part of the frame within r. It shares the bytes.
func (f *YUV) SubImage(r image.Rectangle) image.Image {
	part := *f
	part.Rect = f.Rect.Intersect(r)
	return &part
}

// Whole reports whether the planes hold every sample that Rect promises.
func (f *YUV) Whole() bool {
	if f.Rect.Empty() || f.Rect.Min.X < 0 || f.Rect.Min.Y < 0 || f.Rect.Max.X > maxSide || f.Rect.Max.Y > maxSide ||
		!small(f.YStride) || !small(f.CStride) || !small(f.YStep) || !small(f.CStep) ||
		uint(f.ShiftX) > 2 || uint(f.ShiftY) > 2 || f.Colour >= colours {
		return false
	}
	x, y := f.Rect.Max.X-1, f.Rect.Max.Y-1
	c := (y>>f.ShiftY)*f.CStride + (x>>f.ShiftX)*f.CStep
	return y*f.YStride+x*f.YStep < len(f.Y) && c < len(f.Cb) && c < len(f.Cr)
}

func small(step int) bool { return step >= 0 && step <= 8*maxSide }
