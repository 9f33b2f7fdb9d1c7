package profile

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func some(v float64) *float64 { return &v }

func names(rungs []Rung) []string {
	var n []string
	for _, r := range rungs {
		n = append(n, r.Variant)
	}
	return n
}

func TestFromVariantsKeepsWhatIsWorthHaving(t *testing.T) {
	for _, tt := range []struct {
		name       string
		candidates []Candidate
		want       []string
	}{
		{"rising", []Candidate{{"b", 2e6, some(.9)}, {"a", 1e6, some(.8)}}, []string{"a", "b"}},
		{"dearer and worse", []Candidate{{"a", 1e6, some(.8)}, {"b", 2e6, some(.7)}, {"c", 3e6, some(.9)}}, []string{"a", "c"}},
		{"dearer and equal", []Candidate{{"a", 1e6, some(.8)}, {"b", 2e6, some(.8)}}, []string{"a"}},
		{"same cost", []Candidate{{"a", 1e6, some(.8)}, {"b", 1e6, some(.9)}}, []string{"b"}},
		{"no accuracy", []Candidate{{"c", 3e6, nil}, {"a", 1e6, nil}, {"b", 2e6, nil}}, []string{"a", "b", "c"}},
		{"some accuracy", []Candidate{{"a", 1e6, some(.9)}, {"b", 2e6, nil}, {"c", 3e6, some(.8)}}, []string{"a", "b"}},
	} {
		p, err := FromVariants(tt.candidates, 1e9, "test")
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, names(p.Rungs)); diff != "" {
			t.Errorf("%s: rungs (-want +got):\n%s", tt.name, diff)
		}
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestFromVariantsEstimates(t *testing.T) {
	p, err := FromVariants([]Candidate{{"a", 7_400_000, nil}}, 7.4e9, "Raspberry Pi 4")
	if err != nil {
		t.Fatal(err)
	}
	want := Profile{Board: "Raspberry Pi 4", Rungs: []Rung{{
		Variant: "a", MACs: 7_400_000,
		Cost: Cost{Latency: time.Millisecond, StdDev: 500 * time.Microsecond, Source: Estimated},
	}}}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
}

func TestFromVariantsRefuses(t *testing.T) {
	good := Candidate{"a", 1e6, nil}
	for _, tt := range []struct {
		candidates []Candidate
		throughput MACsPerSecond
		want       string
	}{
		{nil, 1e9, "no variants"},
		{[]Candidate{good}, 0, "throughput"},
		{[]Candidate{good}, MACsPerSecond(math.NaN()), "throughput"},
		{[]Candidate{good}, MACsPerSecond(math.Inf(1)), "throughput"},
		{[]Candidate{good}, 1e-9, "more than a day"},
		{[]Candidate{good, good}, 1e9, "twice"},
		{[]Candidate{{"", 1, nil}}, 1e9, "empty"},
		{[]Candidate{{"a", 0, nil}}, 1e9, "MACs"},
		{[]Candidate{{"a", 1, some(math.NaN())}}, 1e9, "accuracy"},
		{[]Candidate{{"a", 1, some(1.1)}}, 1e9, "accuracy"},
	} {
		_, err := FromVariants(tt.candidates, tt.throughput, "")
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("FromVariants(%v, %v): %v, want an error with %q", tt.candidates, tt.throughput, err, tt.want)
		}
	}
}

func measured(variant string, latency time.Duration, accuracy *float64) Rung {
	return Rung{variant, 1e6, accuracy, Cost{latency, latency / 10, Measured}}
}

func TestValidateRefuses(t *testing.T) {
	for _, tt := range []struct {
		rungs []Rung
		want  string
	}{
		{nil, "empty"},
		{[]Rung{measured("", 1, nil)}, "no variant name"},
		{[]Rung{measured("a", 1, nil), measured("a", 2, nil)}, "rungs 0 and 1"},
		{[]Rung{measured("a", 2, nil), measured("b", 1, nil)}, "faster"},
		{[]Rung{measured("a", 0, nil)}, "positive latency"},
		{[]Rung{measured("a", 25*time.Hour, nil)}, "at most 24h"},
		{[]Rung{measured("a", 1, some(.5)), measured("b", 2, nil), measured("c", 3, some(.5))}, "no more accurate"},
		{[]Rung{measured("a", 1, some(math.NaN()))}, "accuracy"},
		{[]Rung{{"a", 1, nil, Cost{1, 0, "guessed"}}}, "source"},
		{[]Rung{{"a", 0, nil, Cost{1, 0, Measured}}}, "MACs"},
	} {
		err := Profile{Rungs: tt.rungs}.Validate()
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Validate(%v): %v, want an error with %q", tt.rungs, err, tt.want)
		}
	}
}

func segment(id string, threads int, latency time.Duration) Segment {
	return Segment{id, threads, Cost{latency, latency / 10, Measured}}
}

