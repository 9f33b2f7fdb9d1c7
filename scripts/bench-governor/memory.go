package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/governor/sim"
)

const memoryFile = ".cache/bench-governor.jsonl"

// memory is what was computed before from the same sources, one result a line.
// What depends on the simulator alone outlives a change of a policy.
type memory struct {
	simulator, policies string // fingerprints
	file                *os.File

	mu    sync.Mutex
	known map[string]json.RawMessage
}

type remembered struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// openMemory reads the file; a line that was cut off by an interruption counts as none.
func openMemory(path string) (*memory, error) {
	m := &memory{known: map[string]json.RawMessage{}}
	var err error
	if m.simulator, err = fingerprint("governor/sim", true); err != nil {
		return nil, fmt.Errorf("%w (run it in the repository's root)", err)
	}
	if m.policies, err = fingerprint("governor", false); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if m.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(m.file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r remembered
		if json.Unmarshal(lines.Bytes(), &r) == nil {
			m.known[r.Key] = r.Value
		}
	}
	return m, lines.Err()
}

// Close ends the file.
func (m *memory) Close() error { return m.file.Close() }

// fingerprint is of the sources below a folder, or in it alone, without tests.
func fingerprint(folder string, below bool) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != folder && !below:
			return filepath.SkipDir
		case d.IsDir() || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", path, len(text))
		h.Write(text)
		return err
	})
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), err
}

func (m *memory) key(s sim.Setup, what string) string {
	of := m.simulator
	if what != "bound" && !strings.Contains(what, `"`+governor.FixedName+`"`) {
		of += m.policies
	}
	sensor, _ := json.Marshal(s.Sensor)
	return fmt.Sprintf("%s %s/%s/%d %g %g %g %s %s", of, s.Trace.Name, s.Board.Name, s.Seed, s.CeilingCelsius, s.GainScale, s.TauScale, sensor, what)
}

// Recall implements sim.Memory.
func (m *memory) Recall(s sim.Setup, what string, into any) bool {
	m.mu.Lock()
	value, ok := m.known[m.key(s, what)]
	m.mu.Unlock()
	return ok && json.Unmarshal(value, into) == nil
}

// Keep implements sim.Memory. What cannot be kept is computed again next time.
func (m *memory) Keep(s sim.Setup, what string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		return
	}
	line, err := json.Marshal(remembered{m.key(s, what), text})
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known[m.key(s, what)] = text
	_, _ = m.file.Write(append(line, '\n'))
}
