package camera

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// maxPictureFile bounds the size of one file, in bytes.
const maxPictureFile = 64 << 20

// Folder shows the PNG and JPEG files below a folder in the order of their
// paths. Names that begin with a dot are left out.
type Folder struct {
	dir    string
	period time.Duration
	loop   bool
	labels map[string]bool

	// What follows belongs to the goroutine that calls Next.
	files    []string
	index    int       // of the next file
	due      time.Time // when the next file is to be shown; zero before the first
	sequence uint64
	broken   int // files in a row that could not be read

	closed    chan struct{}
	closeOnce sync.Once
}

var _ Source = (*Folder)(nil)

// NewFolder shows a picture every period, as a camera would: a slow reader misses
// pictures. A period of zero shows each picture as soon as it is asked for, and
// none is missed. loop begins anew after the last picture, with a fresh listing;
// otherwise the source ends there. The truth of a picture is the name of the
// folder that holds it, if that is one of the labels.
func NewFolder(dir string, period time.Duration, loop bool, labels ...string) (*Folder, error) {
	if period < 0 {
		return nil, fmt.Errorf("camera: folder %s: period %s is negative", dir, period)
	}
	f := &Folder{dir: dir, period: period, loop: loop, labels: make(map[string]bool), closed: make(chan struct{})}
	for _, label := range labels {
		f.labels[label] = true
	}
	if err := f.list(); err != nil {
		return nil, err
	}
	return f, nil
}

// list finds the pictures.
func (f *Folder) list() error {
	f.files, f.index = nil, 0
	err := filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != f.dir && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir() && isPicture(path):
			f.files = append(f.files, path)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("camera: folder: %w", err)
	}
	if len(f.files) == 0 {
		return fmt.Errorf("camera: folder %s: holds no PNG or JPEG file", f.dir)
	}
	return nil
}

func isPicture(path string) bool {
	_, ok := formatOf(path)
	return ok
}

func formatOf(path string) (format, bool) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".png":
		return pngFormat, true
	case ".jpg", ".jpeg":
		return jpegFormat, true
	}
	return format{}, false
}

// Name implements Source.
func (f *Folder) Name() string { return "folder " + f.dir }

// Next implements Source. A file that cannot be read is a temporary error; a
// folder of which no file can be read is a final one.
func (f *Folder) Next(ctx context.Context) (Frame, error) {
	if err := f.wait(ctx); err != nil {
		return Frame{}, err
	}
	if f.broken >= len(f.files) {
		return Frame{}, fmt.Errorf("camera: folder %s: none of its %d pictures can be read", f.dir, len(f.files))
	}
	if f.index >= len(f.files) {
		if !f.loop {
			return Frame{}, io.EOF
		}
		missed := f.index % len(f.files)
		if err := f.list(); err != nil {
			return Frame{}, err
		}
		f.index = missed % len(f.files)
	}
	path := f.files[f.index]
	f.index++
	f.sequence++
	img, encoded, err := readPicture(path)
	if err != nil {
		f.broken++
		return Frame{}, temporaryf("camera: folder: %w (skipped)", err)
	}
	f.broken = 0
	frame := Frame{Image: img, JPEG: encoded, Sequence: f.sequence, Captured: time.Now()}
	if parent := filepath.Base(filepath.Dir(path)); f.labels[parent] {
		frame.Truth = parent
	}
	return frame, nil
}

// wait returns when the next picture is due, and passes over those whose time
// is over.
func (f *Folder) wait(ctx context.Context) error {
	select {
	case <-f.closed:
		return io.EOF
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.period == 0 {
		return nil
	}
	now := time.Now()
	if f.due.IsZero() {
		f.due = now
	}
	if late := now.Sub(f.due); late >= f.period {
		missed := int64(late / f.period)
		f.index += int(missed)
		f.sequence += uint64(missed)
		f.due = f.due.Add(time.Duration(missed) * f.period)
	}
	timer := time.NewTimer(f.due.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		f.due = f.due.Add(f.period)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-f.closed:
		return io.EOF
	}
}

// readPicture also returns the content of a JPEG file. Its errors name the file.
func readPicture(path string) (img image.Image, encoded []byte, err error) {
	// A pipe would block in being opened.
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPictureFile {
		return nil, nil, fmt.Errorf("%s: not a regular file of at most %d MiB", path, maxPictureFile>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	format, ok := formatOf(path)
	if !ok {
		return nil, nil, fmt.Errorf("%s: neither PNG nor JPEG", path)
	}
	img, err = format.picture(data, whole, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if bytes.HasPrefix(data, startOfJPEG) {
		encoded = data
	}
	return img, encoded, nil
}

// Close implements Source.
func (f *Folder) Close() error {
	f.closeOnce.Do(func() { close(f.closed) })
	return nil
}
