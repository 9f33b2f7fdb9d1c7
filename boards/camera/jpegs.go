package camera

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"sync"
)

// Markers of JPEG (ITU-T T.81, table B.1), without the leading 0xFF.
const (
	markerSOI = 0xD8
	markerEOI = 0xD9
	markerSOS = 0xDA
	markerDHT = 0xC4
	markerTEM = 0x01
	markerRST = 0xD0 // to 0xD7
)

var errDamaged = errors.New("a JPEG with a damaged structure")

// jpegReader cuts a stream of JPEGs that follow each other into pictures. It goes by
// their structure, since a thumbnail inside has an end of its own; garbage
// between pictures is passed over.
type jpegReader struct{ r *bufio.Reader }

func (j jpegReader) picture(data []byte, least image.Point, over image.Image) (image.Image, error) {
	return DecodeJPEG(data, least, over)
}

// next returns the next JPEG, in buf if it is large enough.
func (j jpegReader) next(buf []byte) ([]byte, error) {
	if err := j.find(); err != nil {
		return nil, err
	}
	buf = append(buf[:0], startOfJPEG...)
	begun := false // the first byte of a marker has been read
	for {
		marker, err := j.marker(begun)
		begun = false
		buf = append(buf, 0xFF, marker)
		switch {
		case err != nil:
			return nil, brokenOff(err)
		case marker == markerEOI:
			return buf, nil
		case marker == markerSOI:
			buf = append(buf[:0], startOfJPEG...) // the one before broke off
			continue
		case marker == markerTEM || marker&^7 == markerRST:
			continue
		}
		if buf, err = j.segment(buf); err != nil {
			return nil, brokenOff(err)
		}
		if marker == markerSOS {
			if buf, err = j.scan(buf); err != nil {
				return nil, brokenOff(err)
			}
			begun = true
		}
	}
}

// find passes over everything up to and including the start of a picture.
func (j jpegReader) find() error {
	for seen := 0; seen <= maxGarbage; {
		chunk, err := j.r.ReadSlice(0xFF)
		seen += len(chunk)
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil {
			return err
		}
		next, err := j.r.Peek(1)
		if err != nil {
			return err
		}
		if next[0] == markerSOI {
			j.r.Discard(1)
			return nil
		}
	}
	return fmt.Errorf("no JPEG in %d MiB (does the program write MJPEG?)", maxGarbage>>20)
}

// marker reads the next marker and what fills up before it. begun says that its 0xFF was read already.
func (j jpegReader) marker(begun bool) (byte, error) {
	b := byte(0xFF)
	var err error
	if !begun {
		b, err = j.r.ReadByte()
	}
	if err == nil && b != 0xFF {
		return 0, errDamaged
	}
	for err == nil && b == 0xFF {
		b, err = j.r.ReadByte()
	}
	if err == nil && b == 0 {
		return 0, errDamaged
	}
	return b, err
}

// segment appends what belongs to a marker.
func (j jpegReader) segment(buf []byte) ([]byte, error) {
	head, err := j.r.Peek(2)
	if err != nil {
		return nil, err
	}
	length := int(head[0])<<8 | int(head[1])
	if length < 2 {
		return nil, errDamaged
	}
	at := len(buf)
	if at+length > maxPart {
		return nil, tooLarge(at + length)
	}
	buf = append(buf, make([]byte, length)...)
	_, err = io.ReadFull(j.r, buf[at:])
	return buf, err
}

// scan appends coded samples up to the next marker, of which it reads the 0xFF.
func (j jpegReader) scan(buf []byte) ([]byte, error) {
	for {
		chunk, err := j.r.ReadSlice(0xFF)
		buf = append(buf, chunk...)
		if len(buf) > maxPart {
			return nil, tooLarge(len(buf))
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil {
			return nil, err
		}
		next, err := j.r.Peek(1)
		if err != nil {
			return nil, err
		}
		switch {
		case next[0] == 0, next[0]&^7 == markerRST: // a sample of 0xFF, or a restart
			j.r.Discard(1)
			buf = append(buf, next[0])
		case next[0] == 0xFF: // fills up
			buf = buf[:len(buf)-1]
		default:
			return buf[:len(buf)-1], nil
		}
	}
}

// withTables puts the usual Huffman tables into a JPEG that has none, as many webcams
// leave them out.
func withTables(data []byte) []byte {
	for at := 2; at+4 <= len(data) && data[at] == 0xFF; {
		marker, length := data[at+1], int(data[at+2])<<8|int(data[at+3])
		if marker == markerDHT || length < 2 {
			return data
		}
		if marker == markerSOS {
			return bytes.Join([][]byte{data[:at], usualTables(), data[at:]}, nil)
		}
		at += 2 + length
	}
	return data
}

// usualTables are those of T.81, annex K.3, which Go's encoder writes, too.
var usualTables = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	// A picture with colour, so that all four tables are there. The memory cannot fail.
	_ = jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 1, 1)), nil)
	var tables []byte
	data := b.Bytes()
	for at := 2; data[at+1] != markerSOS; {
		end := at + 2 + int(data[at+2])<<8 + int(data[at+3])
		if data[at+1] == markerDHT {
			tables = append(tables, data[at:end]...)
		}
		at = end
	}
	return tables
})
