package dataset

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// scene is a picture as busy as a photograph: waves of several lengths, and a little noise.
func scene(width, height int) *image.RGBA {
	img := noise(width, height, 0, 24)
	for y := range height {
		for x := range width {
			p := img.RGBAAt(x, y)
			u, v := float64(x)/float64(width), float64(y)/float64(height)
			wave := func(fu, fv float64) uint8 { return uint8(100 + 80*math.Sin(40*(fu*u+fv*v))*math.Cos(9*(fv*u-fu*v))) }
			img.SetRGBA(x, y, color.RGBA{p.R + wave(1, 2), p.G + wave(3, 1), p.B + wave(2, 5), 255})
		}
	}
	return img
}

// BenchmarkWorker is one worker that reads JPEG files, decodes them and makes training tensors with every augmentation but mixup.
// Images per second of processor time hold on a busy machine too.
func BenchmarkWorker(b *testing.B) {
	for _, size := range []struct{ width, height, input int }{
		{32, 32, 32}, {500, 375, 32}, {500, 375, 224}, {4000, 3000, 224},
	} {
		b.Run(fmt.Sprintf("%dx%d-to-%d", size.width, size.height, size.input), func(b *testing.B) {
			dir := b.TempDir()
			picture := encodeJPEG(b, scene(size.width, size.height))
			for _, split := range folderSplits {
				for _, class := range []string{"a", "b"} {
					for i := range 4 {
						write(b, filepath.Join(dir, split, class, fmt.Sprintf("%d.jpg", i)), picture)
					}
				}
			}
			d, err := Open(Config{Kind: KindFolder, Path: dir, Size: size.input})
			if err != nil {
				b.Fatal(err)
			}
			p := plan{split: Train, vary: true}
			l := newLoader(b, d, Options{Batch: 1, Augment: everything()})
			w, err := l.newWorker(p)
			if err != nil {
				b.Fatal(err)
			}
			slot := l.newSlot()
			before := processorTime(b)
			for i := 0; b.Loop(); i++ {
				if err := w.load(task{slot: slot, ordinal: i, index: i % d.Len(Train)}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/(processorTime(b)-before).Seconds(), "images/cpu-s")
			b.ReportMetric(float64(len(picture)), "bytes/file")
		})
	}
}

// processorTime is what the process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
