// Package v4l2 reads cameras of the Linux kernel's video interface: USB webcams and
// whatever else has a /dev/video node with single-plane capture. It speaks to the
// kernel in ioctls, without cgo, and maps the kernel's buffers.
//
// It chooses the format and size in which frames for a given network cost least (see
// [Choose]) and leaves the camera's controls alone.
package v4l2

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/fathom-edge/fathom/runtime/frame"
)

// Device is an open camera that streams. One goroutine may use it.
type Device struct {
	// Mode is what the camera delivers; its FPS is what the driver was set to.
	Mode Mode
	// Stride is the distance between rows in bytes (raw formats).
	Stride int
	Colour frame.Colour
	// Card is the camera's name.
	Card string

	system  system
	path    string
	buffers [][]byte
}

// bufferCount is how many frames the kernel may hold for us. They are emptied as they
// come, so that this is no queue.
const bufferCount = 4

// maxImage bounds a frame, in bytes.
const maxImage = 64 << 20

// Open starts a camera in the mode that Choose finds. Errors are one line and name the device.
func Open(path string, w Wish) (*Device, error) {
	s, err := openFile(path)
	if err != nil {
		return nil, err
	}
	return start(s, path, w)
}

// start owns s.
func start(s system, path string, w Wish) (_ *Device, err error) {
	d := &Device{system: s, path: path}
	defer func() {
		if err != nil {
			d.Close()
			err = fmt.Errorf("%s: %w", path, err)
		}
	}()
	if d.Card, err = identify(s); err != nil {
		return nil, err
	}
	modes, err := list(s)
	if err != nil {
		return nil, err
	}
	mode, ok := Choose(modes, w)
	if !ok {
		return nil, fmt.Errorf("it delivers %s, of which none is supported (need YUYV, UYVY, NV12, YU12 or MJPG)", names(modes))
	}
	if err := d.set(mode, w); err != nil {
		return nil, err
	}
	if err := d.stream(); err != nil {
		return nil, err
	}
	return d, nil
}

// identify refuses what is no camera.
func identify(s system) (card string, err error) {
	var c capability
	if err := s.ioctl(queryCapability, unsafe.Pointer(&c)); err != nil {
		if err == unix.ENOTTY {
			return "", errors.New("it is no video device")
		}
		return "", failed("ask what it is", err)
	}
	can := c.capabilities
	if can&hasNodeCaps != 0 {
		can = c.deviceCapabilities
	}
	switch {
	case can&canCapture == 0 && can&canCapturePlanes != 0:
		return "", errors.New("it captures in several planes, which is not supported (use command: with a program of the board)")
	case can&canCapture == 0:
		return "", errors.New("it captures no video (metadata or an encoder; a camera often has another /dev/video node)")
	case can&canStream == 0:
		return "", errors.New("it cannot stream")
	}
	card, _, _ = strings.Cut(string(c.card[:]), "\x00")
	return strings.ToValidUTF8(card, "?"), nil
}

func failed(what string, err error) error { return fmt.Errorf("cannot %s: %w%s", what, err, hint(err)) }

// each calls ask with 0, 1, … until it returns EINVAL, which ends a list. ENOTTY is an empty list.
func each(what string, ask func(index uint32) error) error {
	for i := range uint32(1024) {
		err := ask(i)
		if err == unix.EINVAL || err == unix.ENOTTY {
			return nil
		}
		if err != nil {
			return failed(what, err)
		}
	}
	return nil
}

// list asks for all formats, sizes and rates. A camera that does not list sizes has
// one mode per format, of 640x480 pixels, which the driver then corrects.
func list(s system) ([]Mode, error) {
	var modes []Mode
	err := each("list its formats", func(i uint32) error {
		f := formatDescription{index: i, kind: kindCapture}
		if err := s.ioctl(enumFormats, unsafe.Pointer(&f)); err != nil {
			return err
		}
		known := len(modes)
		err := each("list its sizes", func(j uint32) error {
			r := sizeRange{index: j, fourCC: f.fourCC}
			if err := s.ioctl(enumSizes, unsafe.Pointer(&r)); err != nil {
				return err
			}
			for _, size := range r.steps() {
				rate, err := fastest(s, f.fourCC, size)
				if err != nil {
					return err
				}
				modes = append(modes, Mode{FourCC: f.fourCC, Width: size[0], Height: size[1], FPS: rate, Emulated: f.flags&emulated != 0})
			}
			return nil
		})
		if len(modes) == known {
			modes = append(modes, Mode{FourCC: f.fourCC, Width: 640, Height: 480, Emulated: f.flags&emulated != 0})
		}
		return err
	})
	return modes, err
}

