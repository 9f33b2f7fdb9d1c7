//go:build cgo && turbojpeg && linux && (amd64 || arm64)

package turbo

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// room is memory whose end is that of the page before one that nobody may touch: whoever reads beyond a JPEG there, crashes.
func room(t testing.TB, size int) []byte {
	page := os.Getpagesize()
	size = (size + page - 1) / page * page
	memory, err := unix.Mmap(-1, 0, size+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mprotect(memory[size:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return memory[:size:size]
}

// pixels are those of an image that Decode returned.
func pixels(t *testing.T, m image.Image) []byte {
	switch m := m.(type) {
	case *image.Gray:
		return m.Pix
	case *image.RGBA:
		return m.Pix
	}
	t.Fatalf("%T", m)
	return nil
}

// A picture or an error; nothing beyond the data is read; the size is that of the header, or a fraction that covers what is asked
// for; the same data shows the same, so no pixel is left as it happened to be.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("../testdata/*.jpg")
	if err != nil || len(files) == 0 {
		f.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, 16, 16)
		f.Add(data, 1, 1)
		f.Add(data[:len(data)*2/3], 1<<20, 1)
	}
	const most = 1 << 20
	end := room(f, most)
	f.Fuzz(func(t *testing.T, data []byte, width, height int) {
		size, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if len(data) > most || err == nil && size.Width*size.Height > 1<<20 {
			return // only slow
		}
		least := image.Pt(width, height)
		guarded := end[most-len(data):]
		copy(guarded, data)
		got, failed := Decode(guarded, least, nil)
		if (got == nil) == (failed == nil) {
			t.Fatalf("%v with error %v", got, failed)
		}
		var shown []byte
		if failed == nil { // the second time over something else
			shown = bytes.Clone(pixels(t, got))
			for i := range shown {
				pixels(t, got)[i] = byte(i * 41)
			}
		}
		again, failedAgain := Decode(data, least, got)
		if (failed == nil) != (failedAgain == nil) {
			t.Fatalf("%v, and then %v", failed, failedAgain)
		}
		if failed != nil {
			return
		}
		if !bytes.Equal(shown, pixels(t, again)) {
			t.Fatal("two pictures of the same data")
		}
		b := got.Bounds().Size()
		if b.X < 1 || b.Y < 1 || b.X > MaxSide || b.Y > MaxSide {
			t.Fatalf("a picture of %v", b)
		}
		if err == nil && (b.X > size.Width || b.Y > size.Height || b.X < min(width, size.Width) || b.Y < min(height, size.Height)) {
			t.Fatalf("%v of %v, at least %v", b, size, least)
		}
	})
}
