package bundle

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func escalation() *Escalation {
	return &Escalation{Dataset: "glyphs", Split: "validation", Samples: 100,
		Steps: []EscalationStep{{From: "a-1", To: "a-2", Margin: 0.4, Share: 0.2, Top1: 0.95}}}
}

func TestValidateRefusesEscalation(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(e *Escalation)
		want   string
	}{
		"dataset":    {func(e *Escalation) { e.Dataset = "" }, "the dataset of the escalation must have"},
		"split":      {func(e *Escalation) { e.Split = "" }, "the split of the escalation must have"},
		"test split": {func(e *Escalation) { e.Split = "test" }, "calibrate it on the validation split"},
		"samples":    {func(e *Escalation) { e.Samples = 0 }, "1 steps on 0 samples"},
		"no steps":   {func(e *Escalation) { e.Steps = nil }, "0 steps"},
		"unknown":    {func(e *Escalation) { e.Steps[0].To = "a-3" }, "both must be variants"},
		"shallower":  {func(e *Escalation) { e.Steps[0].From, e.Steps[0].To = "a-2", "a-1" }, "further down the list"},
		"itself":     {func(e *Escalation) { e.Steps[0].To = "a-1" }, "further down the list"},
		"twice":      {func(e *Escalation) { e.Steps = append(e.Steps, e.Steps[0]) }, "two escalations from a-1"},
		"margin":     {func(e *Escalation) { e.Steps[0].Margin = 0 }, "margin 0 must be"},
		"NaN":        {func(e *Escalation) { e.Steps[0].Margin = math.NaN() }, "margin NaN must be"},
		"share":      {func(e *Escalation) { e.Steps[0].Share = 2 }, "share 2"},
		"top1":       {func(e *Escalation) { e.Steps[0].Top1 = -1 }, "top1 -1"},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := sample()
			m.Escalation = escalation()
			if err := m.Validate(); err != nil {
				t.Fatalf("unchanged: %v", err)
			}
			tc.change(m.Escalation)
			wantError(t, m.Validate(), tc.want)
		})
	}
}

func TestSetEscalation(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "b")
	write(t, dir)
	before := listing(t, dir)
	for _, want := range []*Escalation{escalation(), nil} {
		if err := SetEscalation(dir, want); err != nil {
			t.Fatal(err)
		}
		b, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		m, _ := sample()
		m.Escalation = want
		if diff := cmp.Diff(m, b.Manifest); diff != "" {
			t.Errorf("manifest (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want.Step("a-1"), b.Manifest.Escalation.Step("a-1")); diff != "" {
			t.Error(diff)
		}
		if s := b.Manifest.Escalation.Step("a-2"); s != nil {
			t.Errorf("a step from the deepest: %+v", s)
		}
	}
	if diff := cmp.Diff(before, listing(t, dir)); diff != "" {
		t.Errorf("files (-before +after):\n%s", diff)
	}
	bad := escalation()
	bad.Steps[0].Margin = 2
	wantError(t, SetEscalation(dir, bad), "margin 2")
	wantError(t, SetEscalation(t.TempDir(), nil), "not a bundle")
	if b, err := Open(dir); err != nil || b.Manifest.Escalation != nil {
		t.Errorf("after what was refused: %v", err)
	}
}
