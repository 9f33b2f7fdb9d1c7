package daemon

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/daemon/snapshots"
)

// encoded is a JPEG of so many pixels.
func encoded(t *testing.T, width, height int) []byte {
	t.Helper()
	b, err := snapshots.Encode(image.NewGray(image.Rect(0, 0, width, height)), 90)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestViewfinder(t *testing.T) {
	c := &clock{now: time.Unix(0, 0)}
	v := NewViewfinder(c.Now)
	if v.View() != nil {
		t.Error("a view of nothing")
	}
	for id, test := range map[string]struct {
		frame camera.Frame
		want  image.Point
		asIs  bool
	}{
		"gray":   {camera.Frame{Image: image.NewGray(image.Rect(0, 0, 32, 24))}, image.Pt(32, 24), false},
		"ycbcr":  {camera.Frame{Image: image.NewYCbCr(image.Rect(10, 20, 42, 52), image.YCbCrSubsampleRatio420)}, image.Pt(32, 32), false},
		"large":  {camera.Frame{Image: image.NewRGBA(image.Rect(0, 0, 1280, 720))}, image.Pt(640, 360), false},
		"flat":   {camera.Frame{Image: image.NewNRGBA(image.Rect(0, 0, 5000, 1))}, image.Pt(640, 1), false},
		"camera": {camera.Frame{Image: image.NewGray(image.Rect(0, 0, 80, 60)), JPEG: encoded(t, 640, 480)}, image.Pt(640, 480), true},
		"wide":   {camera.Frame{Image: image.NewGray(image.Rect(0, 0, 80, 60)), JPEG: encoded(t, 1600, 1200)}, image.Pt(640, 480), false},
	} {
		given := bytes.Clone(test.frame.JPEG)
		v.Put(test.frame, FrameState{ID: id})
		view := v.View()
		v.Release()
		clear(test.frame.JPEG) // the camera has its buffer back
		if view == nil || view.Answer.ID != id || v.View() != view {
			t.Fatalf("%s: %+v", id, view)
		}
		data, err := view.JPEG()
		if err != nil {
			t.Fatal(err)
		}
		got, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || got.Width != test.want.X || got.Height != test.want.Y {
			t.Errorf("%s: %d × %d, %v", id, got.Width, got.Height, err)
		}
		if test.asIs != bytes.Equal(data, given) {
			t.Errorf("%s: the camera's own JPEG: %t, want %t", id, !test.asIs, test.asIs)
		}
	}
}

// Only while somebody looks does a frame outlive its time with the camera.
func TestViewfinderCopiesOnlyForSomebody(t *testing.T) {
	c := &clock{now: time.Unix(0, 0)}
	v := NewViewfinder(c.Now)
	frame := camera.Frame{Image: image.NewGray(image.Rect(0, 0, 32, 24))}
	shown := func(put bool, after time.Duration) bool {
		if put {
			v.Put(frame, FrameState{})
		}
		c.now = c.now.Add(after)
		v.Release()
		return v.view != nil
	}
	got := []bool{shown(true, 0)} // nobody has ever looked
	v.Put(frame, FrameState{})
	if v.View() == nil {
		t.Error("no view of a frame that is there")
	}
	got = append(got, shown(false, 0), shown(true, viewKeep), shown(true, viewKeep))
	if diff := cmp.Diff([]bool{false, true, true, false}, got); diff != "" {
		t.Error(diff)
	}
	if v.View() != nil {
		t.Error("a frame of long ago is shown")
	}
}
