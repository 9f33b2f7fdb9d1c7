package sim

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/governor"
)

const spec = `
about: Everything that a trace can say.
duration: 1h
start: "06:30"
utilisation: 0.7
ambient:
  - points: [{at: 0s, value: 10}, {at: 1h, value: 20}]
load:
  - steps: [{at: 0s, value: 0.1}, {at: 30m, value: 0.2}]
solar:
  - sine: {mean: 0.5, amplitude: 0.1, period: 1h, from: 15m}
battery: {deepest_lasts: 2h, start_percent: 80, resistance_ohms: 0.05, voltage_gauge: true}
sensor:
  noise_kelvin: 0.5
  lag: 3s
  dropout: 0.1
  dropout_for: 5s
  lies: [{at: 10m, for: 1m, kelvin: -5}, {at: 20m, for: 1m, stuck: true}]
objectives:
  ceiling_celsius: 70
  battery: {until: "07:30"}
`

func TestParseTrace(t *testing.T) {
	got, err := ParseTrace("all", []byte(spec))
	if err != nil {
		t.Fatal(err)
	}
	want := Trace{
		Name: "all", About: "Everything that a trace can say.", Duration: time.Hour, Start: governor.ClockAt(6, 30), Utilisation: 0.7,
		Ambient: Signal{{Points: []SignalPoint{{0, 10}, {time.Hour, 20}}}},
		Load:    Signal{{Steps: []SignalPoint{{0, 0.1}, {30 * time.Minute, 0.2}}}},
		Solar:   Signal{{Sine: &Sine{Mean: 0.5, Amplitude: 0.1, Period: time.Hour, From: 15 * time.Minute}}},
		Battery: &TraceBattery{DeepestLasts: 2 * time.Hour, StartPercent: 80, ResistanceOhms: 0.05, VoltageGauge: true},
		Sensor: Sensor{NoiseKelvin: 0.5, Lag: 3 * time.Second, Dropout: 0.1, DropoutFor: 5 * time.Second,
			Lies: []Lie{{At: 10 * time.Minute, For: time.Minute, Kelvin: -5}, {At: 20 * time.Minute, For: time.Minute, Stuck: true}}},
		Objectives: governor.Objectives{CeilingCelsius: 70, Battery: governor.Battery{Until: governor.ClockAt(7, 30)}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Trace{})); diff != "" {
		t.Error(diff)
	}
	w := got.weather(0, Pi4Bare())
	for _, tt := range []struct {
		second               int
		ambient, load, solar float64
	}{{0, 10, 0.1, 0.4}, {900, 12.5, 0.1, 0.5}, {1800, 15, 0.2, 0.6}, {2700, 17.5, 0.2, 0.5}} {
		i := w[tt.second]
		near(t, "ambient", i.AmbientCelsius, tt.ambient, 0.01)
		near(t, "load", i.Load, tt.load, 1e-9)
		near(t, "solar", i.SolarShare, tt.solar, 0.001)
	}
}

func TestLag(t *testing.T) {
	trace := quiet("lag", time.Hour, 20, 0.5)
	trace.Ambient = Signal{
		{Steps: []SignalPoint{{0, 20}, {10 * time.Minute, 30}}}, {Lag: 2 * time.Minute}, {Points: []SignalPoint{{0, 1}}},
	}
	w := trace.weather(0, Pi4Bare())
	for second, want := range map[int]float64{0: 21, 599: 21, 600 + 119: 31 - 10/math.E, 3599: 31} {
		near(t, "ambient", w[second].AmbientCelsius, want, 0.001)
	}
}

func TestBurstsAndShade(t *testing.T) {
	trace := quiet("bursts", 10*time.Hour, 20, 0.5)
	trace.Load = Signal{{Bursts: &Bursts{Every: 10 * time.Minute, For: 2 * time.Minute, Value: 0.5, Jitter: 0.3}}}
	trace.Solar = Signal{{Points: []SignalPoint{{0, 1}}}, {Shade: &Bursts{Every: 10 * time.Minute, For: 2 * time.Minute, Value: 0.5}}}
	load, solar := 0., 0.
	for _, i := range trace.weather(1, Pi4Bare()) {
		load += i.Load / 36000
		solar += i.SolarShare / 36000
	}
	near(t, "mean load", load, 0.1, 0.015)
	near(t, "mean solar", solar, 0.9, 0.015)
}

func TestWalkHasItsDeviation(t *testing.T) {
	trace := quiet("walk", 100*time.Hour, 20, 0.5)
	trace.Ambient = append(trace.Ambient, Shape{Walk: &Walk{Deviation: 2, Time: time.Minute}})
	sum, squares := 0., 0.
	w := trace.weather(1, Pi4Bare())
	for _, i := range w {
		d := i.AmbientCelsius - 20
		sum += d / float64(len(w))
		squares += d * d / float64(len(w))
	}
	near(t, "mean", sum, 0, 0.2)
	near(t, "deviation", math.Sqrt(squares), 2, 0.15)
}

func TestFindTrace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := FindTrace(file); err != nil || got.Name != "mine" {
		t.Errorf("%s, %v", got.Name, err)
	}
	for name, want := range map[string]string{"nonsense": "heat-wave", "missing.yaml": "no such file"} {
		if _, err := FindTrace(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestParseTraceSaysWhatIsWrong(t *testing.T) {
	for name, tt := range map[string]struct{ old, new, want string }{
		"unknown field": {"utilisation:", "utilization:", "utilization"},
		"duration":      {"duration: 1h", "duration: 1s", "duration"},
		"no shape":      {"  - points: [{at: 0s, value: 10}, {at: 1h, value: 20}]", "  - {}", "exactly one"},
		"times fall":    {"{at: 30m, value: 0.2}", "{at: 0s, value: 0.2}", "rising times"},
		"rate":          {"ceiling_celsius: 70", "fps: 3", "fps"},
		"dropout":       {"dropout: 0.1", "dropout: 1.5", "share below 1"},
		"lie":           {"for: 1m, kelvin", "for: 0s, kelvin", "lie 0"},
		"battery":       {"start_percent: 80", "start_percent: 101", "battery"},
		"sine":          {"period: 1h", "period: 0s", "sine"},
	} {
		if _, err := ParseTrace("bad", []byte(strings.Replace(spec, tt.old, tt.new, 1))); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func FuzzParseTrace(f *testing.F) {
	f.Add([]byte(spec))
	f.Add([]byte("duration: 1m\nutilisation: 1\nambient: [{walk: {deviation: 1, time: 1s}}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		trace, err := ParseTrace("fuzz", text)
		if err != nil {
			return
		}
		trace.Duration = min(trace.Duration, 2*time.Minute)
		for i, w := range trace.weather(1, Pi4Bare()) {
			if !finite(w.AmbientCelsius, w.Load) || w.SolarShare < 0 {
				t.Fatalf("second %d: %+v", i, w)
			}
		}
	})
}
