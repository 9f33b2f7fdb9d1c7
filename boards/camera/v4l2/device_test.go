package v4l2

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/fathom-edge/fathom/runtime/frame"
)

// fake is a driver: it answers as the kernel's documentation says and counts what is
// left open.
type fake struct {
	t      *testing.T
	caps   uint32
	modes  []Mode // discrete, grouped by format
	ranges []sizeRange
	pixel  pixelFormat // overrides what S_FMT sets, where not zero
	fail   map[request]error
	frames [][]byte // to be delivered; nil: a damaged one. Then the camera is unplugged.

	set       Mode
	interval  fraction
	memory    [][]byte
	queued    []uint32
	streaming bool
	unmapped  int
	closed    bool
}

func (f *fake) formats() []FourCC {
	var all []FourCC
	for _, m := range f.modes {
		if len(all) == 0 || all[len(all)-1] != m.FourCC {
			all = append(all, m.FourCC)
		}
	}
	for _, r := range f.ranges {
		all = append(all, r.fourCC)
	}
	return all
}

func (f *fake) sizes(c FourCC) (all []Mode) {
	for _, m := range f.modes {
		if m.FourCC == c && m.Width > 0 {
			all = append(all, m)
		}
	}
	return all
}

func (f *fake) ioctl(r request, argument unsafe.Pointer) error {
	if err := f.fail[r]; err != nil {
		return err
	}
	switch r {
	case queryCapability:
		c := (*capability)(argument)
		copy(c.card[:], "Fake Camera\x00rest")
		c.capabilities, c.deviceCapabilities = 0xffffffff, f.caps
	case enumFormats:
		d := (*formatDescription)(argument)
		all := f.formats()
		if int(d.index) >= len(all) || d.kind != kindCapture {
			return unix.EINVAL
		}
		d.fourCC = all[d.index]
	case enumSizes:
		s := (*sizeRange)(argument)
		for _, r := range f.ranges {
			if r.fourCC == s.fourCC && s.index == 0 {
				*s = r
				return nil
			}
		}
		all := f.sizes(s.fourCC)
		if int(s.index) >= len(all) {
			return unix.EINVAL
		}
		s.kind, s.minWidth, s.maxWidth = discrete, uint32(all[s.index].Width), uint32(all[s.index].Height)
	case enumIntervals:
		i := (*intervalRange)(argument)
		for _, m := range f.sizes(i.fourCC) {
			if m.Width == int(i.width) && m.Height == int(i.height) && m.FPS > 0 && i.index == 0 {
				i.least = fraction{10, uint32(10 * m.FPS)}
				return nil
			}
		}
		return unix.EINVAL
	case setFormat:
		g := (*format)(argument)
		if g.kind != kindCapture {
			return unix.EINVAL
		}
		f.set = Mode{FourCC: g.pixel.fourCC, Width: int(g.pixel.width), Height: int(g.pixel.height)}
		g.pixel.bytesPerLine, g.pixel.sizeImage = 2*g.pixel.width, 2*g.pixel.width*g.pixel.height
		if f.pixel != (pixelFormat{}) {
			g.pixel = f.pixel
		}
	case setParameters:
		p := (*streamParameters)(argument)
		f.interval = p.timePerFrame
		p.capability = canSetInterval
	case requestBuffers:
		b := (*bufferRequest)(argument)
		b.count = min(b.count, 3) // fewer than asked for
		for range b.count {
			f.memory = append(f.memory, make([]byte, 4096))
		}
	case queryBuffer:
		b := (*buffer)(argument)
		if int(b.index) >= len(f.memory) {
			return unix.EINVAL
		}
		b.offset, b.length = uintptr(b.index)*4096, 4096
	case queueBuffer:
		f.queued = append(f.queued, (*buffer)(argument).index)
	case dequeueBuffer:
		b := (*buffer)(argument)
		if !f.streaming || len(f.queued) == 0 {
			return unix.EINVAL
		}
		b.index, f.queued = f.queued[0], f.queued[1:]
		b.bytesUsed = uint32(copy(f.memory[b.index], f.frames[0]))
		if f.frames[0] == nil {
			b.flags, b.bytesUsed = bufferError, 100
		}
		f.frames = f.frames[1:]
	case streamOn:
		f.streaming = true
	case streamOff:
		f.streaming = false
	default:
		f.t.Errorf("request %#x", r)
	}
	return nil
}

func (f *fake) mmap(offset int64, length int) ([]byte, error) {
	return f.memory[offset/4096][:length], nil
}
func (f *fake) munmap([]byte) error { f.unmapped++; return nil }
func (f *fake) close() error        { f.closed = true; return nil }

