package dataset

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation says how a camera was held (Exif 2.3, tag 0x0112): 1 to 8.
type orientation int

const upright orientation = 1

// exifOrientation finds the orientation in a JPEG file. What cannot be read is upright.
func exifOrientation(data []byte) orientation {
	const startOfScan, app1 = 0xda, 0xe1
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		marker, size := data[at+1], int(binary.BigEndian.Uint16(data[at+2:]))
		if marker == startOfScan || size < 2 || at+2+size > len(data) {
			break
		}
		if tiff, ok := bytes.CutPrefix(data[at+4:at+2+size], []byte("Exif\x00\x00")); ok && marker == app1 {
			return tiffOrientation(tiff)
		}
		at += 2 + size
	}
	return upright
}

// tiffOrientation reads the tag from the first directory of TIFF data.
func tiffOrientation(tiff []byte) orientation {
	const entryBytes, tagOrientation, typeShort = 12, 0x0112, 3
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(tiff[:2]) {
	case "II":
		order = binary.LittleEndian
	case "MM":
		order = binary.BigEndian
	default:
		return upright
	}
	offset := int64(order.Uint32(tiff[4:]))
	if offset+2 > int64(len(tiff)) {
		return upright
	}
	directory := tiff[offset:]
	entries := directory[2:]
	for range order.Uint16(directory) {
		if len(entries) < entryBytes {
			break
		}
		if order.Uint16(entries) == tagOrientation && order.Uint16(entries[2:]) == typeShort {
			if o := orientation(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
		}
		entries = entries[entryBytes:]
	}
	return upright
}

// turn writes src to dst the way up that the orientation asks for.
func (o orientation) turn(dst, src *image.RGBA) {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	swapped := o >= 5
	if swapped {
		setSize(dst, h, w)
	} else {
		setSize(dst, w, h)
	}
	mirrorX := o == 2 || o == 3 || o == 7 || o == 8 // of the source
	mirrorY := o == 3 || o == 4 || o == 6 || o == 7
	for y := range dst.Rect.Dy() {
		for x := range dst.Rect.Dx() {
			sx, sy := x, y
			if swapped {
				sx, sy = y, x
			}
			if mirrorX {
				sx = w - 1 - sx
			}
			if mirrorY {
				sy = h - 1 - sy
			}
			copy(dst.Pix[y*dst.Stride+4*x:][:4], src.Pix[sy*src.Stride+4*sx:])
		}
	}
}
