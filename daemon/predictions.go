package daemon

import (
	"encoding/json"
	"io"
	"time"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// Prediction is one line of the prediction log: what a single frame, without
// smoothing, was taken for.
type Prediction struct {
	Captured    time.Time `json:"captured"`
	Sequence    uint64    `json:"sequence"`
	Variant     string    `json:"variant"`
	Label       string    `json:"label"`
	Probability float32   `json:"probability"`
	Truth       string    `json:"truth,omitempty"`
	LatencyMS   float64   `json:"latency_ms"`
}

// predictionLog returns a function that writes one JSON line per frame to w,
// which tells its own failures.
func predictionLog(w io.Writer, labels []string) func(camera.Frame, engine.Result) {
	encoder := json.NewEncoder(w)
	return func(f camera.Frame, r engine.Result) {
		_ = encoder.Encode(Prediction{Captured: f.Captured, Sequence: f.Sequence, Variant: r.Variant,
			Label: labels[r.Best], Probability: r.Scores[r.Best], Truth: f.Truth, LatencyMS: milliseconds(r.Latency)})
	}
}
