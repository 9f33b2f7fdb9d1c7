package daemon

import (
	"bytes"
	"image"
	"image/jpeg"
	"sync"
	"time"

	"golang.org/x/image/draw"
)

// Viewfinder keeps a copy of the frame classified last, for whoever looks.
// While nobody has asked for a few seconds it copies nothing. Safe for
// concurrent use.
type Viewfinder struct {
	now func() time.Time

	mu     sync.Mutex
	wanted time.Time // when somebody asked last
	frame  *image.RGBA
	taken  bool // frame holds a picture
	encode []byte
}

const (
	// viewWidth bounds the width of the pictures that are shown, in pixels.
	viewWidth = 640
	// viewQuality is the JPEG quality.
	viewQuality = 80
	// viewKeep is how long after a request frames are still copied.
	viewKeep = 5 * time.Second
)

// NewViewfinder returns an empty viewfinder; now is the clock.
func NewViewfinder(now func() time.Time) *Viewfinder { return &Viewfinder{now: now} }

// Put takes a copy of the picture if somebody looks.
func (v *Viewfinder) Put(picture image.Image) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.wanted.IsZero() || v.now().Sub(v.wanted) > viewKeep {
		v.taken, v.encode = false, nil
		return
	}
	b := picture.Bounds()
	w, h := b.Dx(), b.Dy()
	if w > viewWidth {
		w, h = viewWidth, max(h*viewWidth/w, 1)
	}
	if v.frame == nil || v.frame.Rect.Dx() != w || v.frame.Rect.Dy() != h {
		v.frame = image.NewRGBA(image.Rect(0, 0, w, h))
	}
	if w == b.Dx() {
		draw.Draw(v.frame, v.frame.Rect, picture, b.Min, draw.Src)
	} else {
		draw.ApproxBiLinear.Scale(v.frame, v.frame.Rect, picture, b, draw.Src, nil)
	}
	v.taken, v.encode = true, nil
}

// JPEG returns the last frame, or false where there is none yet: ask again after the next frame.
// The bytes must not be changed.
func (v *Viewfinder) JPEG() ([]byte, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.wanted = v.now()
	if !v.taken {
		return nil, false
	}
	if v.encode == nil {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, v.frame, &jpeg.Options{Quality: viewQuality}); err != nil {
			return nil, false
		}
		v.encode = b.Bytes()
	}
	return v.encode, true
}
