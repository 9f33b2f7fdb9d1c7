package daemon

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/runtime/engine"
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

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestPredictionLogReportsItsFailureOnce(t *testing.T) {
	var failures []string
	log := predictionLog(fullDisk{}, []string{"A"}, func(err error) { failures = append(failures, err.Error()) })
	for range 3 {
		log(camera.Frame{}, engine.Result{Scores: []float32{1}})
	}
	if d := cmp.Diff([]string{"no space left on device"}, failures); d != "" {
		t.Error(d)
	}
}
