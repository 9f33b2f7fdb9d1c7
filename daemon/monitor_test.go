package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// clock is a time that a test moves.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func testMonitor(log io.Writer) (*Monitor, *clock) {
	c := &clock{now: time.Unix(1000, 0)}
	m := NewMonitor(MonitorConfig{
		Manifest: &bundle.Manifest{Name: "test", Labels: []string{"cat", "dog"},
			Variants: []bundle.Variant{{Name: "a-1", Depth: []int{1}}, {Name: "a-2", Depth: []int{2}}}},
		Profile: profile.Profile{Rungs: []profile.Rung{
			{Variant: "a-1", MACs: 10, Cost: profile.Cost{Latency: time.Millisecond}},
			{Variant: "a-2", MACs: 20, Cost: profile.Cost{Latency: 2 * time.Millisecond}}}},
		Source: "somewhere", Policy: "fixed", StaleAfter: 10 * time.Second,
		Log: slog.New(slog.NewTextHandler(log, nil)), Now: c.Now,
	})
	return m, c
}

// classify notes a frame whose probabilities make label the answer.
func classify(m *Monitor, c *clock, sequence uint64, variant string, label int, truth string) {
	scores := []float32{0.2, 0.2}
	scores[label] = 0.8
	m.Classified(camera.Frame{Sequence: sequence, Captured: c.now, Truth: truth, Image: image.NewGray(image.Rect(0, 0, 64, 48))}, "",
		image.Rect(0, 0, 64, 48),
		engine.Result{Variant: variant, Scores: scores, Best: label, Latency: 3 * time.Millisecond},
		[]float64{float64(scores[0]), float64(scores[1])})
}

func snapshot(celsius telemetry.Reading[float64]) telemetry.Snapshot {
	return telemetry.Snapshot{Board: "bench", Heat: telemetry.Heat{HottestCelsius: celsius,
		LimitCelsius: telemetry.Known(80., time.Unix(0, 0))}}
}

