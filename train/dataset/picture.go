package dataset

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"os"

	"golang.org/x/image/webp"
)

// Bounds of a picture, checked in its header before memory is set aside for its pixels: 128 MiB at most, several times that
// while a progressive JPEG is decoded.
const (
	maxPictureFile   = 64 << 20 // bytes
	maxPictureSide   = 16384    // pixels; what preprocessing takes
	maxPicturePixels = 32 << 20
)

// format is a way to keep a picture.
type format struct {
	name   string
	is     func(start []byte) bool
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

const sniffed = 12 // bytes that tell the formats apart

func formats() []format {
	return []format{
		{"JPEG", func(b []byte) bool { return bytes.HasPrefix(b, []byte("\xff\xd8")) }, jpeg.DecodeConfig, jpeg.Decode},
		{"PNG", func(b []byte) bool { return bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")) }, png.DecodeConfig, png.Decode},
		{"WebP", func(b []byte) bool {
			return len(b) >= sniffed && string(b[:4]) == "RIFF" && string(b[8:sniffed]) == "WEBP"
		}, webp.DecodeConfig, webp.Decode},
	}
}

// header finds the format of a picture by its content and checks its size.
func header(r io.ReadSeeker) (format, error) {
	start := make([]byte, sniffed)
	n, err := io.ReadFull(r, start)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return format{}, err
	}
	for _, f := range formats() {
		if !f.is(start[:n]) {
			continue
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return format{}, err
		}
		c, err := f.config(r)
		if err != nil {
			return format{}, fmt.Errorf("damaged %s header: %w", f.name, err)
		}
		if c.Width < 1 || c.Height < 1 || c.Width > maxPictureSide || c.Height > maxPictureSide || c.Width > maxPicturePixels/c.Height {
			return format{}, fmt.Errorf("%dx%d pixels: must be 1 to %d a side and %d in all: make it smaller",
				c.Width, c.Height, maxPictureSide, maxPicturePixels)
		}
		return f, nil
	}
	return format{}, fmt.Errorf("is neither JPEG, PNG nor WebP inside")
}

// checkHeader reports a file that readPicture would refuse for its first bytes.
func checkHeader(path string) error {
	f, err := openPicture(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := header(f); err != nil {
		return fmt.Errorf("dataset: %s: %w", path, err)
	}
	return nil
}

func openPicture(path string) (*os.File, error) {
	// A pipe would block in being opened.
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxPictureFile {
		return nil, fmt.Errorf("dataset: %s: is no file of at most %d MiB", path, maxPictureFile>>20)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	return f, nil
}

// readPicture reads a file into dst. Errors name it.
func readPicture(path string, dst *image.RGBA) error {
	f, err := openPicture(path)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPictureFile))
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	if err := decodePicture(data, dst); err != nil {
		return fmt.Errorf("dataset: %s: %w (damaged? Replace or remove it)", path, err)
	}
	return nil
}

// decodePicture brings a JPEG, PNG or WebP file to dst, upright, seen on black.
func decodePicture(data []byte, dst *image.RGBA) error {
	f, err := header(bytes.NewReader(data))
	if err != nil {
		return err
	}
	img, err := f.decode(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	b := img.Bounds()
	o := upright
	if f.name == "JPEG" {
		o = exifOrientation(data)
	}
	if o == upright {
		setSize(dst, b.Dx(), b.Dy())
		draw.Draw(dst, dst.Rect, img, b.Min, draw.Src)
		return nil
	}
	lying := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(lying, lying.Rect, img, b.Min, draw.Src)
	o.turn(dst, lying)
	return nil
}
