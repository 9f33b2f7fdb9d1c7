package preprocess

import (
	"fmt"
	"image"

	"github.com/fathom-edge/fathom/runtime/frame"
)

// yuv are the samples of a frame of luma and chroma, from its top left pixel on.
type yuv struct {
	y, cb, cr        []byte
	yStride, cStride int
	yStep, cStep     int
	shiftX, shiftY   int // of shared chroma: log2 of how many pixels share one
	phaseX, phaseY   int // where the top left pixel lies among those that share its chroma
	terms            *frame.Terms
}

func newYCbCr(m *image.YCbCr) (source, error) {
	s := source{kind: kindYUV, bounds: m.Rect}
	if !sized(m.Rect) {
		return s, nil
	}
	if m.Rect.Min.X < 0 || m.Rect.Min.Y < 0 {
		return source{}, fmt.Errorf("preprocess: %T with its origin at %v: draw it onto an *image.RGBA first", m, m.Rect.Min)
	}
	last := image.Pt(m.Rect.Max.X-1, m.Rect.Max.Y-1)
	c := m.COffset(last.X, last.Y)
	if m.YStride < m.Rect.Dx() || m.YOffset(last.X, last.Y) >= len(m.Y) || c < 0 || c >= len(m.Cb) || c >= len(m.Cr) {
		return source{}, errShort(m, m.Rect)
	}
	shiftX, shiftY := shifts(m.SubsampleRatio)
	s.yuv = yuv{
		y: m.Y, cb: m.Cb, cr: m.Cr, yStride: m.YStride, cStride: m.CStride, yStep: 1, cStep: 1,
		shiftX: shiftX, shiftY: shiftY, phaseX: m.Rect.Min.X & (1<<shiftX - 1), phaseY: m.Rect.Min.Y & (1<<shiftY - 1),
		terms: frame.BT601Full.Terms(),
	}
	return s, nil
}

func newYUV(m *frame.YUV) (source, error) {
	s := source{kind: kindYUV, bounds: m.Rect}
	if !sized(m.Rect) {
		return s, nil
	}
	if !m.Whole() {
		return source{}, errShort(m, m.Rect)
	}
	at := m.Rect.Min
	c := (at.Y>>m.ShiftY)*m.CStride + (at.X>>m.ShiftX)*m.CStep
	s.yuv = yuv{
		y: m.Y[at.Y*m.YStride+at.X*m.YStep:], cb: m.Cb[c:], cr: m.Cr[c:],
		yStride: m.YStride, cStride: m.CStride, yStep: m.YStep, cStep: m.CStep,
		shiftX: m.ShiftX, shiftY: m.ShiftY, phaseX: at.X & (1<<m.ShiftX - 1), phaseY: at.Y & (1<<m.ShiftY - 1),
		terms: m.Colour.Terms(),
	}
	return s, nil
}

// shifts are the binary logarithms of how many pixels share chroma along x and y.
func shifts(ratio image.YCbCrSubsampleRatio) (x, y int) {
	switch ratio {
	case image.YCbCrSubsampleRatio422:
		return 1, 0
	case image.YCbCrSubsampleRatio420:
		return 1, 1
	case image.YCbCrSubsampleRatio440:
		return 0, 1
	case image.YCbCrSubsampleRatio411:
		return 2, 0
	case image.YCbCrSubsampleRatio410:
		return 2, 1
	}
	return 0, 0
}

// row writes the pixels of row y from x on.
func (s *yuv) row(dst []uint64, x, y int) {
	luma := s.y[y*s.yStride+x*s.yStep:]
	x += s.phaseX
	c := (y+s.phaseY)>>s.shiftY*s.cStride + x>>s.shiftX*s.cStep
	cb, cr := s.cb[c:], s.cr[c:]
	if s.shiftX != 1 {
		s.any(dst, luma, cb, cr, x)
		return
	}
	if x&1 == 1 {
		s.any(dst[:1], luma, cb, cr, x)
		if dst = dst[1:]; len(dst) == 0 {
			return
		}
		luma, cb, cr = luma[s.yStep:], cb[s.cStep:], cr[s.cStep:]
	}
	even := len(dst) &^ 1
	switch {
	case s.yStep == 1 && s.cStep == 1:
		pairs(dst[:even], luma, cb, cr, 1, 1, s.terms)
	case s.yStep == 1 && s.cStep == 2:
		pairs(dst[:even], luma, cb, cr, 1, 2, s.terms)
	default:
		pairs(dst[:even], luma, cb, cr, s.yStep, s.cStep, s.terms)
	}
	if even < len(dst) {
		n := even / 2 * s.cStep
		s.any(dst[even:], luma[even*s.yStep:], cb[n:], cr[n:], 0)
	}
}

// pairs converts pixels of which each two share chroma.
func pairs(dst []uint64, luma, cb, cr []byte, yStep, cStep int, t *frame.Terms) {
	l, c := 0, 0
	for i := 0; i+1 < len(dst); i += 2 {
		u, v := cb[c], cr[c]
		r, g, b := t.CrR[v], t.CbG[u]+t.CrG[v], t.CbB[u]
		y0, y1 := t.Y[luma[l]], t.Y[luma[l+yStep]]
		d := dst[i : i+2 : i+2]
		d[0] = pixel(frame.Clamp(y0+r), frame.Clamp(y0+g), frame.Clamp(y0+b))
		d[1] = pixel(frame.Clamp(y1+r), frame.Clamp(y1+g), frame.Clamp(y1+b))
		l += 2 * yStep
		c += cStep
	}
}

// any converts pixels that share chroma in any way, from column x on.
func (s *yuv) any(dst []uint64, luma, cb, cr []byte, x int) {
	last := 1<<s.shiftX - 1
	c := 0
	for i := range dst {
		dst[i] = pixel(s.terms.RGB(luma[i*s.yStep], cb[c], cr[c]))
		if (x+i)&last == last {
			c += s.cStep
		}
	}
}
