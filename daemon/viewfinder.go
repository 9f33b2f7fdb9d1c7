package daemon

import (
	"sync"
	"time"

	"github.com/fathom-edge/fathom/boards/camera"
)

// Viewfinder shows the frame that was classified last, together with its answer. It
// refers to the camera's frame as long as that is valid; only while somebody looks
// does it keep a copy for the time after, and encode that when asked. Safe for
// concurrent use.
type Viewfinder struct {
	now func() time.Time

	mu     sync.Mutex
	wanted time.Time // when somebody asked last
	frame  *camera.Frame
	answer FrameState
	view   *View // of answer; nil until it is needed
}

// View is a picture with its answer.
type View struct {
	Answer FrameState

	still still
	once  sync.Once
	jpeg  []byte
	err   error
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

// Put shows a frame, which must stay valid until Release, with what it was taken for.
func (v *Viewfinder) Put(frame camera.Frame, answer FrameState) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.frame, v.answer, v.view = &frame, answer, nil
}

// Release gives the frame back to the camera.
func (v *Viewfinder) Release() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.wanted.IsZero() || v.now().Sub(v.wanted) > viewKeep {
		v.view = nil
	} else {
		v.take()
	}
	v.frame = nil
}

// take needs the lock.
func (v *Viewfinder) take() {
	if v.view == nil && v.frame != nil {
		v.view = &View{Answer: v.answer, still: takeStill(*v.frame, viewWidth)}
	}
}

// View returns the frame classified last, or nil where there is none: ask again after the next one.
func (v *Viewfinder) View() *View {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.wanted = v.now()
	v.take()
	return v.view
}

// JPEG encodes the picture, once. The bytes must not be changed.
func (v *View) JPEG() ([]byte, error) {
	v.once.Do(func() { v.jpeg, v.err = v.still.encode(viewQuality) })
	return v.jpeg, v.err
}
