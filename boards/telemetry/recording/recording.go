// Package recording is the file format in which a board's snapshots are kept, for
// replay in a simulation and for bug reports: fathom board --record FILE.
//
// A recording is a text file of JSON lines. The first is the header, with
// "fathom_recording" as its first key; every further one is an entry:
//
//	{"fathom_recording":1,"started":"2026-05-01T12:00:00Z","period_ns":1000000000,"board":"Raspberry Pi 5 Model B Rev 1.0",…}
//	{"files":{"sys/class/thermal/thermal_zone0/temp":{"text":"48312\n"},…}}
//	{"snapshot":{"time":"2026-05-01T12:00:00Z","heat":{…},…}}
//
// A snapshot entry is a telemetry.Snapshot. A files entry tells which attributes
// of /sys and /proc changed since the one before: their text, an error in its
// place, or nothing for one that is gone. It says what the kernel said, where a
// snapshot says what Fathom made of it, and a fixture can be made of it.
//
// Every line is written whole. A recording may end in the middle of a line, when
// the power went; what stands before is good.
package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// Version is that of the format.
const Version = 1

// Header begins a recording.
type Header struct {
	Version int       `json:"fathom_recording"`
	Started time.Time `json:"started"`
	// Period is the wanted time between two snapshots.
	Period time.Duration `json:"period_ns"`
	Board  string        `json:"board,omitempty"`
	// BoardID is the board's name in the tables of package boards.
	BoardID string `json:"board_id,omitempty"`
	Kernel  string `json:"kernel,omitempty"`
}

// File is one attribute of the kernel: its text, or why it has none. The zero
// File is one that is gone.
type File struct {
	Text  string `json:"text,omitempty"`
	Error string `json:"error,omitempty"`
	// Offline: the attribute answers EAGAIN.
	Offline bool `json:"offline,omitempty"`
	// Empty is a file that is there and holds nothing.
	Empty bool `json:"empty,omitempty"`
}

// Entry is one line after the header; one of its fields is set.
type Entry struct {
	Snapshot *telemetry.Snapshot `json:"snapshot,omitempty"`
	Files    map[string]File     `json:"files,omitempty"`
}

// Writer writes a recording, one line at a time. For one goroutine.
type Writer struct {
	to    io.Writer
	scrub func([]byte) []byte
	files map[string]File // as written so far
}

// NewWriter writes the header. Every line goes through scrub, which takes out what
// nobody else is to see and must leave it valid JSON; nil leaves all in.
func NewWriter(to io.Writer, h Header, scrub func([]byte) []byte) (*Writer, error) {
	w := &Writer{to: to, scrub: scrub, files: map[string]File{}}
	h.Version = Version
	return w, w.line(h)
}

func (w *Writer) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	if w.scrub != nil {
		text = w.scrub(text)
	}
	if _, err := w.to.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	return nil
}

// Snapshot adds a snapshot.
func (w *Writer) Snapshot(s telemetry.Snapshot) error { return w.line(Entry{Snapshot: &s}) }

// Files adds what changed since the last call; nothing if nothing did.
func (w *Writer) Files(all map[string]File) error {
	changed := map[string]File{}
	for name, f := range all {
		if before, ok := w.files[name]; !ok || before != f {
			changed[name] = f
		}
	}
	for name := range w.files {
		if _, ok := all[name]; !ok {
			changed[name] = File{}
		}
	}
	if len(changed) == 0 {
		return nil
	}
	w.files = maps.Clone(all)
	return w.line(Entry{Files: changed})
}

// maxLine bounds what a line may hold; the first files entry of a large board has some 100 KB.
const maxLine = 8 << 20

// ErrCutShort says that a recording ends in the middle of a line.
var ErrCutShort = errors.New("the recording ends in the middle of a line (what stands before it is good)")

// Reader reads a recording, one entry at a time. For one goroutine.
type Reader struct {
	header Header
	lines  *bufio.Reader
	number int
}

// NewReader reads the header.
func NewReader(from io.Reader) (*Reader, error) {
	r := &Reader{lines: bufio.NewReader(from)}
	text, err := r.line()
	if err != nil {
		if err == io.EOF {
			err = errors.New("empty")
		}
		return nil, fmt.Errorf("recording: header: %w", err)
	}
	if err := json.Unmarshal(text, &r.header); err != nil || r.header.Version == 0 {
		return nil, errors.New("recording: line 1: no header of a recording (is it a file of fathom board --record?)")
	}
	if r.header.Version != Version {
		return nil, fmt.Errorf("recording: version %d, this program knows %d (use a newer fathom)", r.header.Version, Version)
	}
	return r, nil
}

// Header is that of the recording.
func (r *Reader) Header() Header { return r.header }

// line returns the next line without its end, io.EOF after the last, or ErrCutShort.
func (r *Reader) line() ([]byte, error) {
	r.number++
	var text []byte
	for {
		part, err := r.lines.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case len(text) > maxLine:
			return nil, fmt.Errorf("line %d: longer than %d MiB", r.number, maxLine>>20)
		case err == nil:
			return bytes.TrimSuffix(text, []byte("\n")), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(text) > 0:
			return nil, ErrCutShort
		default:
			return nil, err
		}
	}
}

// Next returns the next entry; io.EOF after the last, an error that wraps
// ErrCutShort where the file ends in the middle of a line.
func (r *Reader) Next() (Entry, error) {
	text, err := r.line()
	if errors.Is(err, io.EOF) {
		return Entry{}, io.EOF
	}
	if err != nil {
		return Entry{}, fmt.Errorf("recording: %w", err)
	}
	var e Entry
	if err := json.Unmarshal(text, &e); err != nil {
		return Entry{}, fmt.Errorf("recording: line %d: %w", r.number, err)
	}
	if (e.Snapshot == nil) == (e.Files == nil) {
		return Entry{}, fmt.Errorf("recording: line %d: neither a snapshot nor files", r.number)
	}
	return e, nil
}

// Recording is a whole recording in memory.
type Recording struct {
	Header    Header
	Snapshots []telemetry.Snapshot // in the order in which they were taken
	// Files are the attributes as they were at the first snapshot.
	Files map[string]File
}

// Read reads a whole recording. With an error that wraps ErrCutShort, what was
// read is good.
func Read(from io.Reader) (Recording, error) {
	r, err := NewReader(from)
	if err != nil {
		return Recording{}, err
	}
	all := Recording{Header: r.Header(), Files: map[string]File{}}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if errors.Is(err, ErrCutShort) {
			return all, err
		}
		if err != nil {
			return Recording{}, err
		}
		if e.Snapshot != nil {
			all.Snapshots = append(all.Snapshots, *e.Snapshot)
		} else if len(all.Snapshots) == 0 {
			all.change(e.Files)
		}
	}
}

func (r *Recording) change(files map[string]File) {
	for name, f := range files {
		if f == (File{}) {
			delete(r.Files, name)
		} else {
			r.Files[name] = f
		}
	}
}
