// Package snapshots keeps the newest pictures of events in a folder that never
// grows beyond its bounds.
//
// A picture is written whole or not at all. When a new one would not fit into the
// bounds, the oldest go first. A disk that is full for another reason costs the new
// picture only, and nothing that is there. Files that this package did not name are
// never touched.
package snapshots

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fathom-edge/fathom/internal/atomicfile"
)

// Config bounds the folder. An empty Folder keeps no pictures.
type Config struct {
	// Folder of the pictures; none are kept by default.
	Folder string `yaml:"folder"`
	// How many are kept at most; the oldest go first.
	Files int `yaml:"files"`
	// How many bytes they may have in all.
	Bytes int64 `yaml:"bytes"`
	// How many are written in an hour at most, as each is synced to the disk.
	PerHour int `yaml:"per_hour"`
	// Kinds of events that a picture is kept of: appeared, present, gone.
	On []string `yaml:"on"`
	// Greatest width of the pictures, pixels.
	Width int `yaml:"width"`
	// Quality of the JPEG, 1 to 100.
	Quality int `yaml:"quality"`
}

// DefaultConfig are the settings of an empty section.
func DefaultConfig() Config {
	return Config{Files: 1000, Bytes: 256 << 20, PerHour: 120, On: []string{"appeared"}, Width: 1280, Quality: 85}
}

// Validate says what is wrong; the message begins with the field. kinds are those that On may list.
func (c Config) Validate(kinds ...string) error {
	switch {
	case c.Files < 1 || c.Files > 1_000_000:
		return fmt.Errorf("files: %d: want 1 to 1000000", c.Files)
	case c.Bytes < 1<<20:
		return fmt.Errorf("bytes: %d: want 1048576 (1 MiB) or more", c.Bytes)
	case c.PerHour < 1 || c.PerHour > 36000:
		return fmt.Errorf("per_hour: %d: want 1 to 36000", c.PerHour)
	case c.Width < 32 || c.Width > 8192:
		return fmt.Errorf("width: %d: want 32 to 8192 pixels", c.Width)
	case c.Quality < 1 || c.Quality > 100:
		return fmt.Errorf("quality: %d: want 1 to 100", c.Quality)
	}
	for _, k := range c.On {
		if !slices.Contains(kinds, k) {
			return fmt.Errorf("on: %q is none of %s", k, strings.Join(kinds, ", "))
		}
	}
	return nil
}

// Stats say what is kept.
type Stats struct {
	Files int
	Bytes int64
}

// Folder is the folder. Safe for concurrent use.
type Folder struct {
	config Config

	mu    sync.Mutex
	known bool   // kept is what the disk has
	kept  []file // the oldest first
	bytes int64
	hour  []time.Time // when the last ones were reserved, at most an hour ago
}

type file struct {
	name  string
	bytes int64
}

// stamp is the first part of a name, in UTC, which sorts by time.
const stamp = "20060102T150405.000Z"

// ours is what Name makes.
var ours = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[A-Za-z0-9_.-]{1,100}\.jpg$`)

// Name makes a file name from the ID of an event and its class.
func Name(id, class string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return '_'
	}, class)
	return fmt.Sprintf("%s-%.40s.jpg", id, clean)
}

// Open makes the folder if it is missing. A disk that cannot be read or written now
// is no error: Save tries again.
func Open(c Config) (*Folder, error) {
	f := &Folder{config: c}
	info, err := os.Stat(c.Folder)
	switch {
	case err == nil && !info.IsDir():
		return nil, fmt.Errorf("snapshots: %s: not a folder", c.Folder)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("snapshots: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.list(); errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("snapshots: %w", err)
	}
	return f, nil
}

// list reads what is there and takes away what an interrupted write left.
func (f *Folder) list() error {
	if err := os.Mkdir(f.config.Folder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	entries, err := os.ReadDir(f.config.Folder)
	if err != nil {
		return err
	}
	f.kept, f.bytes = nil, 0
	var early []file
	now := time.Now().UTC().Format(stamp)
	for _, e := range entries { // sorted by name, and thereby by time
		if of, _, ok := strings.Cut(strings.TrimPrefix(e.Name(), "."), ".tmp-"); ok && e.Name()[0] == '.' && ours.MatchString(of) {
			_ = os.Remove(filepath.Join(f.config.Folder, e.Name()))
			continue
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !ours.MatchString(e.Name()) {
			continue
		}
		if e.Name() > now { // the clock was wrong, and was set back since
			early = append(early, file{e.Name(), info.Size()})
		} else {
			f.kept = append(f.kept, file{e.Name(), info.Size()})
		}
		f.bytes += info.Size()
	}
	f.kept = append(early, f.kept...)
	f.known = true
	return nil
}

// Reserve tells whether this hour may have another picture, and counts it if so.
func (f *Folder) Reserve(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hour = slices.DeleteFunc(f.hour, func(t time.Time) bool { return now.Sub(t) >= time.Hour })
	if len(f.hour) >= f.config.PerHour {
		return false
	}
	f.hour = append(f.hour, now)
	return true
}

// Save keeps a picture under a name of Name.
func (f *Folder) Save(name string, jpeg []byte) error {
	if !ours.MatchString(name) {
		return fmt.Errorf("snapshots: %q is no name of a picture", name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.known {
		if err := f.list(); err != nil {
			return fmt.Errorf("snapshots: %w", err)
		}
	}
	if int64(len(jpeg)) > f.config.Bytes {
		return fmt.Errorf("snapshots: a picture of %d bytes is more than all may have, %d (raise bytes)", len(jpeg), f.config.Bytes)
	}
	if err := f.makeRoom(int64(len(jpeg))); err != nil {
		return fmt.Errorf("snapshots: %w", err)
	}
	if err := atomicfile.Write(filepath.Join(f.config.Folder, name), jpeg); err != nil {
		f.known = false // somebody may have taken the folder away
		return fmt.Errorf("snapshots: %w", err)
	}
	f.kept = append(f.kept, file{name, int64(len(jpeg))})
	f.bytes += int64(len(jpeg))
	return nil
}

// Read returns a picture that was kept; fs.ErrNotExist if there is none of that name.
func (f *Folder) Read(name string) ([]byte, error) {
	if !ours.MatchString(name) {
		return nil, fmt.Errorf("snapshots: %q: %w", name, fs.ErrNotExist)
	}
	return os.ReadFile(filepath.Join(f.config.Folder, name))
}

// makeRoom deletes the oldest until so many bytes more are within the bounds.
func (f *Folder) makeRoom(bytes int64) error {
	for len(f.kept) > 0 && (len(f.kept) >= f.config.Files || f.bytes+bytes > f.config.Bytes) {
		if err := os.Remove(filepath.Join(f.config.Folder, f.kept[0].name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		f.bytes -= f.kept[0].bytes
		f.kept = f.kept[1:]
	}
	return nil
}

// Stats are what is kept now.
func (f *Folder) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Stats{len(f.kept), f.bytes}
}
