package main

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fathom-edge/fathom/runtime/bundle"
)

// curveManifest has two variants that begin with the same segment, and one apart.
func curveManifest() *bundle.Manifest {
	return &bundle.Manifest{
		Segments: []bundle.Segment{{ID: "stem", MACs: 1e6}, {ID: "head", MACs: 1e6}, {ID: "deep", MACs: 3e6}, {ID: "other", MACs: 8e6}},
		Variants: []bundle.Variant{{Name: "a", Path: []string{"stem", "head"}}, {Name: "b", Path: []string{"stem", "deep"}}, {Name: "c", Path: []string{"other"}}},
	}
}

func TestCostsCountASharedPrefixOnce(t *testing.T) {
	c := macCosts(curveManifest())
	got := []float64{c.of(c.path("a")), c.of(c.path("b")), c.beyond("a", "b"), c.beyond("a", "c"), c.beyond("b", "b")}
	if diff := cmp.Diff([]float64{2, 4, 3, 8, 0}, got); diff != "" {
		t.Error(diff)
	}
}

// fourFrames are right where the margin is high; b is right on all but the third, c on all.
func fourFrames() []answers {
	return []answers{
		{"a", []bool{false, true, false, true}, []float32{0.1, 0.9, 0.3, 0.6}},
		{"b", []bool{true, true, false, true}, []float32{0.9, 0.9, 0.2, 0.9}},
		{"c", []bool{true, true, true, true}, []float32{1, 1, 1, 1}},
	}
}

func TestCurve(t *testing.T) {
	all, c := fourFrames(), macCosts(curveManifest())
	list, hull := singles(all, c)
	want := []single{{"a", point{2, 0.5}}, {"b", point{4, 0.75}}, {"c", point{8, 1}}}
	if diff := cmp.Diff(want, list, cmp.AllowUnexported(single{})); diff != "" {
		t.Errorf("singles (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, hull, cmp.AllowUnexported(single{})); diff != "" {
		t.Errorf("hull (-want +got):\n%s", diff)
	}
	got := curve(all[0], all[1], c, hull)
	points := []doubt{ // a quarter, a half and three quarters of the frames go on, for 3 MMAC each
		{Margin: float64(float32(0.3)), Share: 0.25, point: point{2.75, 0.75}, OverMixture: 0.75 - (0.5 + 0.25*0.75/2)},
		{Margin: float64(float32(0.6)), Share: 0.5, point: point{3.5, 0.75}, OverMixture: 0.75 - (0.5 + 0.25*1.5/2)},
		{Margin: float64(float32(0.9)), Share: 0.75, point: point{4.25, 0.75}, OverMixture: 0.75 - (0.75 + 0.25*0.25/4)},
	}
	var distinct []doubt
	for i, p := range got.Points {
		if i == 0 || p.Share != got.Points[i-1].Share {
			distinct = append(distinct, p)
		}
	}
	if diff := cmp.Diff(points, distinct, cmp.AllowUnexported(doubt{}), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	steps := chooseSteps([]pair{got, curve(all[0], all[2], c, hull), curve(all[1], all[2], c, hull)})
	wantSteps := []bundle.EscalationStep{
		{From: "a", To: "b", Margin: float64(float32(0.3)), Share: 0.25, Top1: 0.75},
		{From: "b", To: "c", Margin: float64(float32(0.9)), Share: 0.25, Top1: 1},
	}
	if diff := cmp.Diff(wantSteps, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// TestApply judges a step on the frames of TestCurve.
func TestApply(t *testing.T) {
	all, c := fourFrames(), macCosts(curveManifest())
	got := apply(bundle.EscalationStep{From: "a", To: "b", Margin: 0.2}, all, c)
	if got.Share != 0.25 || got.Top1 != 0.75 || got.Cost != 2.75 || got.Single.Variant != "a" {
		t.Errorf("%+v", got)
	}
	// One frame of four is right in place of wrong: 0.25 and a standard error of sqrt(0.25/4).
	half := 1.959964 * math.Sqrt(0.25/4)
	want := difference{0.25, 0.25 - half, 0.25 + half}
	if diff := cmp.Diff(want, got.OverSingle, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("over the best single (-want +got):\n%s", diff)
	}
	if want := 0.75 - (0.5 + 0.25*0.75/2); math.Abs(got.OverMixture.Mean-want) > 1e-12 {
		t.Errorf("over the mixture %v, want %v", got.OverMixture.Mean, want)
	}
}

func TestDataName(t *testing.T) {
	for data, want := range map[string][2]string{
		"glyphs:validation:100": {"glyphs", "validation"},
		"glyphs:test":           {"glyphs", "test"},
		"photos/test/":          {"photos", "test"},
		"photos/validation":     {"photos", "validation"},
		"my/photos":             {"photos", "validation"},
	} {
		set, split := dataName(data)
		if got := [2]string{set, split}; got != want {
			t.Errorf("%s: %v, want %v", data, got, want)
		}
	}
}
