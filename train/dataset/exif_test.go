package dataset

import (
	"encoding/binary"
	"image"
	"slices"
	"testing"
)

// withExif puts an orientation behind the first marker of a JPEG file.
func withExif(file []byte, order binary.AppendByteOrder, o orientation) []byte {
	mark := "II"
	if order.String() == binary.BigEndian.String() {
		mark = "MM"
	}
	tiff := order.AppendUint16([]byte("Exif\x00\x00"+mark), 42)
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	tiff = append(order.AppendUint32(order.AppendUint16(order.AppendUint16(tiff, 0x0100), 4), 1), 1, 2, 3, 4) // a width
	tiff = order.AppendUint32(order.AppendUint16(order.AppendUint16(tiff, 0x0112), 3), 1)
	tiff = append(order.AppendUint16(tiff, uint16(o)), 0, 0, 0, 0, 0, 0)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(tiff)+2))
	return slices.Concat(file[:2], segment, tiff, file[2:])
}

func TestExifOrientation(t *testing.T) {
	file := encodeJPEG(t, smooth(16, 8))
	if got := exifOrientation(file); got != upright {
		t.Errorf("without Exif: %d", got)
	}
	for o := orientation(1); o <= 8; o++ {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			if got := exifOrientation(withExif(file, order, o)); got != o {
				t.Errorf("%v %d: %d", order, o, got)
			}
		}
	}
	for _, odd := range []orientation{0, 9, 65535} {
		if got := exifOrientation(withExif(file, binary.LittleEndian, odd)); got != upright {
			t.Errorf("orientation %d: %d", odd, got)
		}
	}
}

// Letters of a picture ABC over DEF, turned as Pillow's ImageOps.exif_transpose turns them.
func TestOrientationTurnsPictures(t *testing.T) {
	src := image.NewRGBA(image.Rect(0, 0, 3, 2))
	for i := range 6 {
		src.Pix[4*i] = byte('A' + i)
	}
	for o, want := range []string{1: "ABCDEF", 2: "CBAFED", 3: "FEDCBA", 4: "DEFABC", 5: "ADBECF", 6: "DAEBFC", 7: "FCEBDA", 8: "CFBEAD"} {
		if o == 0 {
			continue
		}
		var dst image.RGBA
		orientation(o).turn(&dst, src)
		got := ""
		for i := 0; i < len(dst.Pix); i += 4 {
			got += string(dst.Pix[i])
		}
		size := image.Pt(3, 2)
		if o >= 5 {
			size = image.Pt(2, 3)
		}
		if got != want || dst.Rect.Size() != size {
			t.Errorf("orientation %d: %s of %v, want %s of %v", o, got, dst.Rect.Size(), want, size)
		}
	}
}

func TestDecodeTurnsPicturesUpright(t *testing.T) {
	file := encodeJPEG(t, smooth(48, 32))
	want := new(image.RGBA)
	orientation(6).turn(want, decodeTo(t, file))
	got := decodeTo(t, withExif(file, binary.LittleEndian, 6))
	if got.Rect != want.Rect || !slices.Equal(got.Pix, want.Pix) {
		t.Errorf("%v, want %v", got.Rect, want.Rect)
	}
}

func FuzzExifOrientation(f *testing.F) {
	file := encodeJPEG(f, smooth(8, 8))
	f.Add(file)
	f.Add(withExif(file, binary.BigEndian, 8))
	f.Add(withExif(file, binary.LittleEndian, 3)[:40])
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := exifOrientation(data); o < 1 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
	})
}
