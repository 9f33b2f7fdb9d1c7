package camera

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"regexp"
	"strconv"
	"strings"
)

const (
	// maxPart bounds one JPEG of a stream, in bytes.
	maxPart = 8 << 20
	// maxGarbage bounds what stands between two parts, in bytes.
	maxGarbage = 1 << 20
	// maxHeaderLines and lineBuffer (bytes) bound the header of a part.
	maxHeaderLines = 64
	lineBuffer     = 64 << 10
)

var boundaryParameter = regexp.MustCompile(`(?i);\s*boundary\s*=([^;]*)`)

// kindOf tells from a Content-Type what the address delivers: a single picture, or a
// stream with a boundary, which is given without the dashes it may begin with and is
// empty where none is declared.
func kindOf(contentType string) (boundary string, still bool, err error) {
	mediaType, params, err := mime.ParseMediaType(contentType)
	boundary = params["boundary"]
	if err != nil {
		// Cameras put characters into the boundary that would need quotes.
		mediaType, _, _ = strings.Cut(strings.ToLower(contentType), ";")
		mediaType = strings.TrimSpace(mediaType)
		if at := boundaryParameter.FindStringSubmatch(contentType); at != nil {
			boundary = strings.Trim(at[1], "\" \t")
		}
	}
	switch {
	case mediaType == "image/jpeg" || mediaType == "image/jpg":
		return "", true, nil
	case !strings.HasPrefix(mediaType, "multipart/"):
		return "", false, fmt.Errorf("it answers with %s, neither an MJPEG stream (multipart/x-mixed-replace) nor a JPEG", strconv.QuoteToASCII(mediaType))
	}
	return strings.TrimLeft(boundary, "-"), false, nil
}

// partReader cuts a multipart stream into JPEGs. mime/multipart is too strict for
// what cameras send, and hands a part out only when the next one begins, which
// makes every picture one period old. This reader accepts
//
//   - a boundary declared with or without its leading dashes, or not at all,
//   - line ends of CR LF or LF, and none between a JPEG and the next boundary,
//   - a Content-Length or none; one that is wrong costs the next part,
//   - garbage between parts, and parts that are no JPEG, which it passes over.
type partReader struct {
	r         *bufio.Reader
	boundary  []byte // without leading dashes; empty until it is known
	atHeader  bool   // the delimiter of the next part has been read
	atEnd     bool   // the closing delimiter has been read
	discarded []byte
}

func newPartReader(r io.Reader, boundary string) *partReader {
	return &partReader{r: bufio.NewReaderSize(r, lineBuffer), boundary: []byte(boundary)}
}

var startOfJPEG, endOfJPEG = []byte{0xFF, 0xD8}, []byte{0xFF, 0xD9}

// next returns the next JPEG, in buf if it is large enough. It returns nil and
// io.EOF after the closing delimiter, and nil and another error where the
// stream breaks off or exceeds a limit.
func (p *partReader) next(buf []byte) ([]byte, error) {
	for {
		if p.atEnd {
			return nil, io.EOF
		}
		if !p.atHeader {
			if err := p.skipToPart(); err != nil {
				return nil, err
			}
			continue // it may have been the closing delimiter
		}
		length, err := p.header()
		if err != nil {
			return nil, err
		}
		p.atHeader = false
		part := buf[:0]
		if length >= 0 {
			part, err = p.readLength(part, length)
		} else {
			part, err = p.readToDelimiter(part, maxPart)
		}
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(part, startOfJPEG) {
			return part, nil
		}
		buf = part // no JPEG
	}
}

func (p *partReader) readLength(part []byte, length int) ([]byte, error) {
	if length > maxPart {
		return nil, tooLarge(length)
	}
	if cap(part) < length {
		part = make([]byte, length)
	}
	part = part[:length]
	if _, err := io.ReadFull(p.r, part); err != nil {
		return nil, brokenOff(err)
	}
	return part, nil
}

func tooLarge(length int) error {
	return fmt.Errorf("a picture of %d bytes is larger than %d MiB (lower the camera's resolution or quality)", length, maxPart>>20)
}

