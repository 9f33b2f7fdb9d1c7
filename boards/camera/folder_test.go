package camera

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// grayJPEG is a real JPEG of one shade.
func grayJPEG(t testing.TB, width, height int, shade uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = shade
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shadeOf returns the shade of a picture's middle.
func shadeOf(img image.Image) uint8 {
	b := img.Bounds()
	return color.GrayModel.Convert(img.At((b.Min.X+b.Max.X)/2, (b.Min.Y+b.Max.Y)/2)).(color.Gray).Y
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func folderOf(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFolder(t *testing.T) {
	dir := folderOf(t, map[string][]byte{
		"A/2.jpg":      grayJPEG(t, 8, 8, 20),
		"A/1.JPEG":     grayJPEG(t, 8, 8, 10),
		"B/x/3.png":    encodePNG(t, image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.Gray{30}})),
		"B/4.png":      encodePNG(t, image.NewGray16(image.Rect(0, 0, 4, 4))),
		"B/broken.png": []byte("no picture"),
		"B/huge.jpg":   grayJPEG(t, 4097, 1, 0),
		"B/.5.png":     []byte("hidden"),
		".git/6.png":   []byte("hidden"),
		"notes.txt":    []byte("no picture"),
	})
	type shown struct {
		Sequence uint64
		Shade    uint8
		Truth    string
	}
	f, err := NewFolder(dir, 0, false, "A", "B")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []shown
	var skipped []string
	for {
		frame, err := f.Next(context.Background())
		if err == io.EOF {
			break
		}
		if errors.Is(err, ErrTemporary) {
			skipped = append(skipped, err.Error())
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		switch frame.Image.(type) {
		case *image.RGBA, *image.NRGBA, *image.Gray, *image.YCbCr:
		default:
			t.Errorf("picture %d is a %T", frame.Sequence, frame.Image)
		}
		got = append(got, shown{frame.Sequence, shadeOf(frame.Image), frame.Truth})
	}
	want := []shown{{1, 10, "A"}, {2, 20, "A"}, {3, 0, "B"}, {6, 30, ""}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pictures (-want +got):\n%s", diff)
	}
	if len(skipped) != 2 || !strings.Contains(skipped[0], "broken.png: png: invalid format") ||
		!strings.Contains(skipped[1], "huge.jpg: a picture of 4097x1 pixels is larger than 4096x4096") {
		t.Errorf("skipped: %q", skipped)
	}
}

func TestFolderFinalErrors(t *testing.T) {
	if f, err := NewFolder(filepath.Join(t.TempDir(), "none"), 0, true); f != nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: %v, %v", f, err)
	}
	empty := folderOf(t, map[string][]byte{"a.txt": nil})
	if f, err := NewFolder(empty, 0, true); f != nil || err == nil || !strings.Contains(err.Error(), "holds no PNG or JPEG file") {
		t.Errorf("empty folder: %v, %v", f, err)
	}
	if f, err := NewFolder(empty, -1, true); f != nil || err == nil || !strings.Contains(err.Error(), "negative") {
		t.Errorf("negative period: %v, %v", f, err)
	}
	f, err := NewFolder(folderOf(t, map[string][]byte{"a.png": nil, "b.jpg": nil}), 0, true)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := f.Next(context.Background()); !errors.Is(err, ErrTemporary) {
			t.Fatalf("broken file: %v", err)
		}
	}
	if _, err := f.Next(context.Background()); err == nil || errors.Is(err, ErrTemporary) || !strings.Contains(err.Error(), "none of its 2 pictures") {
		t.Errorf("all files broken: %v", err)
	}
}

// TestFolderPeriod: a slow reader misses pictures, and a loop begins anew.
func TestFolderPeriod(t *testing.T) {
	files := map[string][]byte{}
	for i := range 5 {
		files[string(rune('a'+i))+".jpg"] = grayJPEG(t, 8, 8, uint8(i*10))
	}
	dir := folderOf(t, files)
	synctest.Test(t, func(t *testing.T) {
		f, err := NewFolder(dir, time.Second, true)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		next := func(sequence uint64, shade uint8, at time.Duration) {
			t.Helper()
			frame, err := f.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if frame.Sequence != sequence || shadeOf(frame.Image) != shade || frame.Captured.Sub(start) != at {
				t.Errorf("picture %d, shade %d, at %s; want %d, %d, %s",
					frame.Sequence, shadeOf(frame.Image), frame.Captured.Sub(start), sequence, shade, at)
			}
		}
		next(1, 0, 0)
		next(2, 10, time.Second)
		time.Sleep(2500 * time.Millisecond) // 3 and then 4 are due meanwhile
		next(4, 30, 3500*time.Millisecond)
		next(5, 40, 4*time.Second)
		next(6, 0, 5*time.Second)
		time.Sleep(7 * time.Second) // a whole round and more
		next(13, 20, 12*time.Second)

		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if _, err := f.Next(ctx); err != context.DeadlineExceeded {
			t.Errorf("Next with an expired context: %v", err)
		}
		go func() {
			time.Sleep(100 * time.Millisecond)
			f.Close()
		}()
		if _, err := f.Next(context.Background()); err != io.EOF {
			t.Errorf("Next while Close is called: %v", err)
		}
		if _, err := f.Next(context.Background()); err != io.EOF {
			t.Errorf("Next after Close: %v", err)
		}
	})
}
