package boards

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/boards/boardtest"
	"github.com/fathom-edge/fathom/boards/telemetry"
)

var update = flag.Bool("update", false, "write the golden snapshots anew")

var testTime = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

func newTestBoard(t *testing.T, root string, options Options) *Board {
	t.Helper()
	b, err := New(root, options)
	if err != nil {
		t.Fatal(err)
	}
	b.now = func() time.Time { return testTime }
	return b
}

// movable lets a test move the board's clock.
func movable(b *Board) (advance func(time.Duration)) {
	var moved atomic.Int64
	b.now = func() time.Time { return testTime.Add(time.Duration(moved.Load())) }
	return func(d time.Duration) { moved.Add(int64(d)) }
}

// read takes a snapshot with plenty of time.
func read(b *Board) telemetry.Snapshot {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return b.Read(ctx)
}

// readings lets go-cmp look into telemetry.Reading.
var readings = cmp.Exporter(func(t reflect.Type) bool {
	return strings.HasPrefix(t.Name(), "Reading[")
})

// archive is the path of a fixture.
func archive(tree string) string { return filepath.Join("..", "testdata", "boards", tree+".txtar") }

func mount(t *testing.T, tree string) string {
	t.Helper()
	if tree == "empty" {
		return t.TempDir()
	}
	return boardtest.Mount(t, archive(tree))
}

