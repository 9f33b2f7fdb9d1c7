package daemon

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
	"time"
)

func TestViewfinder(t *testing.T) {
	c := &clock{now: time.Unix(0, 0)}
	v := NewViewfinder(c.Now)
	v.Put(image.NewGray(image.Rect(0, 0, 32, 24)))
	if _, ok := v.JPEG(); ok {
		t.Error("a frame was kept before anybody asked")
	}
	for _, test := range []struct {
		picture image.Image
		want    image.Point
	}{
		{image.NewGray(image.Rect(0, 0, 32, 24)), image.Pt(32, 24)},
		{image.NewYCbCr(image.Rect(10, 20, 42, 52), image.YCbCrSubsampleRatio420), image.Pt(32, 32)},
		{image.NewRGBA(image.Rect(0, 0, 1280, 720)), image.Pt(640, 360)},
		{image.NewNRGBA(image.Rect(0, 0, 5000, 1)), image.Pt(640, 1)},
	} {
		v.Put(test.picture)
		data, ok := v.JPEG()
		if !ok {
			t.Fatal("no frame")
		}
		got, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || got.Width != test.want.X || got.Height != test.want.Y {
			t.Errorf("%v: %d × %d, %v", test.picture.Bounds(), got.Width, got.Height, err)
		}
	}
	c.now = c.now.Add(2 * viewKeep)
	v.Put(image.NewGray(image.Rect(0, 0, 32, 24)))
	if _, ok := v.JPEG(); ok {
		t.Error("an old frame is shown after a pause")
	}
}
