package dataset

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func encodeJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// smooth is a picture that JPEG keeps well: left to right red, top to bottom green.
func smooth(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetRGBA(x, y, color.RGBA{byte(40 + 160*x/width), byte(40 + 160*y/height), 90, 255})
		}
	}
	return img
}

// webpFile is a lossless 3x2 picture of the pixels (0, 10, 20), (40, 50, 60), and so on, written by Pillow.
const webpFile = "5249464630000000574542505650384c240000002f024000002f20164cfe91e4af98c4a09c0265fe13db50d3b6011beafccba911fd8fe905"

func webpBytes() []byte {
	b, err := hex.DecodeString(webpFile)
	if err != nil {
		panic(err)
	}
	return b
}

// decodeTo decodes into a dst that held another picture before, as a loader's does.
func decodeTo(t testing.TB, data []byte) *image.RGBA {
	t.Helper()
	dst := noise(5, 7, 0, 256)
	if err := decodePicture(data, dst); err != nil {
		t.Fatal(err)
	}
	return dst
}

func TestDecodePNG(t *testing.T) {
	want := noise(9, 6, 0, 256)
	if diff := cmp.Diff(want, decodeTo(t, encodePNG(t, want))); diff != "" {
		t.Error(diff)
	}
	clear := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	clear.SetNRGBA(0, 0, color.NRGBA{200, 100, 50, 0})
	clear.SetNRGBA(1, 0, color.NRGBA{200, 100, 50, 51})
	if diff := cmp.Diff([]byte{0, 0, 0, 0, 40, 20, 10, 51}, decodeTo(t, encodePNG(t, clear)).Pix); diff != "" {
		t.Errorf("transparency is not seen on black: %s", diff)
	}
	palette := image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{color.RGBA{1, 2, 3, 255}})
	if diff := cmp.Diff([]byte{1, 2, 3, 255}, decodeTo(t, encodePNG(t, palette)).Pix); diff != "" {
		t.Errorf("palette: %s", diff)
	}
	deep := image.NewGray16(image.Rect(0, 0, 1, 1))
	deep.SetGray16(0, 0, color.Gray16{0xab12})
	if diff := cmp.Diff([]byte{0xab, 0xab, 0xab, 255}, decodeTo(t, encodePNG(t, deep)).Pix); diff != "" {
		t.Errorf("16 bits: %s", diff)
	}
}

func TestDecodeJPEG(t *testing.T) {
	for _, img := range []image.Image{smooth(40, 24), &image.Gray{Pix: slices.Repeat([]byte{100}, 60), Stride: 10, Rect: image.Rect(0, 0, 10, 6)}} {
		got := decodeTo(t, encodeJPEG(t, img))
		if got.Rect != img.Bounds() {
			t.Fatalf("%v, want %v", got.Rect, img.Bounds())
		}
		for y := range got.Rect.Dy() {
			for x := range got.Rect.Dx() {
				want := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
				have := got.RGBAAt(x, y)
				for _, d := range []int{int(want.R) - int(have.R), int(want.G) - int(have.G), int(want.B) - int(have.B)} {
					if math.Abs(float64(d)) > 10 {
						t.Fatalf("pixel (%d, %d) is %v, want %v", x, y, have, want)
					}
				}
			}
		}
	}
}

func TestDecodeWebP(t *testing.T) {
	want := []byte{0, 10, 20, 255, 40, 50, 60, 255, 80, 90, 100, 255, 120, 130, 140, 255, 160, 170, 180, 255, 200, 210, 220, 255}
	got := decodeTo(t, webpBytes())
	if diff := cmp.Diff(want, got.Pix); diff != "" || got.Rect != image.Rect(0, 0, 3, 2) {
		t.Errorf("%v: %s", got.Rect, diff)
	}
}

// pngHeader is a file that promises a picture of that size.
func pngHeader(width, height uint32) []byte {
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), width), height)
	header = append(header, 8, 2, 0, 0, 0)
	file := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), uint32(len(header)-4))
	return binary.BigEndian.AppendUint32(append(file, header...), crc32.ChecksumIEEE(header))
}

// jpegOfSize is a small file that promises a picture of that size.
func jpegOfSize(t testing.TB, width, height uint16) []byte {
	file := encodeJPEG(t, smooth(8, 8))
	frame := bytes.Index(file, []byte{0xff, 0xc0}) // length, precision, height, width
	binary.BigEndian.PutUint16(file[frame+5:], height)
	binary.BigEndian.PutUint16(file[frame+7:], width)
	return file
}

func TestDecodeRefuses(t *testing.T) {
	picture := encodeJPEG(t, noise(64, 64, 0, 256))
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "is neither JPEG, PNG nor WebP inside"},
		{"text", []byte("hello, this is no picture"), "is neither JPEG, PNG nor WebP inside"},
		{"GIF", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), "is neither JPEG, PNG nor WebP inside"},
		{"JPEG cut short", picture[:len(picture)/2], "JPEG: "},
		{"JPEG cut in its header", picture[:30], "damaged JPEG header: unexpected EOF"},
		{"PNG cut short", encodePNG(t, noise(64, 64, 0, 256))[:200], "PNG: "},
		{"WebP cut short", webpBytes()[:40], "WebP: "},
		{"PNG bomb", pngHeader(60000, 60000), "60000x60000 pixels: must be 1 to 16384 a side and 33554432 in all: make it smaller"},
		{"PNG of many pixels", pngHeader(8192, 4097), "8192x4097 pixels: must be 1 to 16384 a side and 33554432 in all: make it smaller"},
		{"JPEG bomb", jpegOfSize(t, 65535, 65535), "65535x65535 pixels: must be 1 to 16384 a side and 33554432 in all: make it smaller"},
		{"JPEG of no width", jpegOfSize(t, 0, 8), "0x8 pixels: must be 1 to 16384 a side and 33554432 in all: make it smaller"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := decodePicture(tt.data, new(image.RGBA))
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got:  %v\nwant: %s", err, tt.want)
			}
		})
	}
}

func FuzzDecodePicture(f *testing.F) {
	f.Add(encodeJPEG(f, smooth(20, 12)))
	f.Add(withExif(encodeJPEG(f, smooth(20, 12)), binary.BigEndian, 6))
	f.Add(encodePNG(f, smooth(20, 12)))
	f.Add(webpBytes())
	f.Add(pngHeader(60000, 60000))
	f.Add(jpegOfSize(f, 65535, 65535))
	f.Fuzz(func(t *testing.T, data []byte) {
		if format, err := header(bytes.NewReader(data)); err == nil {
			// Large pictures are slow, not different.
			if c, err := format.config(bytes.NewReader(data)); err == nil && c.Width*c.Height > 1<<20 {
				t.Skip()
			}
		}
		dst := new(image.RGBA)
		if err := decodePicture(data, dst); err != nil {
			return
		}
		w, h := dst.Rect.Dx(), dst.Rect.Dy()
		if dst.Rect.Min != (image.Point{}) || w < 1 || h < 1 || dst.Stride != 4*w || len(dst.Pix) != 4*w*h {
			t.Fatalf("%v, stride %d, %d bytes", dst.Rect, dst.Stride, len(dst.Pix))
		}
	})
}