func TestValidateRefusesSegments(t *testing.T) {
	for _, tt := range []struct {
		segments []Segment
		want     string
	}{
		{[]Segment{segment("", 1, 1)}, "no ID"},
		{[]Segment{segment("s", 0, 1)}, "0 threads"},
		{[]Segment{segment("s", 1, 1), segment("s", 2, 1), segment("s", 1, 2)}, "segment s stands twice with 1 threads"},
		{[]Segment{segment("s", 1, 0)}, "segment s: latency 0s"},
		{[]Segment{{"s", 1, Cost{1, -1, Measured}}}, "segment s: latency"},
		{[]Segment{{"s", 1, Cost{1, 0, ""}}}, "segment s: source"},
	} {
		err := Profile{Rungs: []Rung{measured("a", 1, nil)}, Segments: tt.segments}.Validate()
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Validate(%v): %v, want an error with %q", tt.segments, err, tt.want)
		}
	}
}

func TestSegmentCosts(t *testing.T) {
	p := Profile{Segments: []Segment{segment("s", 1, 30), segment("s", 2, 20), segment("r", 1, 10)}}
	for threads, want := range map[int]map[string]Cost{
		1: {"s": {30, 3, Measured}, "r": {10, 1, Measured}},
		2: {"s": {20, 2, Measured}},
		3: {},
	} {
		if diff := cmp.Diff(want, p.SegmentCosts(threads)); diff != "" {
			t.Errorf("%d threads (-want +got):\n%s", threads, diff)
		}
	}
}

func TestIndex(t *testing.T) {
	p := Profile{Rungs: []Rung{measured("a", 1, nil), measured("b", 2, nil)}}
	if i, ok := p.Index("b"); i != 1 || !ok {
		t.Errorf("Index(b) = %d, %t", i, ok)
	}
	if _, ok := p.Index("c"); ok {
		t.Error("Index(c) found a variant that is not there")
	}
}

func TestStartThroughput(t *testing.T) {
	for _, tt := range []struct {
		board   string
		threads int
		want    float64
	}{
		{"Raspberry Pi 4 Model B Rev 1.4", 4, 7.4e9},
		{"Raspberry Pi 4 Model B Rev 1.4", 16, 7.4e9},
		{"Raspberry Pi 4 Model B Rev 1.4", 1, 7.4e9 / 2.2},
		{"Raspberry Pi Zero 2 W Rev 1.0", 4, 4.4e9},
		{"Raspberry Pi 5 Model B Rev 1.0", 4, 31e9},
		{"NVIDIA Jetson Orin Nano Developer Kit", 4, 52e9},
		{"NVIDIA Jetson Nano Developer Kit", 4, 20e9},
		{"something else", 4, 3.8e9},
		{"", 0, 3.8e9 / 2.2},
	} {
		if got := float64(StartThroughput(tt.board, tt.threads)); math.Abs(got-tt.want) > 1 {
			t.Errorf("StartThroughput(%q, %d) = %g, want %g", tt.board, tt.threads, got, tt.want)
		}
	}
}

func TestWriteRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "profile.json")
	if _, err := Read(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Read of a missing file: %v", err)
	}
	want := Profile{
		Board: "b", Rungs: []Rung{measured("a", 1, some(.1)), measured("b", 2, nil)},
		Segments: []Segment{segment("s", 1, 30), segment("s", 2, 20)},
	}
	for range 2 { // the second replaces the first
		if err := Write(path, want); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left in the folder: %v, %v", entries, err)
	}
	if err := Write(path, Profile{}); err == nil {
		t.Error("wrote an empty ladder")
	}
	if err := Write(filepath.Join(path, "below-a-file"), want); err == nil {
		t.Error("wrote below a file")
	}
}

func TestReadRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "profile.json")
	for content, want := range map[string]string{
		"":                                  "not a profile",
		"{}":                                "no format number",
		`{"format":2,"rungs":[]}`:           "newer",
		`{"format":1,"rungs":[]}`:           "empty",
		strings.Repeat(" ", maxFileBytes+1): "longer",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("Read of %.20q: %v, want an error with %q", content, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"format":1,"board":"b","rungs":[{"variant":"a","macs":1,"accuracy":0.5,"cost":{"latency_ns":1,"stddev_ns":0,"source":"measured"}}]}`)
	f.Add(`{"format":1,"rungs":[{"variant":"a","macs":1,"cost":{"latency_ns":1,"stddev_ns":0,"source":"measured"}}],"segments":[{"segment":"s","threads":1,"cost":{"latency_ns":1,"stddev_ns":0,"source":"measured"}}]}`)
	f.Add(`{"format":1,"rungs":[{"variant":"a","macs":1,"cost":{"latency_ns":1,"stddev_ns":0,"source":"measured"}}],"measurements":[{"variant":"a","macs":1,"cost":{"latency_ns":1,"stddev_ns":0,"source":"measured"},"threads":2,"watts":3.5}]}`)
	f.Add(`{"format":1}`)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parse(strings.NewReader(s))
		if (err != nil) != reflect.DeepEqual(p, Profile{}) {
			t.Errorf("error %v with %+v", err, p)
		}
		if err == nil {
			if err := p.Validate(); err != nil {
				t.Error(err)
			}
			if at, err := p.At(p.Board, nil, 2); (err != nil) != reflect.DeepEqual(at, Profile{}) {
				t.Errorf("at 2 threads: error %v with %+v", err, at)
			}
		}
	})
}
