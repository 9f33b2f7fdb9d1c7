package daemon

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestPredictionLogHasOneLineAFrame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "predictions.jsonl")
	r := start(t, func(c *Config) { c.PredictionLog = path })
	r.until("ten frames", func(s State) bool { return s.Frames >= 10 })
	r.stop()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]bool{}
	for line := range bytes.Lines(data) {
		var p Prediction
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if p.Variant == "" || p.Label == "" || p.Truth == "" || p.Probability <= 0 || p.Probability > 1 || p.Captured.IsZero() || seen[p.Sequence] {
			t.Errorf("prediction %+v", p)
		}
		seen[p.Sequence] = true
	}
	if len(seen) < 10 {
		t.Errorf("%d predictions for at least 10 frames", len(seen))
	}
}
