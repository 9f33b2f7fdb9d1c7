//go:build emulated

package v4l2

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/runtime/frame"
)

// This test runs on a booted kernel with the driver vivid, whose node is in
// FATHOM_VIDEO: go test -tags emulated ./boards/camera/v4l2. Without it the test
// fails, as an emulator that forgot a device must not pass.
func TestVivid(t *testing.T) {
	path := os.Getenv("FATHOM_VIDEO")
	if path == "" {
		t.Fatal("FATHOM_VIDEO is not set")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for range 3 { // it can be opened again
		d, err := Open(path, Wish{Width: 224, Height: 224, FPS: 15})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %+v, rows of %d bytes, %v", d.Card, d.Mode, d.Stride, d.Colour)
		layout, raw := d.Mode.FourCC.Layout()
		if !raw {
			t.Fatalf("vivid has raw formats, but %v was chosen", d.Mode.FourCC)
		}
		var buf []byte
		colours := map[any]bool{}
		for range 10 {
			if buf, err = d.Next(ctx, buf); err != nil {
				t.Fatal(err)
			}
			img, err := frame.New(layout, d.Colour, buf, d.Mode.Width, d.Mode.Height, d.Stride)
			if err != nil {
				t.Fatal(err)
			}
			for y := 0; y < d.Mode.Height; y += 8 {
				for x := 0; x < d.Mode.Width; x += 8 {
					colours[img.At(x, y)] = true
				}
			}
		}
		if len(colours) < 4 {
			t.Errorf("%d colours in its test picture, which has bars: %v", len(colours), colours)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	found := Devices("/dev")
	for _, f := range found {
		if f.Path == path {
			return
		}
	}
	t.Errorf("found %v, without %s", found, path)
}
