package profile

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func timed(variant string, threads int, ms, accuracy float64) Measurement {
	cost := Cost{Latency: time.Duration(ms * float64(time.Millisecond)), StdDev: time.Microsecond, Source: Measured}
	return Measurement{Rung: Rung{Variant: variant, MACs: 1000, Accuracy: &accuracy, Cost: cost}, Threads: threads}
}

func TestMeasured(t *testing.T) {
	cost := Cost{Latency: time.Millisecond, Source: Measured}
	segments := []Segment{{"s", 1, cost}, {"t", 1, cost}, {"s", 2, cost}}
	list := []Measurement{
		timed("deep", 2, 3, 0.9), timed("shallow", 2, 1, 0.8),
		timed("deep", 1, 4, 0.9), timed("useless", 1, 3, 0.7), timed("shallow", 1, 2, 0.8),
	}
	p, err := FromMeasurements("a board", list, segments)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Rung{list[4].Rung, list[2].Rung}, p.Rungs); diff != "" {
		t.Errorf("the ladder at the fewest threads (-want +got):\n%s", diff)
	}
	file := filepath.Join(t.TempDir(), "p.json")
	if err := Write(file, p); err != nil {
		t.Fatal(err)
	}
	if p, err = Read(file); err != nil {
		t.Fatal(err)
	}
	got, err := p.At("a board", []string{"s"}, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := Profile{Board: "a board", Rungs: []Rung{list[1].Rung, list[0].Rung}, Segments: []Segment{segments[2]}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("at 2 threads (-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		board    string
		segments []string
		threads  int
		want     string
	}{
		{"another", []string{"s"}, 1, "measured on a board, and this is another"},
		{"a board", []string{"s"}, 4, "nothing was measured with 4 threads"},
		{"a board", []string{"s", "u"}, 1, "segment u of the bundle was not measured with 1 threads"},
		{"a board", []string{"s", "t"}, 2, "segment t of the bundle was not measured with 2 threads"},
	} {
		if _, err := p.At(c.board, c.segments, c.threads); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("At(%q, %v, %d): %v, want %q", c.board, c.segments, c.threads, err, c.want)
		}
	}
}

func TestMeasuredRefuses(t *testing.T) {
	nan := math.NaN()
	bad := timed("a", 1, 1, 0.5)
	bad.Watts = &nan
	unnamed := timed("", 1, 1, 0.5)
	for want, list := range map[string][]Measurement{
		"no measurements":   nil,
		"0 threads":         {timed("a", 1, 1, 0.5), timed("b", 0, 1, 0.5)},
		"measured twice":    {timed("a", 1, 1, 0.5), timed("b", 2, 2, 0.6), timed("b", 2, 2, 0.6)},
		"power of NaN":      {bad},
		"no variant name":   {timed("a", 1, 1, 0.5), unnamed},
		"accuracy 2 is not": {timed("a", 1, 1, 0.5), timed("b", 2, 1, 2)},
	} {
		if _, err := FromMeasurements("a board", list, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