// fastest is the highest rate at a size, 0 where the camera does not list them.
func fastest(s system, c FourCC, size [2]int) (rate float64, err error) {
	err = each("list its rates", func(i uint32) error {
		r := intervalRange{index: i, fourCC: c, width: uint32(size[0]), height: uint32(size[1])}
		if err := s.ioctl(enumIntervals, unsafe.Pointer(&r)); err != nil {
			return err
		}
		if r.least.numerator > 0 {
			rate = max(rate, float64(r.least.denominator)/float64(r.least.numerator))
		}
		return nil
	})
	return rate, err
}

func names(modes []Mode) string {
	var all []string
	for _, m := range modes {
		if n := m.FourCC.String(); !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	if len(all) == 0 {
		return "no format"
	}
	return strings.Join(all, ", ")
}

// set chooses the mode, and takes what the driver makes of it.
func (d *Device) set(m Mode, w Wish) error {
	f := format{kind: kindCapture}
	f.pixel = pixelFormat{width: uint32(m.Width), height: uint32(m.Height), fourCC: m.FourCC, field: fieldNone}
	if err := d.system.ioctl(setFormat, unsafe.Pointer(&f)); err != nil {
		return failed(fmt.Sprintf("set %v of %dx%d", m.FourCC, m.Width, m.Height), err)
	}
	p := f.pixel
	if p.fourCC != m.FourCC {
		return fmt.Errorf("it offered %v and set %v", m.FourCC, p.fourCC)
	}
	if p.width < 1 || p.height < 1 || p.width > 16384 || p.height > 16384 || p.sizeImage > maxImage || p.bytesPerLine > maxImage {
		return fmt.Errorf("it set a picture of %dx%d pixels and %d bytes", p.width, p.height, p.sizeImage)
	}
	m.Width, m.Height = int(p.width), int(p.height)
	d.Mode, d.Stride, d.Colour = m, int(p.bytesPerLine), p.colour()
	d.pace(w.FPS)
	return nil
}

// colour is what the driver says of its samples, with V4L2's rules for what it leaves open.
func (p pixelFormat) colour() frame.Colour {
	hd := p.encoding == encoding709 || p.encoding == encodingDefault && p.colourSpace == spaceREC709
	full := p.quantization == quantizationFull || p.quantization != quantizationLimited && p.colourSpace == spaceJPEG
	switch {
	case hd && full:
		return frame.BT709Full
	case hd:
		return frame.BT709Limited
	case full:
		return frame.BT601Full
	}
	return frame.BT601Limited
}

// pace asks for the lowest rate that is fast enough: less for the bus and the driver to do.
// A driver that has other ideas is left with them.
func (d *Device) pace(fps float64) {
	if fps <= 0 || d.Mode.FPS == 0 {
		return
	}
	p := streamParameters{kind: kindCapture, timePerFrame: fraction{1000, uint32(1000*min(fps, d.Mode.FPS) + 0.5)}}
	if d.system.ioctl(setParameters, unsafe.Pointer(&p)) == nil && p.capability&canSetInterval != 0 && p.timePerFrame.numerator > 0 {
		d.Mode.FPS = float64(p.timePerFrame.denominator) / float64(p.timePerFrame.numerator)
	}
}

// stream maps the buffers, gives them to the driver and starts.
func (d *Device) stream() error {
	r := bufferRequest{count: bufferCount, kind: kindCapture, memory: memoryMap}
	if err := d.system.ioctl(requestBuffers, unsafe.Pointer(&r)); err != nil {
		return failed("get buffers", err)
	}
	if r.count < 1 {
		return errors.New("cannot get buffers: the driver gives none")
	}
	for i := range min(r.count, 32) {
		b := buffer{index: i, kind: kindCapture, memory: memoryMap}
		if err := d.system.ioctl(queryBuffer, unsafe.Pointer(&b)); err != nil {
			return failed("ask for a buffer", err)
		}
		if b.length < 1 || b.length > maxImage {
			return fmt.Errorf("a buffer has %d bytes", b.length)
		}
		// Of the union, C's offset is the lower 32 bits on a little-endian machine.
		memory, err := d.system.mmap(int64(uint32(b.offset)), int(b.length))
		if err != nil {
			return failed("map a buffer", err)
		}
		d.buffers = append(d.buffers, memory)
		if err := d.system.ioctl(queueBuffer, unsafe.Pointer(&b)); err != nil {
			return failed("queue a buffer", err)
		}
	}
	kind := uint32(kindCapture)
	if err := d.system.ioctl(streamOn, unsafe.Pointer(&kind)); err != nil {
		return failed("start", err)
	}
	return nil
}

// poll is how often Next looks whether it is still wanted.
const poll = 100 * time.Millisecond

// Next copies the oldest frame that the driver has to buf, or to new memory where that
// is too small; it waits for one until ctx ends. Frames that the driver marks as
// damaged are passed over.
func (d *Device) Next(ctx context.Context, buf []byte) ([]byte, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ready, err := d.system.wait(poll)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.path, failed("wait for a frame", err))
		}
		if !ready {
			continue
		}
		b := buffer{kind: kindCapture, memory: memoryMap}
		err = d.system.ioctl(dequeueBuffer, unsafe.Pointer(&b))
		if err == unix.EAGAIN {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.path, failed("take a frame", err))
		}
		if int(b.index) >= len(d.buffers) || int(b.bytesUsed) > len(d.buffers[b.index]) {
			return nil, fmt.Errorf("%s: the driver hands out buffer %d with %d bytes, which there is not", d.path, b.index, b.bytesUsed)
		}
		damaged := b.flags&bufferError != 0 || b.bytesUsed == 0
		if !damaged {
			buf = append(buf[:0], d.buffers[b.index][:b.bytesUsed]...)
		}
		if err := d.system.ioctl(queueBuffer, unsafe.Pointer(&b)); err != nil {
			return nil, fmt.Errorf("%s: %w", d.path, failed("give a buffer back", err))
		}
		if !damaged {
			return buf, nil
		}
	}
}

