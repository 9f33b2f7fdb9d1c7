package v4l2

import (
	"math/bits"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// The wanted numbers are those of gcc with <linux/videodev2.h>, for x86-64 and i386;
// arm64 and arm lay these structures out alike.
func TestLayout(t *testing.T) {
	type numbers map[string]uintptr
	got := numbers{
		"capability": unsafe.Sizeof(capability{}), "capability.capabilities": unsafe.Offsetof(capability{}.capabilities),
		"capability.deviceCapabilities": unsafe.Offsetof(capability{}.deviceCapabilities),
		"formatDescription":             unsafe.Sizeof(formatDescription{}), "formatDescription.description": unsafe.Offsetof(formatDescription{}.description),
		"formatDescription.fourCC": unsafe.Offsetof(formatDescription{}.fourCC),
		"sizeRange":                unsafe.Sizeof(sizeRange{}), "sizeRange.kind": unsafe.Offsetof(sizeRange{}.kind), "sizeRange.minWidth": unsafe.Offsetof(sizeRange{}.minWidth),
		"intervalRange": unsafe.Sizeof(intervalRange{}), "intervalRange.kind": unsafe.Offsetof(intervalRange{}.kind), "intervalRange.least": unsafe.Offsetof(intervalRange{}.least),
		"format": unsafe.Sizeof(format{}), "format.union": unsafe.Offsetof(format{}.union),
		"pixel.bytesPerLine": unsafe.Offsetof(pixelFormat{}.bytesPerLine), "pixel.sizeImage": unsafe.Offsetof(pixelFormat{}.sizeImage),
		"pixel.colourSpace": unsafe.Offsetof(pixelFormat{}.colourSpace), "pixel.encoding": unsafe.Offsetof(pixelFormat{}.encoding),
		"pixel.quantization": unsafe.Offsetof(pixelFormat{}.quantization),
		"bufferRequest":      unsafe.Sizeof(bufferRequest{}), "bufferRequest.memory": unsafe.Offsetof(bufferRequest{}.memory),
		"buffer": unsafe.Sizeof(buffer{}), "buffer.bytesUsed": unsafe.Offsetof(buffer{}.bytesUsed), "buffer.flags": unsafe.Offsetof(buffer{}.flags),
		"buffer.seconds": unsafe.Offsetof(buffer{}.seconds), "buffer.sequence": unsafe.Offsetof(buffer{}.sequence), "buffer.memory": unsafe.Offsetof(buffer{}.memory),
		"buffer.offset": unsafe.Offsetof(buffer{}.offset), "buffer.length": unsafe.Offsetof(buffer{}.length),
		"streamParameters": unsafe.Sizeof(streamParameters{}), "streamParameters.capability": unsafe.Offsetof(streamParameters{}.capability),
		"streamParameters.timePerFrame": unsafe.Offsetof(streamParameters{}.timePerFrame),
		"VIDIOC_QUERYCAP":               uintptr(queryCapability), "VIDIOC_ENUM_FMT": uintptr(enumFormats), "VIDIOC_S_FMT": uintptr(setFormat),
		"VIDIOC_REQBUFS": uintptr(requestBuffers), "VIDIOC_QUERYBUF": uintptr(queryBuffer), "VIDIOC_QBUF": uintptr(queueBuffer), "VIDIOC_DQBUF": uintptr(dequeueBuffer),
		"VIDIOC_STREAMON": uintptr(streamOn), "VIDIOC_STREAMOFF": uintptr(streamOff), "VIDIOC_S_PARM": uintptr(setParameters),
		"VIDIOC_ENUM_FRAMESIZES": uintptr(enumSizes), "VIDIOC_ENUM_FRAMEINTERVALS": uintptr(enumIntervals),
	}
	want := numbers{
		"capability": 104, "capability.capabilities": 84, "capability.deviceCapabilities": 88,
		"formatDescription": 64, "formatDescription.description": 12, "formatDescription.fourCC": 44,
		"sizeRange": 44, "sizeRange.kind": 8, "sizeRange.minWidth": 12,
		"intervalRange": 52, "intervalRange.kind": 16, "intervalRange.least": 20,
		"format": 208, "format.union": 8,
		"pixel.bytesPerLine": 16, "pixel.sizeImage": 20, "pixel.colourSpace": 24, "pixel.encoding": 36, "pixel.quantization": 40,
		"bufferRequest": 20, "bufferRequest.memory": 8,
		"buffer": 88, "buffer.bytesUsed": 8, "buffer.flags": 12, "buffer.seconds": 24, "buffer.sequence": 56, "buffer.memory": 60, "buffer.offset": 64, "buffer.length": 72,
		"streamParameters": 204, "streamParameters.capability": 4, "streamParameters.timePerFrame": 12,
		"VIDIOC_QUERYCAP": 0x80685600, "VIDIOC_ENUM_FMT": 0xc0405602, "VIDIOC_S_FMT": 0xc0d05605, "VIDIOC_REQBUFS": 0xc0145608,
		"VIDIOC_QUERYBUF": 0xc0585609, "VIDIOC_QBUF": 0xc058560f, "VIDIOC_DQBUF": 0xc0585611,
		"VIDIOC_STREAMON": 0x40045612, "VIDIOC_STREAMOFF": 0x40045613, "VIDIOC_S_PARM": 0xc0cc5616,
		"VIDIOC_ENUM_FRAMESIZES": 0xc02c564a, "VIDIOC_ENUM_FRAMEINTERVALS": 0xc034564b,
	}
	if bits.UintSize == 32 {
		for name, n := range (numbers{
			"format": 204, "format.union": 4, "VIDIOC_S_FMT": 0xc0cc5605,
			"buffer": 68, "buffer.seconds": 20, "buffer.sequence": 44, "buffer.memory": 48, "buffer.offset": 52, "buffer.length": 56,
			"VIDIOC_QUERYBUF": 0xc0445609, "VIDIOC_QBUF": 0xc044560f, "VIDIOC_DQBUF": 0xc0445611,
		}) {
			want[name] = n
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("layout (-C +Go):\n%s", diff)
	}
}
