package sim

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry/recording"
	"github.com/fathom-edge/fathom/governor"
)

// recorded is a recording of a simulated board under a policy, as text.
func recorded(t *testing.T, c *Case, policy governor.Spec) []byte {
	t.Helper()
	var text bytes.Buffer
	w, err := recording.NewWriter(&text, recording.Header{Started: c.Start, Period: time.Second, Board: c.Board.Name}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Run(t.Context(), policy, RunOptions{Record: func(r governor.Record) {
		if err := w.Snapshot(r.Input.Snapshot); err != nil {
			t.Error(err)
		}
	}}); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// A recording leads back to the weather that it was made in.
func TestRecordingReplays(t *testing.T) {
	trace := quiet("weather", 40*time.Minute, 0, 0.6)
	trace.Ambient = Signal{{Points: []SignalPoint{{0, 20}, {15 * time.Minute, 20}, {25 * time.Minute, 28}}}}
	trace.Load = Signal{{Steps: []SignalPoint{{0, 0.05}, {20 * time.Minute, 0.4}}}}
	c := newCase(t, Setup{Board: Pi4Bare(), Trace: trace})
	text := recorded(t, c, governor.Spec{Name: governor.StepwiseName})

	file := filepath.Join(t.TempDir(), "porch.jsonl")
	if err := os.WriteFile(file, append(text, `{"snapshot":{"ti`...), 0o644); err != nil { // the power went
		t.Fatal(err)
	}
	back, err := FindTrace(file)
	if err != nil {
		t.Fatal(err)
	}
	if back.Name != "porch" || back.Duration < 39*time.Minute || !strings.Contains(back.About, c.Board.Name) {
		t.Errorf("%s, %v, %s", back.Name, back.Duration, back.About)
	}
	replay := newCase(t, Setup{Board: c.Board, Trace: back})
	for i := 300; i < len(replay.Weather); i += 60 {
		// Beside inference other programs get a little less than they want.
		near(t, "load", replay.Weather[i].Load, c.Weather[i-1].Load, 0.11)
		near(t, "air", replay.Weather[i].AmbientCelsius-c.Weather[i].AmbientCelsius, replay.Weather[300].AmbientCelsius-c.Weather[300].AmbientCelsius, 2)
	}
	a := runCase(t, replay, governor.Spec{Name: governor.StepwiseName})
	if a.Seconds != len(replay.Weather) || a.Utility() < 0.7 {
		t.Errorf("%+v", a)
	}
}

func TestRecordingWithoutTemperaturesIsRefused(t *testing.T) {
	var text bytes.Buffer
	if _, err := recording.NewWriter(&text, recording.Header{Period: time.Second}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := RecordedTrace("empty", text.Bytes()); err == nil || !strings.Contains(err.Error(), "temperatures") {
		t.Errorf("%v", err)
	}
}
