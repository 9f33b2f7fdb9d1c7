package daemon

import (
	"errors"
	"image"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fathom-edge/fathom/boards/camera"
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

func (e *told) SetActive(string) error { return nil }

func (e *told) SetEscalation(share float64) error { e.share = share; return nil }

func TestFlex(t *testing.T) {
	ladder := profile.Profile{Board: "b"}
	limit := func() time.Duration { return time.Hour }
	for name, tc := range map[string]struct {
		engine   Engine
		config   Config
		want     string // of the error
		punctual bool
	}{
		"none":             {spinner{}, Config{}, "", false},
		"one variant only": {spinner{}, Config{KeepDeadline: true}, "runs one variant a frame", false},
		"deadline":         {&told{}, Config{KeepDeadline: true}, "", true},
		"no costs":         {&told{refuse: errors.New("no cost of segment s")}, Config{KeepDeadline: true}, "keep_deadline: no cost of segment s", false},
	} {
		e, err := flex(tc.engine, tc.config, ladder, limit)
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
		if !tc.punctual {
			continue
		}
		if _, err := e.Infer(nil); err != nil || f.left < 59*time.Minute || f.profile.Board != "b" {
			t.Errorf("%s: %v left, profile %v, %v", name, f.left, f.profile, err)
		}
	}
}

func TestEscalations(t *testing.T) {
	m := &bundle.Manifest{
		Segments: []bundle.Segment{{ID: "stem", MACs: 10}, {ID: "more", MACs: 20}, {ID: "much", MACs: 60}, {ID: "head", MACs: 10}},
		Variants: []bundle.Variant{
			{Name: "a", Path: []string{"stem", "head"}}, {Name: "b", Path: []string{"stem", "more", "head"}},
			{Name: "c", Path: []string{"stem", "more", "much", "head"}}, {Name: "d", Path: []string{"much"}},
		},
		Escalation: &bundle.Escalation{Steps: []bundle.EscalationStep{
			{From: "a", To: "b", Share: 0.3}, {From: "b", To: "c", Share: 0.1}, {From: "c", To: "d", Share: 0.2},
		}},
	}
	rungs := func(names ...string) (p profile.Profile) {
		for _, n := range names {
			p.Rungs = append(p.Rungs, profile.Rung{Variant: n})
		}
		return p
	}
	measured := rungs("a", "b", "c")
	for i, s := range m.Segments { // 1, 2, 3 and 4 ms
		measured.Segments = append(measured.Segments, profile.Segment{ID: s.ID, Threads: 1, Cost: profile.Cost{Latency: time.Duration(i+1) * time.Millisecond}})
	}
	for name, tc := range map[string]struct {
		engine   Engine
		manifest *bundle.Manifest
		value    string
		ladder   profile.Profile
		want     []governor.Escalation
	}{
		"off":            {&told{}, m, escalationOff, rungs("a", "b", "c"), nil},
		"rigid":          {spinner{}, m, escalationAuto, rungs("a", "b", "c"), nil},
		"not calibrated": {&told{}, &bundle.Manifest{}, escalationAuto, rungs("a", "b", "c"), nil},
		"by MACs": {&told{}, m, escalationAuto, rungs("a", "b", "c"), []governor.Escalation{
			{To: "b", Share: 0.3, Cost: 30. / 40}, {To: "c", Share: 0.1, Cost: 70. / 100}}},
		"measured": {&told{}, m, escalationAuto, measured, []governor.Escalation{
			{To: "b", Share: 0.3, Cost: 6. / 7}, {To: "c", Share: 0.1, Cost: 7. / 10}}},
		"b is not on the ladder": {&told{}, m, escalationAuto, rungs("a", "c", "d"), []governor.Escalation{
			{}, {To: "d", Share: 0.2, Cost: 1}}},
		"one rung": {&told{}, m, escalationAuto, rungs("a"), []governor.Escalation{}},
	} {
		got := escalations(tc.engine, Config{Escalation: tc.value, Threads: 1}, tc.manifest, tc.ladder)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
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
		{engine.Result{Variant: "b", Latency: 9, First: "a", FirstLatency: 4}, governor.Observation{Variant: "a", Threads: 2, Latency: 4, Again: 5}},
	} {
		if diff := cmp.Diff(tc.want, observed(tc.result, 2), cmpopts.IgnoreFields(governor.Observation{}, "Time")); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tc.result, diff)
		}
	}
}

func TestApplyEscalates(t *testing.T) {
	e := &told{}
	p := NewPipeline(PipelineConfig{Engine: e, Escalate: e.SetEscalation})
	if err := p.Apply(governor.Decision{Variant: "a", FramePeriod: time.Second, Escalation: 0.25}); err != nil || e.share != 0.25 {
		t.Errorf("escalates a share of %v, %v", e.share, err)
	}
}

// A second look is no switch, and counts for the variant that answered.
func TestEscalatedFrame(t *testing.T) {
	m, c := testMonitor(io.Discard)
	classify(m, c, 1, "a-1", 0, "cat")
	r := engine.Result{Variant: "a-2", Latency: 5 * time.Millisecond, First: "a-1", FirstLatency: 2 * time.Millisecond, Best: 1}
	m.Classified(camera.Frame{Sequence: 2, Captured: c.now, Truth: "dog", Image: image.NewRGBA(image.Rect(0, 0, 4, 4))}, "", image.Rect(0, 0, 4, 4), r, []float64{0.1, 0.9})
	s := m.State()
	if s.Active != 0 || s.Switches != 0 || s.Escalated != 1 || s.Frame.Variant != "a-2" || s.Frame.First != "a-1" {
		t.Errorf("active %d, %d switches, %d escalated, %+v", s.Active, s.Switches, s.Escalated, s.Frame)
	}
	if diff := cmp.Diff(&Tally{Right: 1, Of: 1}, s.Ladder[1].Seen); diff != "" || s.Ladder[1].Frames != 1 {
		t.Errorf("%+v", s.Ladder[1])
	}
	if got := flat(scrape(t, m)["fathom_escalations_total"]); !slices.Equal(got, []string{"a-1 a-2 1"}) {
		t.Errorf("fathom_escalations_total: %v", got)
	}
}