// Close stops the camera and gives its memory back.
func (d *Device) Close() error {
	kind := uint32(kindCapture)
	if d.buffers != nil {
		d.system.ioctl(streamOff, unsafe.Pointer(&kind)) // fails where it was unplugged
	}
	var err error
	for _, b := range d.buffers {
		err = errors.Join(err, d.system.munmap(b))
	}
	d.buffers = nil
	return errors.Join(err, d.system.close())
}

// Found is a camera of this machine.
type Found struct {
	Path string // /dev/videoN
	Card string
}

// Devices lists the cameras below a /dev folder.
func Devices(dev string) []Found {
	paths, _ := filepath.Glob(filepath.Join(dev, "video*"))
	slices.SortFunc(paths, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b) // video2 before video10
		}
		return strings.Compare(a, b)
	})
	var found []Found
	for _, path := range paths {
		s, err := openFile(path)
		if err != nil {
			continue
		}
		if card, err := identify(s); err == nil {
			if modes, err := list(s); err == nil {
				if _, ok := Choose(modes, Wish{}); ok {
					found = append(found, Found{path, card})
				}
			}
		}
		s.close()
	}
	return found
}

// Layout is how the frames of a raw format lie in memory; not ok for JPEG.
func (f FourCC) Layout() (layout frame.Layout, ok bool) {
	switch f {
	case YUYV:
		return frame.YUYV, true
	case UYVY:
		return frame.UYVY, true
	case NV12:
		return frame.NV12, true
	case I420:
		return frame.I420, true
	}
	return 0, false
}