func TestHealth(t *testing.T) {
	var log bytes.Buffer
	m, c := testMonitor(&log)
	expect := func(want Health) {
		t.Helper()
		if diff := cmp.Diff(want, m.Health()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	expect(Health{Status: HealthOK, Reasons: []string{}})
	for range 5 {
		m.CameraFailed(errors.New("camera: no route to host"))
	}
	expect(Health{Status: HealthDegraded, Reasons: []string{"camera: no route to host"}})
	m.Sensed(snapshot(telemetry.Unknown[float64]("EAGAIN")))
	m.InferenceFailed(errors.New("odd picture"))
	c.now = c.now.Add(11 * time.Second)
	expect(Health{Status: HealthDegraded, Stale: true, Reasons: []string{"camera: no route to host", "inference: odd picture",
		"temperature: EAGAIN", "no frame classified yet, after 11s"}})
	for i := range uint64(5) {
		classify(m, c, i, "a-1", 0, "")
	}
	m.Sensed(snapshot(telemetry.Known(50., c.now)))
	expect(Health{Status: HealthOK, Reasons: []string{}})
	c.now = c.now.Add(11 * time.Second)
	expect(Health{Status: HealthDegraded, Stale: true, Reasons: []string{"no frame classified for 11s"}})
	for part, want := range map[string]int{"degraded part=camera": 1, "recovered part=camera": 1,
		"degraded part=temperature": 1, "recovered part=temperature": 1, "recovered part=inference": 1} {
		if n := strings.Count(log.String(), part); n != want {
			t.Errorf("%q stands %d times in the log, want %d:\n%s", part, n, want, &log)
		}
	}
}

// A camera that damages pictures now and then is told once, not with every one of them.
func TestAPartThatFailsNowAndThenIsToldOnce(t *testing.T) {
	var log bytes.Buffer
	m, c := testMonitor(&log)
	for i := range uint64(100) {
		c.now = c.now.Add(settle / 5)
		if i%3 == 0 {
			m.CameraFailed(errors.New("damaged"))
		} else {
			classify(m, c, i, "a-1", 0, "")
		}
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 || m.Health().Status != HealthDegraded {
		t.Errorf("%d lines of log, want 1; %+v", lines, m.Health())
	}
	c.now = c.now.Add(settle)
	classify(m, c, 100, "a-1", 0, "")
	if m.Health().Status != HealthOK || !strings.Contains(log.String(), "recovered part=camera") {
		t.Errorf("%+v, log:\n%s", m.Health(), &log)
	}
}

func TestRungsThatNeverRanAreAsMuchSlowerAsTheOthers(t *testing.T) {
	var variants []bundle.Variant
	var rungs []profile.Rung
	for i, name := range []string{"a-1", "a-2", "a-3", "a-4"} {
		variants = append(variants, bundle.Variant{Name: name, Depth: []int{i + 1}})
		rungs = append(rungs, profile.Rung{Variant: name, Cost: profile.Cost{Latency: time.Duration(i+1) * 100 * time.Microsecond}})
	}
	c := &clock{now: time.Unix(1000, 0)}
	m := NewMonitor(MonitorConfig{Manifest: &bundle.Manifest{Labels: []string{"cat", "dog"}, Variants: variants},
		Profile: profile.Profile{Rungs: rungs}, StaleAfter: time.Minute, Log: slog.New(slog.DiscardHandler), Now: c.Now})
	shown := func() (list []float64) {
		for _, r := range m.State().Ladder {
			list = append(list, math.Round(1e6*r.LatencyMS)/1e6)
		}
		return list
	}
	for _, step := range []struct {
		ran  string
		want []float64
	}{
		{"", []float64{0.1, 0.2, 0.3, 0.4}},
		{"a-3", []float64{1, 2, 3, 4}}, // 3 ms is ten times the profile's
		{"a-1", []float64{3, 4, 3, 8}}, // and thirty times: between the two
		{"a-4", []float64{3, 2, 3, 3}}, // 7.5 times; the median is ten
		{"a-2", []float64{3, 3, 3, 3}},
	} {
		if step.ran != "" {
			classify(m, c, 0, step.ran, 0, "")
		}
		if diff := cmp.Diff(step.want, shown()); diff != "" {
			t.Errorf("after %s (-want +got)\n%s", step.ran, diff)
		}
	}
}

func TestStateCounts(t *testing.T) {
	m, c := testMonitor(io.Discard)
	classify(m, c, 7, "a-1", 0, "cat")
	classify(m, c, 10, "a-1", 1, "cat") // two dropped
	classify(m, c, 11, "a-2", 1, "dog") // a switch
	classify(m, c, 0, "a-2", 1, "dog")  // the camera began again
	s := m.State()
	if s.Frames != 4 || s.Dropped != 2 || s.Switches != 1 || s.Active != 1 {
		t.Errorf("%d frames, %d dropped, %d switches, active %d", s.Frames, s.Dropped, s.Switches, s.Active)
	}
	if diff := cmp.Diff(&Tally{Right: 3, Of: 4}, s.Accuracy); diff != "" {
		t.Errorf("accuracy (-want +got)\n%s", diff)
	}
	want := []LadderRung{
		{Variant: "a-1", Depth: []int{1}, MACs: 10, LatencyMS: 3, Frames: 2, Seen: &Tally{Right: 1, Of: 2}},
		{Variant: "a-2", Depth: []int{2}, MACs: 20, LatencyMS: 3, Frames: 2, Seen: &Tally{Right: 2, Of: 2}},
	}
	if diff := cmp.Diff(want, s.Ladder); diff != "" {
		t.Errorf("ladder (-want +got)\n%s", diff)
	}
	if s.Frame.Label != "dog" || len(s.Frame.Top) != 2 || s.Frame.Top[1].Label != "cat" {
		t.Errorf("frame %+v", s.Frame)
	}
	c.now = c.now.Add(2 * accuracyWindow)
	m.Sensed(snapshot(telemetry.Known(50., c.now)))
	if s := m.State(); s.Accuracy != nil || s.Ladder[1].Seen.Of != 2 {
		t.Errorf("two minutes later: accuracy %v, account of the run %v", s.Accuracy, s.Ladder[1].Seen)
	}
}

func TestCeilingComesFromTheBoardOrTheUser(t *testing.T) {
	m, c := testMonitor(io.Discard)
	if got := m.State().Ceiling; got != 0 {
		t.Errorf("ceiling %v before the board was read", got)
	}
	m.Sensed(snapshot(telemetry.Known(50., c.now)))
	if got := m.State().Ceiling; got != 75 {
		t.Errorf("ceiling %v, want 5 K below the limit", got)
	}
}

// scrape reads the metrics as Prometheus would.
func scrape(t *testing.T, m *Monitor) map[string]*dto.MetricFamily {
	t.Helper()
	answer := httptest.NewRecorder()
	m.MetricsHandler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// flat writes the values of a family as label values and number.
func flat(f *dto.MetricFamily) []string {
	var list []string
	for _, m := range f.GetMetric() {
		words := ""
		for _, l := range m.GetLabel() {
			words += l.GetValue() + " "
		}
		value := m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		list = append(list, fmt.Sprintf("%s%v", words, value))
	}
	return list
}

func TestMetrics(t *testing.T) {
	m, c := testMonitor(io.Discard)
	m.Sensed(snapshot(telemetry.Unknown[float64]("no sensor")))
	for _, absent := range []string{"fathom_temperature_celsius", "fathom_accuracy_ratio", "fathom_frame_period_seconds"} {
		if f := scrape(t, m)[absent]; f != nil {
			t.Errorf("%s is there although it is unknown: %v", absent, f)
		}
	}
	c.now = c.now.Add(settle)
	m.Sensed(snapshot(telemetry.Known(61.5, c.now)))
	classify(m, c, 3, "a-1", 0, "dog")
	classify(m, c, 6, "a-2", 0, "cat")
	for _, variant := range []string{"a-1", "a-2", "a-2", "a-1"} {
		m.Decided(governor.Decision{Variant: variant, FramePeriod: 200 * time.Millisecond})
	}
	m.Decided(governor.Decision{Variant: "a-1", FramePeriod: 300 * time.Millisecond})
	got := map[string][]string{}
	for name, f := range scrape(t, m) {
		if strings.HasPrefix(name, "fathom_") {
			got[name] = flat(f)
		}
	}
	want := map[string][]string{
		"fathom_frames_total":                   {"2"},
		"fathom_frames_dropped_total":           {"2"},
		"fathom_inference_seconds":              {"a-1 1", "a-2 1"},
		"fathom_active_variant":                 {"a-1 0", "a-2 1"},
		"fathom_clock_set_total":                {"0"},
		"fathom_temperature_celsius":            {"bench false 61.5"},
		"fathom_temperature_ceiling_celsius":    {"75"},
		"fathom_frame_period_seconds":           {"0.3"},
		"fathom_accuracy_ratio":                 {"0.5"},
		"fathom_degraded":                       {"0"},
		"fathom_fault":                          {"temperature 0"},
		"fathom_faults_total":                   {"temperature 1"},
		"fathom_frames_gated_total":             {"0"},
		"fathom_http_connections_refused_total": {"0"},
		"fathom_paused":                         {"0"},
		"fathom_preprocess_seconds":             {"2"},
		"fathom_decisions_total":                {"deeper fixed 1", "hold fixed 1", "period fixed 1", "shallower fixed 1", "start fixed 1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
