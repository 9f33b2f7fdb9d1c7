package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// stateFolder is where the daemon writes everything.
const stateFolder = "/var/lib/fathom"

// power looks at every file after a boot, and then lets the daemon write until
// the power is cut.
func (g *guest) power() error {
	fresh := !g.installed()
	if fresh {
		for _, c := range starting {
			g.check(c)
		}
	} else {
		g.check(check{what: "frames are classified after a power cut", exercises: "video capture (V4L2)", fault: true, try: (*guest).firstFrame})
	}
	var count map[string]int
	look := func(*guest) (err error) {
		count, err = wholeFiles(stateFolder)
		return err
	}
	if fresh {
		if err := look(g); err != nil {
			return err
		}
	} else {
		g.check(check{what: "every file is whole after a power cut", exercises: "ext4", fault: true, try: func(g *guest) error {
			return errors.Join(look(g), unharmed(), keptAtLeast(count))
		}})
	}
	for {
		if err := g.tell(line{Kept: count}); err != nil {
			return err
		}
		time.Sleep(500 * time.Millisecond)
		var err error
		if count, err = countFiles(stateFolder); err != nil {
			return err
		}
	}
}

// firstFrame waits for it, and tells when it came.
func (g *guest) firstFrame() error {
	if err := g.daemon.becomes(func(s state) error {
		if s.Frames == 0 {
			return fmt.Errorf("no frame was classified: %s", strings.Join(s.Health.Reasons, "; "))
		}
		return nil
	}); err != nil {
		return err
	}
	return g.tell(line{First: true})
}

// wholeFiles looks at all that the daemon wrote, and counts it.
func wholeFiles(folder string) (map[string]int, error) {
	count := map[string]int{}
	var broken []error
	err := eachFile(folder, func(path string, data []byte) {
		if err := wholeFile(path, data, count); err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", path, err))
		}
	})
	return count, errors.Join(append(broken, err)...)
}

// countFiles counts alike, while the daemon writes: files may be half there.
func countFiles(folder string) (map[string]int, error) {
	count := map[string]int{}
	err := eachFile(folder, func(path string, data []byte) {
		if log, isLog := logName(path); isLog {
			count[log] += bytes.Count(data, []byte("\n"))
		} else {
			count[kind(path)]++
		}
	})
	return count, err
}

func eachFile(folder string, see func(path string, data []byte)) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			var data []byte
			if data, err = os.ReadFile(path); err == nil {
				see(path, data)
			}
		}
		if errors.Is(err, fs.ErrNotExist) { // the oldest pictures go
			return nil
		}
		return err
	})
}

func logName(path string) (name string, isLog bool) {
	name, _, isLog = strings.Cut(filepath.Base(path), ".jsonl")
	return name, isLog
}

// kind of a file that is no log.
func kind(path string) string {
	if strings.HasSuffix(path, ".jpg") {
		return "pictures"
	}
	return "others"
}

func wholeFile(path string, data []byte, count map[string]int) error {
	log, isLog := logName(path)
	if !isLog {
		count[kind(path)]++
	}
	switch {
	case isLog:
		// The daemon is writing: the last line may not be there yet.
		whole := data[:bytes.LastIndexByte(data, '\n')+1]
		for text := range bytes.Lines(whole) {
			count[log]++
			if !json.Valid(text) {
				return fmt.Errorf("line %d is damaged: %.80q", count[log], text)
			}
		}
	case strings.HasSuffix(path, ".json"):
		if !json.Valid(data) {
			return fmt.Errorf("no JSON: %.80q", data)
		}
	case strings.HasSuffix(path, ".jpg"):
		_, err := jpeg.Decode(bytes.NewReader(data))
		return err
	}
	return nil
}

// unharmed: the configuration is the one that was written, and the bundle is what its manifest says.
func unharmed() error {
	is, err := os.ReadFile(configurationFile)
	if err != nil {
		return err
	}
	if string(is) != configuration {
		return fmt.Errorf("%s has changed", configurationFile)
	}
	_, err = command("fathom", "verify", "/usr/share/fathom/bundles/demo", "--no-run")
	return err
}

// keptAtLeast compares with what the host knows to have been written long before the power was cut.
func keptAtLeast(count map[string]int) error {
	data, err := os.ReadFile(filepath.Join(share, keptFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var before map[string]int
	if err := json.Unmarshal(data, &before); err != nil {
		return err
	}
	for kind, n := range before {
		if kind != "others" && count[kind] < n {
			return fmt.Errorf("%d of %s, but %d were there before the power was cut", count[kind], kind, n)
		}
	}
	return nil
}
