package v4l2

import "unsafe"

// The structures of <linux/videodev2.h> that are used, with C's layout at 32 and 64
// bits: uintptr stands where C has a pointer or a long, which also aligns unions
// that hold one.

type capability struct {
	driver             [16]byte
	card, busInfo      [32]byte
	version            uint32
	capabilities       uint32 // of the physical device
	deviceCapabilities uint32 // of this node
	_                  [3]uint32
}

type formatDescription struct {
	index, kind, flags uint32
	description        [32]byte
	fourCC             FourCC
	_                  [4]uint32
}

// sizeRange is discrete (only the minima count), stepwise or continuous.
type sizeRange struct {
	index     uint32
	fourCC    FourCC
	kind      uint32
	minWidth  uint32 // or the width
	maxWidth  uint32 // or the height
	stepWidth uint32
	minHeight uint32
	maxHeight uint32
	step      uint32
	_         [2]uint32
}

type fraction struct{ numerator, denominator uint32 }

type intervalRange struct {
	index         uint32
	fourCC        FourCC
	width, height uint32
	kind          uint32
	least         fraction // or the interval
	most, step    fraction
	_             [2]uint32
}

type pixelFormat struct {
	width, height uint32
	fourCC        FourCC
	field         uint32
	bytesPerLine  uint32
	sizeImage     uint32
	colourSpace   uint32
	_             uint32 // private data
	flags         uint32
	encoding      uint32
	quantization  uint32
	_             uint32 // transfer function
}

type format struct {
	kind uint32
	union
}

// union has the size and, by its pointers, the alignment of that in v4l2_format.
type union struct {
	_     [0]uintptr
	pixel pixelFormat
	_     [200 - unsafe.Sizeof(pixelFormat{})]byte
}

type streamParameters struct {
	kind         uint32
	capability   uint32
	mode         uint32
	timePerFrame fraction
	_            [204 - 20]byte
}

type bufferRequest struct {
	count, kind, memory, capabilities uint32
	_                                 uint32
}

type buffer struct {
	index, kind, bytesUsed, flags, field uint32
	seconds, microseconds                uintptr
	_                                    [16]byte // timecode
	sequence, memory                     uint32
	offset                               uintptr // the union m
	length                               uint32
	_                                    [2]uint32
}

// Values of the kernel's interface.
const (
	kindCapture = 1 // V4L2_BUF_TYPE_VIDEO_CAPTURE
	memoryMap   = 1 // V4L2_MEMORY_MMAP

	canCapture       = 0x1
	canCapturePlanes = 0x1000
	canStream        = 0x04000000
	hasNodeCaps      = 0x80000000 // V4L2_CAP_DEVICE_CAPS
	canSetInterval   = 0x1000     // V4L2_CAP_TIMEPERFRAME

	bufferError = 0x40 // V4L2_BUF_FLAG_ERROR
	emulated    = 0x2  // V4L2_FMT_FLAG_EMULATED

	discrete = 1 // V4L2_FRMSIZE_TYPE_DISCRETE, V4L2_FRMIVAL_TYPE_DISCRETE

	fieldNone = 1 // progressive

	spaceREC709 = 3
	spaceJPEG   = 7

	encodingDefault = 0
	encoding709     = 2

	quantizationFull    = 1
	quantizationLimited = 2
)

// request is an ioctl number: _IOR, _IOW or _IOWR of 'V', as on every architecture but
// alpha, mips, powerpc and sparc.
type request uint

const (
	write = 1
	read  = 2
)

func number(direction, n, size uintptr) request {
	return request(direction<<30 | size<<16 | 'V'<<8 | n)
}

var (
	queryCapability = number(read, 0, unsafe.Sizeof(capability{}))
	enumFormats     = number(read|write, 2, unsafe.Sizeof(formatDescription{}))
	setFormat       = number(read|write, 5, unsafe.Sizeof(format{}))
	requestBuffers  = number(read|write, 8, unsafe.Sizeof(bufferRequest{}))
	queryBuffer     = number(read|write, 9, unsafe.Sizeof(buffer{}))
	queueBuffer     = number(read|write, 15, unsafe.Sizeof(buffer{}))
	dequeueBuffer   = number(read|write, 17, unsafe.Sizeof(buffer{}))
	streamOn        = number(write, 18, 4)
	streamOff       = number(write, 19, 4)
	setParameters   = number(read|write, 22, unsafe.Sizeof(streamParameters{}))
	enumSizes       = number(read|write, 74, unsafe.Sizeof(sizeRange{}))
	enumIntervals   = number(read|write, 75, unsafe.Sizeof(intervalRange{}))
)
