//go:build cgo

package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// The test binary is the program that fathom bench starts anew.
func init() {
	if len(os.Args) > 1 && os.Args[1] == "bench-child" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
}

func TestBench(t *testing.T) {
	file := filepath.Join(t.TempDir(), "profile.json")
	code, out, errs := fathom("bench", tiny, "--seconds", "0.05", "-o", file, "--json")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r benchReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	var names, steady, switched, segments, loaded []string
	for _, v := range b.Manifest.Variants {
		names = append(names, v.Name)
	}
	for _, s := range r.Steady {
		steady = append(steady, s.Variant)
		if s.Layout != layoutSegments || s.Threads != 1 || s.Samples < minRounds || s.P50 <= 0 || s.P50 > s.P90 || s.P90 > s.P99 || s.OverBare != nil {
			t.Errorf("steady: %+v", s)
		}
	}
	for _, s := range r.Switches {
		switched = append(switched, s.Variant)
		if s.OverSteady.Median <= 0 || s.OverSteady.Low > s.OverSteady.Median || s.OverSteady.High < s.OverSteady.Median {
			t.Errorf("switch: %+v", s)
		}
	}
	for _, l := range r.Loading {
		loaded = append(loaded, strings.Join(l.Variants, "+"))
		if l.Median.Open <= 0 || l.Median.First <= 0 || l.Median.Bytes <= 0 || l.All != (len(l.Variants) == 2) {
			t.Errorf("loading: %+v", l)
		}
	}
	for _, s := range b.Manifest.Segments {
		segments = append(segments, s.ID)
	}
	for what, diff := range map[string]string{
		"steady":   cmp.Diff(names, steady),
		"switches": cmp.Diff(names, switched),
		"loading":  cmp.Diff([]string{names[0] + "+" + names[1], names[0], names[1]}, loaded),
	} {
		if diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	if (len(r.Power) == 0) != (r.NoPower != "") {
		t.Errorf("power %v, and without because of %q", r.Power, r.NoPower)
	}
	p, err := profile.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.At(r.Begin.Board, segments, 1); err != nil {
		t.Error(err)
	}
	var text strings.Builder
	if err := r.print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range append(slices.Clone(segments), "PREPROCESSING", "FIRST AFTER A SWITCH", "clock governor: ") {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

func TestBenchRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "profile.json")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{tiny, "--threads", "0"}, exitUsage, "--threads 0"},
		{[]string{tiny, "--threads", "1,1"}, exitUsage, "each once"},
		{[]string{tiny, "--seconds=-1"}, exitUsage, "--seconds -1"},
		{[]string{tiny, "--variants", "z"}, exitUsage, `no variant "z": the bundle has net-A-1-1`},
		{[]string{tiny, "--layout", "flat"}, exitUsage, "flat"},
		{[]string{tiny, "--layout", "bare", "-o", file}, exitUsage, "--out: a profile is of layout segments"},
		{[]string{tiny, "--layout", "bare"}, exitFailure, "there is no monolithic model"},
		{[]string{tiny, "--against", tiny}, exitFailure, "is not monolithic"},
		{[]string{tiny, "--against", "../../testdata/bundles/demo"}, exitFailure, "labels differ"},
		{[]string{t.TempDir()}, exitFailure, "no manifest.json"},
	} {
		code, _, errs := fathom(append([]string{"bench", "--seconds", "0.01"}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit %d, %q; want %d, %q", c.args, code, errs, c.code, c.want)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a profile was written")
	}
}

func TestBenchStatistics(t *testing.T) {
	var took []time.Duration
	for i := range 100 {
		took = append(took, time.Duration((i*37)%100+1))
	}
	if diff := cmp.Diff(quantiles{100, 50, 90, 99}, quantilesOf(took)); diff != "" {
		t.Error(diff)
	}
	if got := deviation([]time.Duration{100, 110, 90, 100, 120, 80, 9000}); got != 14 { // median 100, deviations 0 0 10 10 20 20 8900
		t.Errorf("deviation %d, want 14", got)
	}
	if got := paired([]time.Duration{10, 22, 30}, []time.Duration{10, 20, 20}); got.Median != 1.1 {
		t.Errorf("paired %+v", got)
	}
}

// hotBoard throttles, has another governor, and is busy with others.
type hotBoard struct{}

func (hotBoard) Read(context.Context) telemetry.Snapshot {
	now := time.Now()
	s := telemetry.Snapshot{Time: now, Board: "hot"}
	s.Throttle.Throttled = telemetry.Known(true, now)
	s.Throttle.Caps = []telemetry.Cap{{Type: "cpufreq-0", OfCPU: true, State: telemetry.Known(2., now)}}
	s.Throttle.Clocks = []telemetry.Clock{{Governor: telemetry.Known("powersave", now)}, {Governor: telemetry.Known("performance", now)}}
	s.Load.OthersCPUPercent = telemetry.Known(40., now)
	s.Load.Limits.CPUCores = telemetry.Known(1.5, now)
	return s
}

// meteredBoard draws what its field says; unknown for nothing.
type meteredBoard struct{ watts telemetry.Reading[float64] }

func (b meteredBoard) Read(context.Context) telemetry.Snapshot {
	var s telemetry.Snapshot
	s.Power.Watts = b.watts
	return s
}

func TestMeasurePower(t *testing.T) {
	b, err := bundle.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	l := layout{layoutSegments, b}
	s, err := newStage([]layout{l}, 1, func(name string) bool { return name == layoutSegments })
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	measure := func(board meteredBoard) *benchReport {
		w := &boardWatch{source: board}
		w.begin = w.look(t.Context())
		r := new(benchReport)
		if err := s.measurePower(t.Context(), r, l, w, 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		return r
	}
	want := []benchPower{{"net-A-1-1", 1, 3, 3, 0}, {"net-A-2-1", 1, 3, 3, 0}} // a board that always draws the same
	if diff := cmp.Diff(want, measure(meteredBoard{telemetry.Known(3., time.Now())}).Power); diff != "" {
		t.Error(diff)
	}
	if r := measure(meteredBoard{telemetry.Unknown[float64]("no meter")}); r.NoPower != "no meter" || r.Power != nil {
		t.Errorf("%+v", r)
	}
}

func TestBoardWatchWarns(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // its second is not waited for
	w := &boardWatch{source: hotBoard{}}
	w.begin = w.look(ctx)
	got := strings.Join(w.warnings(2), "\n")
	for _, want := range []string{"the board throttled during", "capped the clock (cpufreq-0)", "governor is powersave, performance", "took 40 %", "may use 1.5 cores: 2 threads"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
