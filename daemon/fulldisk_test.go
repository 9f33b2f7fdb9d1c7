//go:build cgo

package daemon

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A disk that is gone at the end costs the last lines, which the log tells, and not the exit status.
func TestTheEndWithoutADisk(t *testing.T) {
	log := &logBuffer{}
	m, _ := testMonitor(log)
	folder := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig()
	c.EventLog, c.Logs.FileBytes = filepath.Join(folder, "events.jsonl"), 64<<10
	o, err := newOutputs(c, m, &Watches{}, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	for range 2 { // more than a file may hold, so that a new one is begun, where there is no folder
		_, _ = o.log.Write(append(bytes.Repeat([]byte{'x'}, 60<<10), '\n'))
		_ = o.journals["event_log"].Flush()
	}
	if err := o.Close(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if !strings.Contains(log.String(), "the last lines of a log are lost") {
		t.Errorf("the log tells nothing: %s", log)
	}
}
