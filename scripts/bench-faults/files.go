package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// disk is a small file system of its own, on which fathomd keeps what it writes.
type disk struct {
	path string
	bad  atomic.Int64 // until when lines may wait for it, Unix nanoseconds
}

func (d *disk) trouble() { d.bad.Store(math.MaxInt64) }

// mended: what waits is written when it is tried again, within some seconds.
func (d *disk) mended() { d.bad.Store(time.Now().Add(10 * time.Second).UnixNano()) }

func (d *disk) troubled(at time.Time) bool { return d.bad.Load() > at.UnixNano() }

const diskBytes = 6 << 20

func (d *disk) filler() string { return filepath.Join(d.path, "filler") }

// fill leaves no byte free until the end.
func (d *disk) fill() (end func() error, err error) {
	d.trouble()
	f, err := os.Create(d.filler())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for chunk := make([]byte, 64<<10); len(chunk) > 0; {
		if _, err := f.Write(chunk); err != nil {
			chunk = chunk[:len(chunk)/2]
		}
	}
	return func() error { defer d.mended(); return os.Remove(d.filler()) }, nil
}

// damage is what is wrong with the files that a killed process left.
type damage struct {
	broken []string
	// lines are whole ones of the prediction log whose frame was captured since the start; rotated tells that older ones may be gone.
	lines   int
	rotated bool
}

// examine reads everything that fathomd writes. The last line of a log may be cut off, since it is cut away at the next start.
func examine(dir, state string, started time.Time) (d damage) {
	d.rotated = true
	bad := func(format string, args ...any) { d.broken = append(d.broken, fmt.Sprintf(format, args...)) }
	logs, _ := filepath.Glob(filepath.Join(dir, "*.jsonl*"))
	for _, name := range logs {
		text, err := os.ReadFile(name)
		if err != nil {
			bad("%v", err)
			continue
		}
		lines := bytes.SplitAfter(text, []byte("\n"))
		if last := lines[len(lines)-1]; len(last) > 0 && !strings.HasSuffix(name, ".jsonl") {
			bad("%s: it ends within a line, but is not the current one", name)
		}
		var captured struct{ Captured time.Time }
		for n, line := range lines[:len(lines)-1] {
			if err := json.Unmarshal(line, &captured); err != nil {
				bad("%s:%d: %v: %.80q", name, n+1, err, line)
			}
			if !strings.HasPrefix(filepath.Base(name), "predictions.jsonl") {
				continue
			}
			if captured.Captured.After(started) {
				d.lines++
			} else {
				d.rotated = false // what is older than the start is still there
			}
		}
	}
	pictures, _ := os.ReadDir(filepath.Join(dir, "pictures"))
	for _, e := range pictures {
		if strings.HasPrefix(e.Name(), ".") {
			continue // being written when it was killed; taken away at the next start
		}
		text, err := os.ReadFile(filepath.Join(dir, "pictures", e.Name()))
		if err == nil {
			_, err = jpeg.Decode(bytes.NewReader(text))
		}
		if err != nil {
			bad("%s: %v", e.Name(), err)
		}
	}
	if len(pictures) > mostPictures+1 {
		bad("%d pictures, of which at most %d are kept", len(pictures), mostPictures)
	}
	if text, err := os.ReadFile(filepath.Join(state, "probed.json")); err == nil && !json.Valid(text) {
		bad("probed.json: %.80q", text)
	}
	return d
}

// leftovers are files of interrupted writes that a start should have taken away.
func leftovers(dirs ...string) (names []string) {
	for _, dir := range dirs {
		found, _ := filepath.Glob(filepath.Join(dir, ".*.tmp-*"))
		names = slices.Concat(names, found)
	}
	return names
}
