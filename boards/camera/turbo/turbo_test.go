//go:build cgo && turbojpeg && linux && (amd64 || arm64)

package turbo

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
)

// A picture of the same type and size gives its memory, any other does not.
func TestDecodeOver(t *testing.T) {
	var data bytes.Buffer
	if err := jpeg.Encode(&data, image.NewNRGBA(image.Rect(0, 0, 32, 16)), nil); err != nil {
		t.Fatal(err)
	}
	rgba := image.NewRGBA(image.Rect(0, 0, 32, 16))
	for _, tt := range []struct {
		over image.Image
		same bool
	}{
		{nil, false}, {rgba, true}, {image.NewRGBA(image.Rect(0, 0, 64, 16)), false}, {image.NewGray(rgba.Rect), false},
		{rgba.SubImage(image.Rect(1, 0, 32, 16)), false}, {image.NewRGBA(image.Rect(0, 0, 40, 16)).SubImage(rgba.Rect), true},
	} {
		got, err := Decode(data.Bytes(), image.Pt(32, 16), tt.over)
		if err != nil {
			t.Fatal(err)
		}
		if got.Bounds() != rgba.Rect || (got == tt.over) != tt.same {
			t.Errorf("over %T of %v: %v, the same: %v", tt.over, tt.over, got.Bounds(), got == tt.over)
		}
		if c := got.(*image.RGBA).RGBAAt(31, 15); c.R != 0 || c.A != 255 {
			t.Errorf("the last pixel is %v", c)
		}
	}
}
