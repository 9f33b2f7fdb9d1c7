package daemon

import (
	"errors"
	"image"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// told is an engine that notes what it is told.
type told struct {
	Engine
	left    time.Duration
	profile *profile.Profile
	share   float64
	refuse  error
}

func (e *told) InferBy(_ image.Image, deadline time.Time) (engine.Result, error) {
	e.left = time.Until(deadline)
	return engine.Result{Variant: "a"}, nil
}

func (e *told) SetProfile(p *profile.Profile) error { e.profile = p; return e.refuse }

func (e *told) SetEscalation(share float64) error { e.share = share; return nil }

func TestFlex(t *testing.T) {
	calibrated := &bundle.Manifest{Escalation: &bundle.Escalation{}}
	ladder := profile.Profile{Board: "b"}
	limit := func() time.Duration { return time.Hour }
	for name, tc := range map[string]struct {
		engine   Engine
		config   Config
		manifest *bundle.Manifest
		want     string // of the error
		punctual bool
	}{
		"neither":            {spinner{}, Config{}, &bundle.Manifest{}, "", false},
		"one variant only":   {spinner{}, Config{KeepDeadline: true}, calibrated, "runs one variant a frame", false},
		"deadline":           {&told{}, Config{KeepDeadline: true}, &bundle.Manifest{}, "", true},
		"no costs":           {&told{refuse: errors.New("no cost of segment s")}, Config{KeepDeadline: true}, calibrated, "keep_deadline: no cost of segment s", false},
		"escalation":         {&told{}, Config{Escalation: 0.2}, calibrated, "", false},
		"both":               {&told{}, Config{Escalation: 0.2, KeepDeadline: true}, calibrated, "", true},
		"without its margin": {&told{}, Config{Escalation: 0.2}, &bundle.Manifest{}, "run fathom eval --escalation", false},
	} {
		e, err := flex(tc.engine, tc.config, tc.manifest, ladder, limit)
		if tc.want != "" {
			if err == nil || e != nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %v, want an error with %q", name, err, tc.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f, ok := tc.engine.(*told)
		if !ok {
			continue
		}
		if f.share != tc.config.Escalation {
			t.Errorf("%s: escalates a share of %v", name, f.share)
		}
		if !tc.punctual {
			continue
		}
		if _, err := e.Infer(nil); err != nil || f.left < 59*time.Minute || f.profile.Board != "b" {
			t.Errorf("%s: %v left, profile %v, %v", name, f.left, f.profile, err)
		}
	}
}

func TestInferenceLimit(t *testing.T) {
	if got := inferenceLimit(governor.Objectives{FPS: 5}); got != 200*time.Millisecond {
		t.Errorf("without a deadline: %v", got)
	}
	if got := inferenceLimit(governor.Objectives{FPS: 5, Deadline: 50 * time.Millisecond}); got != 50*time.Millisecond {
		t.Errorf("with a deadline: %v", got)
	}
}

// The governor compares latencies with those of one variant.
func TestObserved(t *testing.T) {
	for _, tc := range []struct {
		result engine.Result
		want   governor.Observation
	}{
		{engine.Result{Variant: "a", Latency: 3}, governor.Observation{Variant: "a", Threads: 2, Latency: 3}},
		{engine.Result{Variant: "b", Latency: 9, First: "a", FirstLatency: 4}, governor.Observation{Variant: "a", Threads: 2, Latency: 4}},
	} {
		if diff := cmp.Diff(tc.want, observed(tc.result, 2), cmpopts.IgnoreFields(governor.Observation{}, "Time")); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tc.result, diff)
		}
	}
}
