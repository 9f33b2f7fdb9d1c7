package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// cold is a board that throttles at 80 degrees.
type cold struct{}

func (cold) Read(context.Context) telemetry.Snapshot {
	return telemetry.Snapshot{Heat: telemetry.Heat{HottestCelsius: telemetry.Known(40., time.Now()), LimitCelsius: telemetry.Known(80., time.Now())}}
}

// steered builds controls of a loop that never runs, and tells what was paused.
func steered(t *testing.T, spec governor.Spec) (*Controls, *[]bool, *bytes.Buffer) {
	t.Helper()
	accuracy := []float64{0.8, 0.9}
	ladder := profile.Profile{Rungs: []profile.Rung{
		{Variant: "a", Accuracy: &accuracy[0], MACs: 1, Cost: profile.Cost{Latency: 10 * time.Millisecond, Source: profile.Estimated}},
		{Variant: "b", Accuracy: &accuracy[1], MACs: 2, Cost: profile.Cost{Latency: 20 * time.Millisecond, Source: profile.Estimated}},
	}}
	policy, err := governor.New(spec, ladder)
	if err != nil {
		t.Fatal(err)
	}
	loop, err := governor.NewLoop(governor.LoopConfig{Policy: policy, Profile: ladder, Objectives: governor.Objectives{FPS: 5},
		Source: cold{}, Apply: func(governor.Decision) {}})
	if err != nil {
		t.Fatal(err)
	}
	var paused []bool
	log := &bytes.Buffer{}
	return NewControls(ControlsConfig{Policy: spec, Ladder: ladder, Loop: loop, Log: slog.New(slog.NewTextHandler(log, nil)),
		Pause: func(p bool) { paused = append(paused, p) }}), &paused, log
}

func TestControlsChangeWhollyOrNot(t *testing.T) {
	tuned := governor.Spec{Name: governor.StepwiseName, Stepwise: &governor.StepwiseConfig{Dwell: 3 * time.Second}}
	c, paused, log := steered(t, tuned)
	var seen []Settings
	c.Watch(func(s Settings) { seen = append(seen, s) })
	set := func(edit func(*Settings)) error {
		_, err := c.Change("test", func(s *Settings) error { edit(s); return nil })
		return err
	}
	if err := set(func(s *Settings) { s.Policy, s.Objectives.FPS, s.Paused = governor.PredictiveName, 2, true }); err != nil {
		t.Fatal(err)
	}
	for want, edit := range map[string]func(*Settings){
		"magic":       func(s *Settings) { s.Policy, s.Paused = "magic", false },
		"fps":         func(s *Settings) { s.Objectives.FPS, s.Policy = math.NaN(), governor.FixedName },
		"least_depth": func(s *Settings) { s.Objectives.LeastDepth, s.Paused = "z", false },
		"throttles":   func(s *Settings) { s.Objectives.CeilingCelsius, s.Paused = 99, false },
	} {
		if err := set(edit); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	refused := errors.New("no")
	if _, err := c.Change("test", func(s *Settings) error { s.Paused = false; return refused }); err != refused {
		t.Error(err)
	}
	if err := set(func(*Settings) {}); err != nil { // changes nothing: nobody is told
		t.Error(err)
	}
	if err := set(func(s *Settings) { s.Policy, s.Paused = governor.StepwiseName, false }); err != nil {
		t.Fatal(err)
	}
	want := []Settings{
		{Policy: governor.StepwiseName, Objectives: governor.Objectives{FPS: 5}},
		{Policy: governor.PredictiveName, Objectives: governor.Objectives{FPS: 2}, Paused: true},
		{Policy: governor.StepwiseName, Objectives: governor.Objectives{FPS: 2}},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]bool{true, false}, *paused); diff != "" {
		t.Errorf("paused (-want +got):\n%s", diff)
	}
	if got := c.config.Loop.Policy().Spec().Stepwise; got == nil || got.Dwell != 3*time.Second {
		t.Errorf("the configured policy came back as %+v", got)
	}
	if n := strings.Count(log.String(), "settings changed"); n != 2 {
		t.Errorf("%d changes in the log:\n%s", n, log)
	}
}
