package daemon

import (
	"bytes"
	"image"
	"image/jpeg"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/daemon/snapshots"
)

// still is a frame that outlives its time with the camera: the camera's own JPEG
// or, where it gives none, a copy of the picture.
type still struct {
	jpeg    []byte
	picture image.Image
	width   int // greatest, pixels
}

// takeStill copies what is needed of a frame.
func takeStill(f camera.Frame, width int) still {
	if f.JPEG != nil {
		return still{jpeg: camera.CopyJPEG(f.JPEG), width: width}
	}
	return still{picture: snapshots.Copy(f.Image, width), width: width}
}

// encode makes a JPEG. The camera's own stays as it is unless it is too wide.
func (s still) encode(quality int) ([]byte, error) {
	if s.jpeg == nil {
		return snapshots.Encode(s.picture, quality)
	}
	size, err := jpeg.DecodeConfig(bytes.NewReader(s.jpeg))
	if err != nil || size.Width <= s.width {
		return s.jpeg, err
	}
	picture, err := camera.DecodeJPEG(s.jpeg, image.Pt(s.width, 1), nil)
	if err != nil {
		return nil, err
	}
	return snapshots.Encode(snapshots.Copy(picture, s.width), quality)
}