func (f *fake) wait(time.Duration) (bool, error) {
	if len(f.frames) == 0 {
		return false, unix.ENODEV
	}
	return true, nil
}

// clean reports what a device left behind.
func (f *fake) clean() {
	f.t.Helper()
	if f.streaming || f.unmapped != len(f.memory) || !f.closed {
		f.t.Errorf("left behind: streaming %v, %d of %d buffers unmapped, closed %v", f.streaming, f.unmapped, len(f.memory), f.closed)
	}
}

var webcam = []Mode{
	{FourCC: MJPEG, Width: 640, Height: 480, FPS: 30}, {FourCC: MJPEG, Width: 1920, Height: 1080, FPS: 30},
	{FourCC: YUYV, Width: 160, Height: 120, FPS: 30}, {FourCC: YUYV, Width: 320, Height: 240, FPS: 30},
	{FourCC: YUYV, Width: 640, Height: 480, FPS: 30}, {FourCC: YUYV, Width: 1920, Height: 1080, FPS: 5},
}

func TestChoose(t *testing.T) {
	without := Mode{FourCC: YUYV, Width: 640, Height: 480}
	for _, tt := range []struct {
		name  string
		modes []Mode
		wish  Wish
		want  Mode
	}{
		{"the smallest that covers the input", webcam, Wish{224, 224, 15}, webcam[3]},
		{"exactly the input", webcam, Wish{320, 240, 15}, webcam[3]},
		{"larger for a larger input", webcam, Wish{299, 299, 15}, webcam[4]},
		{"JPEG where raw is too slow", webcam, Wish{1024, 1024, 15}, webcam[1]},
		{"raw again at a low rate", webcam, Wish{1024, 1024, 5}, webcam[5]},
		{"the most pixels where none covers", webcam[2:5], Wish{800, 800, 15}, webcam[4]},
		{"the fastest where none is fast enough", webcam, Wish{224, 224, 60}, webcam[3]},
		{"formats of others are passed over", []Mode{{FourCC: code("H264"), Width: 320, Height: 240, FPS: 30}, webcam[0]}, Wish{224, 224, 15}, webcam[0]},
		{"a rate that is not told is enough", []Mode{without, webcam[0]}, Wish{224, 224, 15}, without},
		{"not emulated", []Mode{{FourCC: NV12, Width: 320, Height: 240, FPS: 30, Emulated: true}, webcam[3]}, Wish{224, 224, 15}, webcam[3]},
	} {
		if got, ok := Choose(tt.modes, tt.wish); got != tt.want || !ok {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, ok, tt.want)
		}
	}
	if m, ok := Choose([]Mode{{FourCC: code("H264"), Width: 320, Height: 240}}, Wish{}); ok {
		t.Errorf("H.264 was chosen: %+v", m)
	}
}

