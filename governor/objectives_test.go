package governor

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/runtime/profile"
)

const userWords = `
fps: 5
least_fps: 0.5
deadline: 150ms
late_percent: 2
ceiling_celsius: 72.5
min_charge_percent: 10
battery: {until: 06:00, reserve_percent: 15, capacity_watt_hours: 20}
leave_cpu_percent: 40
least_depth: v0
greatest_depth: v2
quiet_hours: ["22:00-06:00", "12:30 - 13:00"]
priority: [battery, heat]
`

func TestObjectivesInTheUsersWords(t *testing.T) {
	var got Objectives
	if err := yaml.UnmarshalWithOptions([]byte(userWords), &got, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	want := Objectives{
		FPS: 5, LeastFPS: 0.5, Deadline: 150 * time.Millisecond, LatePercent: 2, CeilingCelsius: 72.5, MinChargePercent: 10,
		Battery: Battery{Until: ClockAt(6, 0), ReservePercent: 15, CapacityWattHours: 20}, LeaveCPUPercent: 40,
		LeastDepth: "v0", GreatestDepth: "v2",
		QuietHours: []Hours{{ClockAt(22, 0), ClockAt(6, 0)}, {ClockAt(12, 30), ClockAt(13, 0)}},
		Priority:   []Concern{Charge, Heat},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := got.Validate(ladderOf(4), telemetry.Known(80., start)); err != nil {
		t.Error(err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var back Objectives
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, back); diff != "" {
		t.Errorf("%s: %s", text, diff)
	}
	if !got.above(Charge, Heat) || !got.above(Heat, Deadline) || !got.above(Rate, Depth) || got.rateFirst() {
		t.Error("the priority is not the user's first and the default after that")
	}
}

func TestContradictionsAreRefusedWithTheReason(t *testing.T) {
	measured := ladderOf(4)
	for i := range measured.Rungs {
		measured.Rungs[i].Cost = profile.Cost{Latency: time.Duration(i+1) * time.Second, Source: profile.Measured}
	}
	for want, change := range map[string]func(*Objectives){
		"fps: 0: want":                            func(o *Objectives) { o.FPS = 0 },
		"fps: NaN":                                func(o *Objectives) { o.FPS = math.NaN() },
		"fps: +Inf":                               func(o *Objectives) { o.FPS = math.Inf(1) },
		"fps: 2000":                               func(o *Objectives) { o.FPS = 2000 },
		"least_fps: 6 is more than fps 5":         func(o *Objectives) { o.LeastFPS = 6 },
		"least_fps: -1":                           func(o *Objectives) { o.LeastFPS = -1 },
		"longer than the longest frame period":    func(o *Objectives) { o.Deadline = 2 * time.Second },
		"deadline: -1s":                           func(o *Objectives) { o.Deadline = -time.Second },
		"late_percent: 60":                        func(o *Objectives) { o.LatePercent = 60 },
		"ceiling_celsius: 1000":                   func(o *Objectives) { o.CeilingCelsius = 1000 },
		"above 80 °C, where the board throttles":  func(o *Objectives) { o.CeilingCelsius = 81 },
		"min_charge_percent: 101":                 func(o *Objectives) { o.MinChargePercent = 101 },
		"leave_cpu_percent: 100":                  func(o *Objectives) { o.LeaveCPUPercent = 100 },
		"contradict each other: give one":         func(o *Objectives) { o.Battery = Battery{Until: ClockAt(6, 0), For: time.Hour} },
		"battery.for: -1h0m0s":                    func(o *Objectives) { o.Battery.For = -time.Hour },
		"battery.average_watts: NaN":              func(o *Objectives) { o.Battery.AverageWatts = math.NaN() },
		"battery.reserve_percent: 100":            func(o *Objectives) { o.Battery.ReservePercent = 100 },
		"battery.capacity_watt_hours: -1":         func(o *Objectives) { o.Battery.CapacityWattHours = -1 },
		"battery.solar_watt_hours: NaN":           func(o *Objectives) { o.Battery.SolarWattHours = math.NaN() },
		"battery.until: minute 9999":              func(o *Objectives) { o.Battery.Until = 9999 },
		`least_depth: the ladder has no variant`:  func(o *Objectives) { o.LeastDepth = "v9" },
		"v3 is deeper than greatest_depth v1":     func(o *Objectives) { o.LeastDepth, o.GreatestDepth = "v3", "v1" },
		"v1 was measured to take 2s, and a frame": func(o *Objectives) { o.LeastDepth = "v1" },
		"two different times":                     func(o *Objectives) { o.QuietHours = []Hours{{ClockAt(6, 0), ClockAt(6, 0)}} },
		"fill the whole day": func(o *Objectives) {
			o.QuietHours = []Hours{{ClockAt(6, 0), ClockAt(18, 0)}, {ClockAt(18, 0), ClockAt(6, 0)}}
		},
		`priority: "speed" is none of heat`: func(o *Objectives) { o.Priority = []Concern{"speed"} },
		"priority: heat stands twice":       func(o *Objectives) { o.Priority = []Concern{Heat, Heat} },
	} {
		o := Objectives{FPS: 5}
		change(&o)
		if err := o.Validate(measured, telemetry.Known(80., start)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestClockAndHours(t *testing.T) {
	at := time.Date(2026, 7, 1, 23, 30, 0, 0, time.UTC)
	if next := ClockAt(6, 0).next(at); !next.Equal(time.Date(2026, 7, 2, 6, 0, 0, 0, time.UTC)) {
		t.Errorf("next 06:00 after %v: %v", at, next)
	}
	if next := ClockAt(23, 30).next(at); next.Sub(at) != 24*time.Hour {
		t.Errorf("a time that has come is %v away, want a day", next.Sub(at))
	}
	o := Objectives{QuietHours: []Hours{{ClockAt(22, 0), ClockAt(6, 0)}}}
	for hour, want := range map[int]bool{21: false, 22: true, 23: true, 0: true, 5: true, 6: false, 12: false} {
		if got := o.Quiet(time.Date(2026, 7, 1, hour, 0, 0, 0, time.UTC)); got != want {
			t.Errorf("quiet at %d: %v", hour, got)
		}
	}
}

func FuzzHours(f *testing.F) {
	for _, s := range []string{"22:00-06:00", "1:2-3:4", "-", "24:00-00:00", "06:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var h, back Hours
		if err := h.UnmarshalText([]byte(s)); err != nil {
			if h != (Hours{}) {
				t.Errorf("%q: %v beside the error %v", s, h, err)
			}
			return
		}
		if !h.From.valid() || !h.To.valid() {
			t.Errorf("%q became %d to %d", s, h.From, h.To)
		}
		if err := back.UnmarshalText([]byte(h.String())); err != nil || back != h {
			t.Errorf("%q became %v, which reads as %v, %v", s, h, back, err)
		}
	})
}