func brokenOff(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// skipToPart passes over everything up to and including the next delimiter.
func (p *partReader) skipToPart() error {
	if len(p.boundary) == 0 {
		return p.learnBoundary()
	}
	discarded, err := p.readToDelimiter(p.discarded[:0], maxGarbage)
	if err != nil {
		return err
	}
	p.discarded = discarded
	return nil
}

// exceeded is the error of a part, or of what stands before one, that is too long.
func (p *partReader) exceeded(length, limit int) error {
	if limit == maxPart {
		return tooLarge(length)
	}
	return fmt.Errorf("no boundary %q in %d MiB (is this an MJPEG stream?)", p.boundary, limit>>20)
}

// learnBoundary takes the first line that looks like a delimiter for one.
func (p *partReader) learnBoundary() error {
	for seen := 0; seen < maxGarbage; {
		line, err := p.r.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return brokenOff(err)
		}
		seen += len(line)
		name := bytes.TrimSpace(line)
		if trimmed := bytes.TrimLeft(name, "-"); len(name) >= len(trimmed)+2 && len(trimmed) > 0 && err == nil {
			p.boundary, p.atHeader = bytes.Clone(trimmed), true
			return nil
		}
	}
	return fmt.Errorf("no boundary declared, and none in the first %d MiB (is this an MJPEG stream?)", maxGarbage>>20)
}

// header reads the header of a part and returns its length, or -1 where it has none.
func (p *partReader) header() (int, error) {
	length := -1
	for range maxHeaderLines {
		if start, err := p.r.Peek(len(startOfJPEG)); err == nil && bytes.Equal(start, startOfJPEG) {
			return length, nil // a camera that forgets the empty line
		}
		line, err := p.r.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			return 0, errors.New("a header line of a part is too long (is this an MJPEG stream?)")
		}
		if err != nil {
			return 0, brokenOff(err)
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if len(bytes.TrimSpace(line)) == 0 {
			return length, nil
		}
		if strings.EqualFold(string(bytes.TrimSpace(name)), "Content-Length") {
			if n, err := strconv.Atoi(string(bytes.TrimSpace(value))); err == nil && n >= 0 {
				length = n
			}
		}
	}
	return 0, fmt.Errorf("a part has more than %d header lines (is this an MJPEG stream?)", maxHeaderLines)
}

// readToDelimiter appends to dst what comes before the next delimiter, and reads
// that too. A delimiter is two or more dashes, the boundary and the end of the
// line, or two dashes more for the last one; it stands at the beginning of a
// line or right behind a JPEG.
func (p *partReader) readToDelimiter(dst []byte, limit int) ([]byte, error) {
	last := p.boundary[len(p.boundary)-1]
	for {
		chunk, err := p.r.ReadSlice(last)
		dst = append(dst, chunk...)
		if len(dst) > limit+len(p.boundary)+lineBuffer {
			return nil, p.exceeded(len(dst), limit)
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil {
			return nil, brokenOff(err)
		}
		body, ok := p.cutDelimiter(dst)
		if !ok {
			continue
		}
		if len(body) > limit {
			return nil, p.exceeded(len(body), limit)
		}
		rest, err := p.r.ReadSlice('\n')
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return nil, err
		}
		switch string(bytes.TrimSpace(rest)) {
		case "":
			p.atHeader = true
			return body, nil
		case "--":
			p.atEnd = true
			return body, nil
		}
		dst = append(dst, rest...) // the boundary was only the beginning of a word
	}
}

// cutDelimiter returns what stands before a delimiter at the end of data.
func (p *partReader) cutDelimiter(data []byte) (body []byte, ok bool) {
	before, ok := bytes.CutSuffix(data, p.boundary)
	if !ok {
		return nil, false
	}
	body = bytes.TrimRight(before, "-")
	if len(before)-len(body) < 2 {
		return nil, false
	}
	switch {
	case len(body) == 0, bytes.HasSuffix(body, endOfJPEG):
		return body, true
	case bytes.HasSuffix(body, []byte("\n")):
		body = bytes.TrimSuffix(body, []byte("\n"))
		return bytes.TrimSuffix(body, []byte("\r")), true
	}
	return nil, false
}
