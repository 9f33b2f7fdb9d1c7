package frame

import (
	"fmt"
	"math"
)

// Colour says which colours the samples of a frame stand for.
type Colour uint8

const (
	BT601Full    Colour = iota // ITU-R BT.601, 0 to 255: JPEG, and cameras that say "full range"
	BT601Limited               // BT.601, luma 16 to 235, chroma 16 to 240: most cameras
	BT709Full                  // ITU-R BT.709, 0 to 255
	BT709Limited               // BT.709, luma 16 to 235, chroma 16 to 240: video in HD
	colours
)

func (c Colour) String() string {
	if c < colours {
		return [...]string{"BT.601 full range", "BT.601 limited range", "BT.709 full range", "BT.709 limited range"}[c]
	}
	return fmt.Sprintf("Colour(%d)", uint8(c))
}

// Terms are what each sample adds to red, green and blue, in units of 1/65536 of an
// 8-bit step. Red is Y + CrR, green Y + CbG + CrG, blue Y + CbB; [Clamp] makes
// bytes of them.
type Terms struct {
	Y, CrR, CbG, CrG, CbB [256]int32
}

var terms = [colours]Terms{
	BT601Full:    jpegTerms(),
	BT601Limited: newTerms(0.299, 0.114, 219, 224),
	BT709Full:    newTerms(0.2126, 0.0722, 255, 255),
	BT709Limited: newTerms(0.2126, 0.0722, 219, 224),
}

// Terms returns the table of a colour encoding, which must not be changed.
func (c Colour) Terms() *Terms { return &terms[c] }

// jpegTerms are those of color.YCbCrToRGB, to the last bit.
func jpegTerms() Terms {
	var t Terms
	for i := range t.Y {
		c := int32(i) - 128
		t.Y[i] = int32(i) * 0x10101
		t.CrR[i], t.CbG[i], t.CrG[i], t.CbB[i] = 91881*c, -22554*c, -46802*c, 116130*c
	}
	return t
}

// newTerms derives the tables from the weights kr and kb of red and blue in luma
// (BT.601-7 section 2.5.1, BT.709-6 section 3.2) and the number of steps of luma
// and chroma. Luma carries the half that makes Clamp round to the nearest.
func newTerms(kr, kb, lumaSteps, chromaSteps float64) Terms {
	const one = 1 << 16
	kg := 1 - kr - kb
	fixed := func(v float64) int32 { return int32(math.Round(v * one)) }
	black := 0.0
	if lumaSteps < 255 {
		black = 16
	}
	var t Terms
	for i := range t.Y {
		luma, chroma := (float64(i)-black)*255/lumaSteps, (float64(i)-128)*255/chromaSteps
		t.Y[i] = fixed(luma) + one/2
		t.CrR[i] = fixed(2 * (1 - kr) * chroma)
		t.CbB[i] = fixed(2 * (1 - kb) * chroma)
		t.CbG[i] = fixed(-2 * (1 - kb) * kb / kg * chroma)
		t.CrG[i] = fixed(-2 * (1 - kr) * kr / kg * chroma)
	}
	return t
}

// RGB converts one pixel.
func (t *Terms) RGB(y, cb, cr byte) (r, g, b byte) {
	luma := t.Y[y]
	return Clamp(luma + t.CrR[cr]), Clamp(luma + t.CbG[cb] + t.CrG[cr]), Clamp(luma + t.CbB[cb])
}

// clamps holds the byte for each whole number from -clampLow on.
var clamps = func() (table [1024]byte) {
	for i := range table {
		table[i] = byte(max(0, min(i-clampLow, 255)))
	}
	return table
}()

const clampLow = 384

// Clamp is the byte nearest to a sum of terms. Sums of Terms stay within its range.
func Clamp(sum int32) byte { return clamps[uint32(sum>>16+clampLow)%1024] }
