package v4l2

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hostile is a driver that fills the structures of its answers with whatever it is given, and says EINVAL at its end.
type hostile struct {
	answers *bytes.Reader
	open    int // mappings
	closed  bool
}

// sizes of the structures, by request: what the kernel would copy back.
func (h *hostile) ioctl(r request, argument unsafe.Pointer) error {
	if r == streamOff {
		return nil
	}
	outcome, err := h.answers.ReadByte()
	switch {
	case err != nil:
		return unix.EINVAL
	case outcome > 250:
		return unix.Errno(outcome - 250)
	}
	size := int(r >> 16 & 0x3fff)
	_, _ = h.answers.Read(unsafe.Slice((*byte)(argument), size)) // the rest keeps what was asked
	return nil
}

func (h *hostile) mmap(_ int64, length int) ([]byte, error) {
	h.open++
	return make([]byte, min(length, 1<<16))[:min(length, 1<<16):min(length, 1<<16)], nil
}

func (h *hostile) munmap([]byte) error              { h.open--; return nil }
func (h *hostile) close() error                     { h.closed = true; return nil }
func (h *hostile) wait(time.Duration) (bool, error) { return h.answers.Len() > 0, h.end() }

func (h *hostile) end() error {
	if h.answers.Len() == 0 {
		return unix.ENODEV
	}
	return nil
}

// answer is what a driver says to one request.
func answer(structure any) []byte {
	var b bytes.Buffer
	b.WriteByte(0)
	_ = binary.Write(&b, binary.NativeEndian, structure)
	return b.Bytes()
}

// Whatever a driver says: an error or a camera that hands out frames within its buffers, and nothing left open.
func FuzzDriver(f *testing.F) {
	type caps struct {
		Names   [80]byte
		Numbers [6]uint32
	}
	good := answer(caps{Numbers: [6]uint32{0, canCapture | canStream}})
	good = append(good, answer([16]uint32{0, kindCapture, 0, 0, 0, 0, 0, 0, 0, 0, 0, uint32(YUYV)})...)
	f.Add(good)
	f.Add(bytes.Repeat(good, 3))
	f.Add([]byte{255})
	f.Fuzz(func(t *testing.T, answers []byte) {
		h := &hostile{answers: bytes.NewReader(answers)}
		d, err := start(h, "/dev/video0", Wish{224, 224, 15})
		if (d == nil) == (err == nil) {
			t.Fatalf("%+v with error %v", d, err)
		}
		if d != nil {
			for err == nil {
				var frame []byte
				if frame, err = d.Next(context.Background(), nil); err == nil && len(frame) == 0 {
					t.Fatal("an empty frame")
				}
			}
			if d.Mode.Width < 1 || d.Mode.Height < 1 || d.Mode.FPS < 0 {
				t.Errorf("mode %+v", d.Mode)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
		if h.open != 0 || !h.closed {
			t.Errorf("%d buffers still mapped, closed %v", h.open, h.closed)
		}
	})
}