// flatten writes a snapshot with a line for each value. Times are left out.
func flatten(t *testing.T, s telemetry.Snapshot) string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	var lines []string
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if reason, ok := v["unknown"]; ok {
				lines = append(lines, fmt.Sprintf("%s unknown: %v", path, reason))
				return
			}
			if value, ok := v["value"]; ok {
				lines = append(lines, fmt.Sprintf("%s %v", path, value))
				return
			}
			for key, part := range v {
				walk(path+"."+key, part)
			}
		case []any:
			for i, part := range v {
				walk(fmt.Sprintf("%s[%02d]", path, i), part)
			}
		default:
			lines = append(lines, fmt.Sprintf("%s %v", path, v))
		}
	}
	walk("", tree)
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// TestGolden compares the whole snapshot of every fixture tree. A golden file
// was looked at line by line when it was written.
func TestGolden(t *testing.T) {
	archives, err := filepath.Glob(archive("*"))
	if err != nil || len(archives) < 15 {
		t.Fatalf("%d fixtures, %v", len(archives), err)
	}
	trees := []string{"empty"}
	for _, a := range archives {
		trees = append(trees, strings.TrimSuffix(filepath.Base(a), ".txtar"))
	}
	for _, tree := range trees {
		t.Run(tree, func(t *testing.T) {
			got := strings.ReplaceAll(flatten(t, read(newTestBoard(t, mount(t, tree), Options{}))), runtime.GOARCH, "GOARCH")
			golden := filepath.Join("..", "testdata", "boards", tree+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("snapshot (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHottestIsCautious: whatever breaks, the heat never looks lower than it is.
func TestHottestIsCautious(t *testing.T) {
	const zones = "sys/class/thermal/"
	tests := []struct {
		name, tree string
		change     func(t *testing.T, root string)
		want       telemetry.Reading[float64]
	}{
		{
			name: "the hottest counts", tree: "orin-nano",
			change: func(t *testing.T, root string) { boardtest.Write(t, root, zones+"thermal_zone5/temp", "91250\n") },
			want:   telemetry.Known(91.25, testTime),
		},
		{
			name: "ignored zones do not count", tree: "jetson-nano", // PMIC-Die says 100 °C
			change: func(*testing.T, string) {},
			want:   telemetry.Known(39.5, testTime),
		},
		{
			name: "the processor's zone vanishes, the always-on one stays", tree: "jetson-nano",
			change: func(t *testing.T, root string) {
				boardtest.Remove(t, root, zones+"thermal_zone1/temp")
			},
			want: telemetry.Unknown[float64]("CPU-therm: /sys/class/thermal/thermal_zone1/temp: no such file or directory"),
		},
		{
			name: "all off line", tree: "pi4",
			change: func(t *testing.T, root string) { boardtest.TakeOffline(t, root, zones+"thermal_zone0/temp") },
			want:   telemetry.Unknown[float64]("off line: cpu-thermal"),
		},
		{
			name: "unrecognized zones where there is no better", tree: "empty",
			change: func(t *testing.T, root string) {
				boardtest.Write(t, root, zones+"thermal_zone0/type", "acpitz\n")
				boardtest.Write(t, root, zones+"thermal_zone0/temp", "55000\n")
			},
			want: telemetry.Known(55.0, testTime),
		},
		{
			name: "hardware monitor where zones are missing", tree: "empty",
			change: func(t *testing.T, root string) {
				boardtest.Write(t, root, zones+"thermal_zone0/type", "acpitz\n")
				boardtest.Write(t, root, zones+"thermal_zone0/temp", "99000\n")
				boardtest.Write(t, root, "sys/class/hwmon/hwmon0/name", "k10temp\n")
				boardtest.Write(t, root, "sys/class/hwmon/hwmon0/temp1_input", "61125\n")
			},
			want: telemetry.Known(61.125, testTime),
		},
		{
			name: "garbage", tree: "pi4",
			change: func(t *testing.T, root string) { boardtest.Write(t, root, zones+"thermal_zone0/temp", "hot\n") },
			want:   telemetry.Unknown[float64](`cpu-thermal: /sys/class/thermal/thermal_zone0/temp: not a whole number: "hot"`),
		},
		{
			name: "empty attribute", tree: "pi4",
			change: func(t *testing.T, root string) { boardtest.Write(t, root, zones+"thermal_zone0/temp", "") },
			want:   telemetry.Unknown[float64](`cpu-thermal: /sys/class/thermal/thermal_zone0/temp: not a whole number: ""`),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := mount(t, tt.tree)
			tt.change(t, root)
			got := read(newTestBoard(t, root, Options{})).Heat.HottestCelsius
			if diff := cmp.Diff(tt.want, got, readings); diff != "" {
				t.Errorf("hottest (-want +got):\n%s", diff)
			}
		})
	}
}

// TestChargeIsCautious: a battery whose charge is unknown, or that is not the
// board's, never makes the board look full.
func TestChargeIsCautious(t *testing.T) {
	battery := func(t *testing.T, root, name string, attributes map[string]string) {
		boardtest.Write(t, root, "sys/class/power_supply/"+name+"/type", "Battery\n")
		for attribute, value := range attributes {
			boardtest.Write(t, root, "sys/class/power_supply/"+name+"/"+attribute, value+"\n")
		}
	}
	tests := []struct {
		name        string
		batteries   []map[string]string
		charge      telemetry.Reading[float64]
		discharging telemetry.Reading[bool]
	}{
		{"none", nil, telemetry.Unknown[float64]("no battery found"), telemetry.Unknown[bool]("no battery found")},
		{"one", []map[string]string{{"capacity": "42", "status": "Charging"}},
			telemetry.Known(42.0, testTime), telemetry.Known(false, testTime)},
		{"sizes unknown: the lowest", []map[string]string{{"capacity": "90", "status": "Full"}, {"capacity": "10", "status": "Not charging"}},
			telemetry.Known(10.0, testTime), telemetry.Known(false, testTime)},
		{"sizes known: weighted", []map[string]string{
			{"capacity": "90", "status": "Discharging", "energy_full": "30000000"},
			{"capacity": "10", "status": "Unknown", "energy_full": "10000000"}},
			telemetry.Known(70.0, testTime), telemetry.Known(true, testTime)},
		{"one of two does not say", []map[string]string{{"capacity": "90", "status": "Full"}, {"capacity": "255", "status": "Unknown"}},
			telemetry.Unknown[float64]("BAT1: /sys/class/power_supply/BAT1/capacity: implausible value 255 % (outside 0 to 100)"),
			telemetry.Unknown[bool]("BAT1: status is Unknown")},
		{"only the current tells", []map[string]string{{"capacity": "50", "status": "Unknown", "current_now": "-250000"}},
			telemetry.Known(50.0, testTime), telemetry.Known(true, testTime)},
		{"counted charge instead of capacity", []map[string]string{{"charge_now": "500000", "charge_full": "2000000", "status": "Full"}},
			telemetry.Known(25.0, testTime), telemetry.Known(false, testTime)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := mount(t, "empty")
			for i, attributes := range tt.batteries {
				battery(t, root, "BAT"+string(rune('0'+i)), attributes)
			}
			got := read(newTestBoard(t, root, Options{})).Power
			if diff := cmp.Diff(tt.charge, got.ChargePercent, readings); diff != "" {
				t.Errorf("charge (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.discharging, got.Discharging, readings); diff != "" {
				t.Errorf("discharging (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCPUPercent(t *testing.T) {
	root := mount(t, "pi4")
	b := newTestBoard(t, root, Options{})
	if _, known := read(b).Load.CPUPercent.Get(); known {
		t.Error("the first snapshot has nothing to count from, but knows the CPU's share")
	}
	// +60 busy (user 30, system 20, irq 10) and +140 idle (idle 100, iowait 40) ticks.
	boardtest.Write(t, root, "proc/stat", "cpu  10030 200 3020 80100 540 10 100 0 0 0\n")
	if got, _ := read(b).Load.CPUPercent.Get(); got < 29.999 || got > 30.001 {
		t.Errorf("CPU %g %%, want 30", got)
	}
	if got := read(b).Load.CPUPercent.Reason(); got != "no processor time passed since the last snapshot" {
		t.Errorf("unchanged counters: %q", got)
	}
	boardtest.Write(t, root, "proc/stat", "cpu  10040 200 3020 70000 540 10 100 0 0 0\n")
	if got := read(b).Load.CPUPercent.Reason(); !strings.Contains(got, "core was switched off") {
		t.Errorf("counters that went back: %q", got)
	}
}

// TestRunningMachine reads the machine that the test runs on, whatever it is.
func TestRunningMachine(t *testing.T) {
	if testing.Short() {
		t.Skip("of an emulated machine the kernel says little")
	}
	b, err := New("", Options{})
	if err != nil {
		t.Fatal(err)
	}
	read(b)
	for deadline := time.Now().Add(20 * time.Second); ; { // until the processor counters, in 10 ms ticks, advance
		s := read(b)
		if total, _ := s.Load.MemoryTotalBytes.Get(); total < 1<<20 {
			t.Fatalf("memory %d bytes: %s", total, s.Load.MemoryTotalBytes.Reason())
		}
		all, ok := s.Load.CPUPercent.Get()
		own, ownOK := s.Load.OwnCPUPercent.Get()
		if ok && ownOK && own > 0 {
			if all < 0 || all > 100 || own > 100 {
				t.Errorf("CPU %g %%, own %g %%", all, own)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("CPU: %q, own: %q", s.Load.CPUPercent.Reason(), s.Load.OwnCPUPercent.Reason())
		}
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name    string
		root    string
		options Options
		want    string
	}{
		{"no folder", "testdata/none", Options{}, "boards: root testdata/none: not a folder"},
		{"unknown device", "", Options{Batteries: []battery.Config{{Device: "max17"}}}, `max17`},
		{"no bus", "", Options{Batteries: []battery.Config{{Device: "max17048"}}}, `bus`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := New(tt.root, tt.options)
			if b != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New = %v, %v; want an error with %q", b, err, tt.want)
			}
		})
	}
}

// device stands for a battery on I²C; what it says can be changed.
type device struct {
	sense func(at time.Time) (battery.Status, error)
	load  bool
}

func (*device) Name() string                                 { return "device" }
func (d *device) HasBattery() bool                           { return !d.load }
func (d *device) Sense(at time.Time) (battery.Status, error) { return d.sense(at) }

// fails is a device's answer when nothing is to be had.
func fails(err error) func(time.Time) (battery.Status, error) {
	return func(time.Time) (battery.Status, error) { return unknownStatus(err.Error()), err }
}

// says is a device's answer.
func says(change func(s *battery.Status, at time.Time)) func(time.Time) (battery.Status, error) {
	return func(at time.Time) (battery.Status, error) {
		s := unknownStatus("not measured")
		change(&s, at)
		return s, nil
	}
}

// TestFailingDevice: unknown with the reason, asked again after one and then two
// seconds, and dated once it was known.
func TestFailingDevice(t *testing.T) {
	d := &device{sense: fails(errors.New("bus away"))}
	b := newTestBoard(t, mount(t, "pi4"), Options{Gauges: []Gauge{d}})
	advance := movable(b)
	charge := func() telemetry.Reading[float64] { return read(b).Power.ChargePercent }

	if got := charge().Reason(); got != "device: bus away" {
		t.Errorf("failed: %q", got)
	}
	if got := charge().Reason(); got != "device: bus away (failed once, is asked again in 1s)" {
		t.Errorf("right after the failure: %q", got)
	}
	advance(retryFirst)
	charge() // fails again
	advance(retryFirst)
	d.sense = says(func(s *battery.Status, at time.Time) {
		s.ChargePercent, s.Discharging = telemetry.Known(75.5, at), telemetry.Known(true, at)
	})
	if got := charge().Reason(); got != "device: bus away (failed 2 times, is asked again in 1s)" {
		t.Errorf("a second after the second failure: %q", got)
	}
	advance(retryFirst)
	s := read(b)
	if v, _ := s.Power.ChargePercent.Get(); v != 75.5 {
		t.Errorf("charge %g %%: %q", v, s.Power.ChargePercent.Reason())
	}
	if discharging, _ := s.Power.Discharging.Get(); !discharging {
		t.Errorf("discharging: %q", s.Power.Discharging.Reason())
	}
	d.sense = fails(errors.New("bus away"))
	advance(time.Minute)
	got := charge()
	if age, ok := got.Age(b.now()); isKnown(got) || !ok || age != time.Minute {
		t.Errorf("lost charge: %v, unknown for %s, %t", got, age, ok)
	}
}

// TestDevices combines what devices and kernel supplies tell.
func TestDevices(t *testing.T) {
	known := func(v float64) telemetry.Reading[float64] { return telemetry.Known(v, testTime) }
	full := says(func(s *battery.Status, at time.Time) {
		s.ChargePercent, s.CapacityWattHours, s.BatteryWatts = known(90), known(30), known(-4)
		s.ChargeUncertaintyPercent, s.RemainingHours, s.RemainingUncertaintyHours = known(3), known(6.5), known(0.5)
		s.Discharging, s.BatteryLow = telemetry.Known(true, at), telemetry.Known(false, at)
	})
	empty := says(func(s *battery.Status, at time.Time) {
		s.ChargePercent, s.CapacityWattHours, s.BatteryWatts = known(10), known(10), known(-1)
		s.Discharging, s.BatteryLow = telemetry.Known(true, at), telemetry.Known(true, at)
	})
	mains := says(func(s *battery.Status, at time.Time) {
		s.LoadWatts, s.ExternalPower = known(4.5), telemetry.Known(true, at)
	})
	unsaid := "the battery does not say how sure it is"
	tests := []struct {
		name    string
		gauges  []Gauge
		want    telemetry.Power
		unknown string
	}{
		{"one speaks for itself", []Gauge{&device{sense: full}}, telemetry.Power{
			ChargePercent: known(90), ChargeUncertaintyPercent: known(3), Discharging: telemetry.Known(true, testTime),
			Watts: known(4), BatteryWatts: known(-4), CapacityWattHours: known(30), RemainingHours: known(6.5),
			RemainingUncertaintyHours: known(0.5), BatteryLow: telemetry.Known(false, testTime), ExternalPower: telemetry.Known(false, testTime),
		}, ""},
		{"two by their size", []Gauge{&device{sense: full}, &device{sense: empty}}, telemetry.Power{
			ChargePercent: known(70), ChargeUncertaintyPercent: telemetry.Unknown[float64](unsaid), Discharging: telemetry.Known(true, testTime),
			Watts: known(5), BatteryWatts: known(-5), CapacityWattHours: known(40), RemainingHours: known(5.6),
			RemainingUncertaintyHours: telemetry.Unknown[float64](unsaid), BatteryLow: telemetry.Known(true, testTime), ExternalPower: telemetry.Known(false, testTime),
		}, ""},
		{"a monitor of the load has no battery", []Gauge{&device{sense: mains, load: true}}, telemetry.Power{
			ChargePercent: telemetry.Unknown[float64]("no battery found"), ChargeUncertaintyPercent: telemetry.Unknown[float64](unsaid),
			Discharging: telemetry.Unknown[bool]("no battery found"), Watts: known(4.5), BatteryWatts: telemetry.Unknown[float64]("no battery found"),
			CapacityWattHours: telemetry.Unknown[float64]("no battery found"), RemainingHours: telemetry.Unknown[float64]("no battery found"),
			RemainingUncertaintyHours: telemetry.Unknown[float64](unsaid), BatteryLow: telemetry.Unknown[bool]("not measured"), ExternalPower: telemetry.Known(true, testTime),
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := read(newTestBoard(t, mount(t, "empty"), Options{Gauges: tt.gauges})).Power
			got.Supplies = nil
			if diff := cmp.Diff(tt.want, got, readings); diff != "" {
				t.Errorf("power (-want +got):\n%s", diff)
			}
		})
	}
}

// TestConfiguredDeviceOfAnotherRoot: its bus is not there to be asked.
func TestConfiguredDeviceOfAnotherRoot(t *testing.T) {
	c := battery.Config{Device: "max17048", Bus: new(1)}
	s := read(newTestBoard(t, mount(t, "pi4"), Options{Batteries: []battery.Config{c}}))
	if got := s.Power.ChargePercent.Reason(); !strings.Contains(got, "/dev/i2c-1 is of the running machine, not of the given root") {
		t.Errorf("charge: %q", got)
	}
}

// TestHangingSensor: a sensor that hangs costs its own value, and is not asked
// again while it does.
func TestHangingSensor(t *testing.T) {
	entered, release := make(chan struct{}, 10), make(chan struct{})
	d := &device{sense: func(at time.Time) (battery.Status, error) {
		entered <- struct{}{}
		<-release
		return fails(errors.New("released"))(at)
	}}
	b := newTestBoard(t, mount(t, "pi4"), Options{Gauges: []Gauge{d}})

	const patience = 3 * time.Second // for the other sensors on a busy machine
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s := b.Read(ctx)
	if took := time.Since(began); took < patience || took > 10*patience {
		t.Errorf("Read took %s with a deadline of %s", took, patience)
	}
	if got := s.Power.ChargePercent.Reason(); !strings.HasPrefix(got, "device: did not answer within ") {
		t.Errorf("charge: %q", got)
	}
	if got, _ := s.Heat.HottestCelsius.Get(); got != 61.835 {
		t.Errorf("the hanging device took the heat away: %q", s.Heat.HottestCelsius.Reason())
	}
	goroutines := runtime.NumGoroutine()
	for range 20 {
		s = read(b)
		if got := s.Power.ChargePercent.Reason(); !strings.Contains(got, "is not asked again until it answers") {
			t.Fatalf("charge: %q", got)
		}
	}
	if now := runtime.NumGoroutine(); now > goroutines+5 {
		t.Errorf("%d goroutines after 20 more snapshots, %d before", now, goroutines)
	}
	if asked := len(entered); asked != 1 {
		t.Errorf("the hanging device was asked %d times", asked)
	}
	close(release)
	for strings.Contains(s.Power.ChargePercent.Reason(), "not asked again") {
		s = read(b)
	}
	if got := s.Power.ChargePercent.Reason(); !strings.Contains(got, "released") {
		t.Errorf("after the release: %q", got)
	}
}

// TestLateSensor: one that is slower than the snapshot gives its last value, with
// its time, for five seconds.
func TestLateSensor(t *testing.T) {
	answers := make(chan float64, 1)
	d := &device{sense: func(at time.Time) (battery.Status, error) {
		v := <-answers
		return says(func(s *battery.Status, _ time.Time) { s.ChargePercent = telemetry.Known(v, at) })(at)
	}}
	b := newTestBoard(t, mount(t, "empty"), Options{Gauges: []Gauge{d}})
	advance := movable(b)
	charge := func() telemetry.Reading[float64] {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		return b.Read(ctx).Power.ChargePercent
	}
	answers <- 60
	if diff := cmp.Diff(telemetry.Known(60.0, testTime), read(b).Power.ChargePercent, readings); diff != "" {
		t.Fatalf("in time (-want +got):\n%s", diff)
	}
	for range 5 { // the first of these asks, and no other does
		advance(time.Second)
		if diff := cmp.Diff(telemetry.Known(60.0, testTime), charge(), readings); diff != "" {
			t.Errorf("late by %s (-want +got):\n%s", b.now().Sub(testTime), diff)
		}
	}
	advance(time.Second)
	got := charge()
	if age, _ := got.Age(b.now()); isKnown(got) || !strings.Contains(got.Reason(), "hangs") || age != 6*time.Second {
		t.Errorf("after 6 s: %v, unknown for %s", got, age)
	}
	answers <- 59 // of the call that is under way
	close(answers)
	for !isKnown(got) {
		got = read(b).Power.ChargePercent
	}
	if v, _ := got.Get(); v != 59 && v != 0 { // 0 is what a closed channel gives to the next call
		t.Errorf("back with %g %%", v)
	}
}
