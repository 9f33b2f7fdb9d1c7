package camera

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/runtime/frame"
)

// rawReader reads frames of one size without anything between them, or with a line
// before each.
type rawReader struct {
	r             *bufio.Reader
	layout        frame.Layout
	colour        frame.Colour
	width, height int
	lines         bool // YUV4MPEG2: each frame begins with a line FRAME
}

func (f *rawReader) next(buf []byte) ([]byte, error) {
	if f.lines {
		line, err := f.r.ReadSlice('\n')
		if err != nil {
			return nil, longLine(err)
		}
		if word, _, _ := strings.Cut(strings.TrimSpace(string(line)), " "); word != "FRAME" {
			return nil, errors.New("YUV4MPEG2: a frame does not begin with FRAME")
		}
	}
	n := f.layout.Size(f.width, f.height, 0)
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	_, err := io.ReadFull(f.r, buf)
	return buf, err
}

func (f *rawReader) picture(data []byte, _ image.Point, _ image.Image) (image.Image, error) {
	return frame.New(f.layout, f.colour, data, f.width, f.height, 0)
}

func longLine(err error) error {
	if err == bufio.ErrBufferFull {
		return errors.New("YUV4MPEG2: a line is too long")
	}
	return err
}

// rawFrames is the decoder of frames of a known form.
func rawFrames(layout frame.Layout, colour frame.Colour, width, height int) func(*bufio.Reader) (decoder, error) {
	return func(r *bufio.Reader) (decoder, error) {
		return &rawReader{r: r, layout: layout, colour: colour, width: width, height: height}, nil
	}
}

var startOfY4M = []byte("YUV4MPEG2 ")

// recognize tells JPEGs and YUV4MPEG2 apart by their first bytes.
func recognize(r *bufio.Reader) (decoder, error) {
	start, err := r.Peek(len(startOfY4M))
	if bytes.Equal(start, startOfY4M) {
		return newY4M(r)
	}
	if err != nil && len(start) == 0 {
		return nil, err
	}
	return jpegReader{r}, nil
}

// newY4M reads the header of a YUV4MPEG2 stream
// (https://wiki.multimedia.cx/index.php/YUV4MPEG2), of which 4:2:0 with 8 bits is taken.
func newY4M(r *bufio.Reader) (decoder, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, longLine(err)
	}
	f := &rawReader{r: r, layout: frame.I420, colour: frame.BT601Limited, lines: true}
	for _, word := range strings.Fields(string(line))[1:] {
		value := word[1:]
		switch {
		case word[0] == 'W':
			f.width, err = strconv.Atoi(value)
		case word[0] == 'H':
			f.height, err = strconv.Atoi(value)
		case word[0] == 'C' && value != "420" && value != "420jpeg" && value != "420mpeg2" && value != "420paldv":
			return nil, fmt.Errorf("YUV4MPEG2: colour space %.20q: must be 420", value)
		case word == "XCOLORRANGE=FULL":
			f.colour = frame.BT601Full
		}
		if err != nil {
			return nil, fmt.Errorf("YUV4MPEG2: %.20q is no number", value)
		}
	}
	if f.width < 1 || f.height < 1 || f.width > maxSide || f.height > maxSide {
		return nil, fmt.Errorf("YUV4MPEG2: a picture of %dx%d pixels: each side must be 1 to %d", f.width, f.height, maxSide)
	}
	return f, nil
}
