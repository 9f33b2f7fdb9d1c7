//go:build cgo && turbojpeg && linux && (amd64 || arm64)

package turbo

/*
#cgo amd64 CFLAGS: -I${SRCDIR}/../../../native/jpeg_linux_amd64/include
#cgo amd64 LDFLAGS: ${SRCDIR}/../../../native/jpeg_linux_amd64/lib/libturbojpeg.a
#cgo arm64 CFLAGS: -I${SRCDIR}/../../../native/jpeg_linux_arm64/include
#cgo arm64 LDFLAGS: ${SRCDIR}/../../../native/jpeg_linux_arm64/lib/libturbojpeg.a
#include <turbojpeg.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"image"
	"unsafe"
)

// Decode decodes a JPEG in grey, YCbCr or RGB, the smallest that is not smaller than least. It refuses all that the library has to
// say anything against; image/jpeg may still take that. It draws over a picture of the same type and size, unless over is nil. Any
// goroutine.
func Decode(data []byte, least image.Point, over image.Image) (image.Image, error) {
	if len(data) == 0 {
		return nil, errors.New("turbo: no data")
	}
	h := C.tjInitDecompress()
	if h == nil {
		return nil, errors.New("turbo: no memory")
	}
	defer C.tjDestroy(h)
	jpeg, size := (*C.uchar)(unsafe.SliceData(data)), C.ulong(len(data))
	var width, height, sampling, space C.int
	if C.tjDecompressHeader3(h, jpeg, size, &width, &height, &sampling, &space) != 0 {
		return nil, complaint(h)
	}
	shown := image.Pt(int(width), int(height))
	if shown.X < 1 || shown.Y < 1 || shown.X > MaxSide || shown.Y > MaxSide { // the library reads 0x0 where there are tables only
		return nil, fmt.Errorf("turbo: %dx%d pixels: want 1x1 to %dx%[3]d", shown.X, shown.Y, MaxSide)
	}
	switch sampling {
	case C.TJSAMP_444, C.TJSAMP_420, C.TJSAMP_GRAY:
		shown = reduced(shown, least)
	default: // The library would shrink colour, which is coarser in one direction only, as if it were as fine as brightness.
	}
	decode := func(pix []uint8, stride int, format C.int) error {
		if C.tjDecompress2(h, jpeg, size, (*C.uchar)(&pix[0]), C.int(shown.X), C.int(stride), C.int(shown.Y), format, C.TJFLAG_LIMITSCANS) != 0 {
			return complaint(h)
		}
		return nil
	}
	switch space {
	case C.TJCS_GRAY:
		m, ok := over.(*image.Gray)
		if !ok || m.Rect != (image.Rectangle{Max: shown}) {
			m = image.NewGray(image.Rectangle{Max: shown})
		}
		if err := decode(m.Pix, m.Stride, C.TJPF_GRAY); err != nil {
			return nil, err
		}
		return m, nil
	case C.TJCS_YCbCr, C.TJCS_RGB:
		m, ok := over.(*image.RGBA)
		if !ok || m.Rect != (image.Rectangle{Max: shown}) {
			m = image.NewRGBA(image.Rectangle{Max: shown})
		}
		if err := decode(m.Pix, m.Stride, C.TJPF_RGBA); err != nil {
			return nil, err
		}
		return m, nil
	}
	return nil, fmt.Errorf("turbo: colour space %d", space)
}

// complaint is an error or a warning of the library.
func complaint(h C.tjhandle) error { return errors.New("turbo: " + C.GoString(C.tjGetErrorStr2(h))) }

// reduced is the size to decode to.
func reduced(size, least image.Point) image.Point {
	for _, by := range []int{8, 4, 2} {
		if small := image.Pt((size.X+by-1)/by, (size.Y+by-1)/by); small.X >= least.X && small.Y >= least.Y {
			return small
		}
	}
	return size
}
