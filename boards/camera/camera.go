// Package camera holds the frame sources, each at an address that [Open] takes:
// cameras of the kernel (package v4l2), programs that write pictures, among them those
// of Raspberry Pi and Jetson cameras and ffmpeg, cameras with a web server, and image folders.
//
// The newest frame wins: a source that is faster than its reader drops frames,
// it never queues them.
package camera

import (
	"context"
	"image"
	"time"
)

// Frame is one picture from a source.
type Frame struct {
	// Image is *image.RGBA, *image.NRGBA, *image.Gray, *image.YCbCr (from JPEG) or *frame.YUV (raw
	// frames). It belongs to the receiver until its next call of Next.
	Image image.Image
	// JPEG is the picture as the camera gave it, if it gave a JPEG, otherwise nil. It may lack Huffman
	// tables: CopyJPEG has them. It is valid as long as Image is.
	JPEG     []byte
	Sequence uint64 // counts delivered and dropped frames
	Captured time.Time
	// Truth is the true label where the source knows it, otherwise empty.
	Truth string
}

// Source delivers frames. One goroutine calls Next; Close may be called from
// another and ends a blocked Next.
type Source interface {
	// Name describes the source in a few words, without credentials.
	Name() string
	// Next blocks until a frame newer than the last one is there. An error that
	// wraps ErrTemporary means that the source goes on trying (camera
	// unplugged, server away): call Next again. io.EOF means that the source has
	// ended. Any other error is final.
	Next(ctx context.Context) (Frame, error)
	Close() error
}