func TestSteps(t *testing.T) {
	got := sizeRange{kind: 3, minWidth: 48, maxWidth: 1000, stepWidth: 16, minHeight: 32, maxHeight: 700, step: 2}.steps()
	want := [][2]int{{48, 32}, {320, 240}, {640, 480}, {800, 600}, {992, 700}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDevice(t *testing.T) {
	f := &fake{t: t, caps: canCapture | canStream, modes: webcam,
		frames: [][]byte{[]byte("one"), nil, {}, []byte("two"), []byte("three"), []byte("four"), []byte("five")}}
	d, err := start(f, "/dev/video7", Wish{224, 224, 15})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Mode{FourCC: YUYV, Width: 320, Height: 240, FPS: 15}); d.Mode != want || f.set.Width != 320 || d.Stride != 640 ||
		d.Colour != frame.BT601Limited || d.Card != "Fake Camera" {
		t.Errorf("%+v with rows of %d bytes, %v, %q; want %+v", d.Mode, d.Stride, d.Colour, d.Card, want)
	}
	if f.interval != (fraction{1000, 15000}) {
		t.Errorf("interval %v", f.interval)
	}
	var got []string
	for {
		b, err := d.Next(context.Background(), nil)
		if err != nil {
			if !errors.Is(err, unix.ENODEV) || !strings.Contains(err.Error(), "/dev/video7: cannot wait for a frame: no such device (camera unplugged?)") {
				t.Errorf("unplugged: %v", err)
			}
			break
		}
		got = append(got, string(b))
	}
	if diff := cmp.Diff([]string{"one", "two", "three", "four", "five"}, got); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
	if len(f.queued) != 3 {
		t.Errorf("%d of 3 buffers are with the driver", len(f.queued))
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	f.clean()
}

func TestNextReusesMemoryAndObeysContext(t *testing.T) {
	f := &fake{t: t, caps: canCapture | canStream, modes: webcam, frames: [][]byte{[]byte("one"), []byte("two")}}
	d, err := start(f, "x", Wish{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	buf := make([]byte, 0, 100)
	if b, err := d.Next(context.Background(), buf); err != nil || &b[0] != &buf[:1][0] {
		t.Errorf("other memory, or %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.Next(ctx, nil); err != context.Canceled {
		t.Errorf("after the end: %v", err)
	}
}

func TestStartFails(t *testing.T) {
	good := uint32(canCapture | canStream)
	for want, f := range map[string]*fake{
		"captures no video":                          {caps: canStream},
		"captures in several planes":                 {caps: canStream | canCapturePlanes},
		"cannot stream":                              {caps: canCapture},
		"it is no video device":                      {fail: map[request]error{queryCapability: unix.ENOTTY}},
		"it delivers H264, of which none":            {caps: good, modes: []Mode{{FourCC: code("H264"), Width: 1, Height: 1}}},
		"it delivers no format":                      {caps: good},
		"cannot list its formats: input/output":      {caps: good, fail: map[request]error{enumFormats: unix.EIO}},
		"cannot set YUYV of 160x120: device or reso": {caps: good, modes: webcam, fail: map[request]error{setFormat: unix.EBUSY}},
		"(another program uses the camera)":          {caps: good, modes: webcam, fail: map[request]error{requestBuffers: unix.EBUSY}},
		"it offered YUYV and set MJPG":               {caps: good, modes: webcam, pixel: pixelFormat{width: 640, height: 480, fourCC: MJPEG}},
		"a picture of 0x480 pixels":                  {caps: good, modes: webcam, pixel: pixelFormat{height: 480, fourCC: YUYV}},
		"the USB bus has no room":                    {caps: good, modes: webcam, fail: map[request]error{streamOn: unix.ENOSPC}},
		"cannot ask for a buffer":                    {caps: good, modes: webcam, fail: map[request]error{queryBuffer: unix.EINVAL}},
		"cannot queue a buffer":                      {caps: good, modes: webcam, fail: map[request]error{queueBuffer: unix.EINVAL}},
	} {
		f.t = t
		d, err := start(f, "/dev/video7", Wish{})
		if d != nil || err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "/dev/video7: ") {
			t.Errorf("error %v, want one with %q", err, want)
		}
		if f.streaming || !f.closed {
			t.Errorf("%q left the camera open", want)
		}
	}
}

// A driver that lists no sizes, and one that sets another size than was asked for.
func TestDriverDecides(t *testing.T) {
	f := &fake{t: t, caps: canCapture | canStream, modes: []Mode{{FourCC: NV12}},
		pixel: pixelFormat{width: 720, height: 576, fourCC: NV12, bytesPerLine: 768, colourSpace: spaceREC709}}
	d, err := start(f, "x", Wish{224, 224, 15})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if f.set != (Mode{FourCC: NV12, Width: 640, Height: 480}) || d.Mode != (Mode{FourCC: NV12, Width: 720, Height: 576}) || d.Stride != 768 || d.Colour != frame.BT709Limited {
		t.Errorf("asked for %+v, got %+v, rows of %d, %v", f.set, d.Mode, d.Stride, d.Colour)
	}
}

func TestColour(t *testing.T) {
	for _, tt := range []struct {
		pixel pixelFormat
		want  frame.Colour
	}{
		{pixelFormat{}, frame.BT601Limited},
		{pixelFormat{colourSpace: 8}, frame.BT601Limited}, // sRGB: BT.601 coefficients, limited by default
		{pixelFormat{colourSpace: spaceJPEG}, frame.BT601Full},
		{pixelFormat{colourSpace: spaceJPEG, quantization: quantizationLimited}, frame.BT601Limited},
		{pixelFormat{colourSpace: 8, encoding: 1, quantization: quantizationFull}, frame.BT601Full},
		{pixelFormat{colourSpace: spaceREC709}, frame.BT709Limited},
		{pixelFormat{colourSpace: spaceREC709, encoding: 1}, frame.BT601Limited},
		{pixelFormat{encoding: encoding709, quantization: quantizationFull}, frame.BT709Full},
	} {
		if got := tt.pixel.colour(); got != tt.want {
			t.Errorf("%+v: %v, want %v", tt.pixel, got, tt.want)
		}
	}
}

// Real files that are no cameras, through real ioctls.
func TestNoCamera(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "video0")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		plain:                 "it is no video device",
		"/dev/null":           "it is no video device",
		"/dev/no-such-camera": "no such file or directory (camera unplugged?)",
	} {
		if d, err := Open(path, Wish{}); d != nil || err == nil || !strings.Contains(err.Error(), path+": "+want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if found := Devices(filepath.Dir(plain)); len(found) != 0 {
		t.Errorf("found %v", found)
	}
}
