package boards

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2ctest"
	"periph.io/x/conn/v3/physic"

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

// TestGolden compares the whole snapshot of every fixture tree. A golden file
// was looked at line by line when it was written.
func TestGolden(t *testing.T) {
	for tree, offline := range map[string][]string{
		"pi4":         nil,
		"pi3":         nil,
		"orin-nano":   {"thermal_zone1", "thermal_zone2", "thermal_zone3", "thermal_zone4"},
		"jetson-nano": nil,
		"laptop":      nil,
		"empty":       nil,
	} {
		t.Run(tree, func(t *testing.T) {
			root := mount(t, tree)
			for _, zone := range offline {
				takeOffline(t, root, zone)
			}
			got := read(newTestBoard(t, root, Options{}))
			golden := filepath.Join("..", "testdata", "boards", tree+".json")
			if *update {
				var text bytes.Buffer
				encoder := json.NewEncoder(&text)
				encoder.SetEscapeHTML(false)
				encoder.SetIndent("", "  ")
				if err := encoder.Encode(got); err != nil {
					t.Fatal(err)
				}
				portable := strings.ReplaceAll(text.String(), runtime.GOARCH, "GOARCH")
				if err := os.WriteFile(golden, []byte(portable), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			var want telemetry.Snapshot
			if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "GOARCH", runtime.GOARCH)), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, readings); diff != "" {
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
			change: func(t *testing.T, root string) { put(t, root, zones+"thermal_zone5/temp", "91250\n") },
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
				if err := os.RemoveAll(filepath.Join(root, zones, "thermal_zone1", "temp")); err != nil {
					t.Fatal(err)
				}
			},
			want: telemetry.Unknown[float64]("CPU-therm: /sys/class/thermal/thermal_zone1/temp: no such file or directory"),
		},
		{
			name: "all off line", tree: "pi4",
			change: func(t *testing.T, root string) { takeOffline(t, root, "thermal_zone0") },
			want:   telemetry.Unknown[float64]("off line: cpu-thermal"),
		},
		{
			name: "unrecognized zones where there is no better", tree: "empty",
			change: func(t *testing.T, root string) {
				put(t, root, zones+"thermal_zone0/type", "acpitz\n")
				put(t, root, zones+"thermal_zone0/temp", "55000\n")
			},
			want: telemetry.Known(55.0, testTime),
		},
		{
			name: "hardware monitor where zones are missing", tree: "empty",
			change: func(t *testing.T, root string) {
				put(t, root, zones+"thermal_zone0/type", "acpitz\n")
				put(t, root, zones+"thermal_zone0/temp", "99000\n")
				put(t, root, "sys/class/hwmon/hwmon0/name", "k10temp\n")
				put(t, root, "sys/class/hwmon/hwmon0/temp1_input", "61125\n")
			},
			want: telemetry.Known(61.125, testTime),
		},
		{
			name: "garbage", tree: "pi4",
			change: func(t *testing.T, root string) { put(t, root, zones+"thermal_zone0/temp", "hot\n") },
			want:   telemetry.Unknown[float64](`cpu-thermal: /sys/class/thermal/thermal_zone0/temp: not a whole number: "hot"`),
		},
		{
			name: "empty attribute", tree: "pi4",
			change: func(t *testing.T, root string) { put(t, root, zones+"thermal_zone0/temp", "") },
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
		put(t, root, "sys/class/power_supply/"+name+"/type", "Battery\n")
		for attribute, value := range attributes {
			put(t, root, "sys/class/power_supply/"+name+"/"+attribute, value+"\n")
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
	put(t, root, "proc/stat", "cpu  10030 200 3020 80100 540 10 100 0 0 0\n")
	if got, _ := read(b).Load.CPUPercent.Get(); got < 29.999 || got > 30.001 {
		t.Errorf("CPU %g %%, want 30", got)
	}
	if got := read(b).Load.CPUPercent.Reason(); got != "no processor time passed since the last snapshot" {
		t.Errorf("unchanged counters: %q", got)
	}
	put(t, root, "proc/stat", "cpu  10040 200 3020 70000 540 10 100 0 0 0\n")
	if got := read(b).Load.CPUPercent.Reason(); !strings.Contains(got, "core was switched off") {
		t.Errorf("counters that went back: %q", got)
	}
}

// TestRunningMachine reads the machine that the test runs on, whatever it is.
func TestRunningMachine(t *testing.T) {
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
		{"unknown gauge", "", Options{FuelGauge: "max17"}, `boards: fuel gauge "max17": not supported`},
		{"no bus", "", Options{FuelGauge: "max17048"}, `I2C bus "": not a number`},
		{"bad bus", "", Options{FuelGauge: "max17048", I2CBus: "/dev/i2c-1"}, `I2C bus "/dev/i2c-1": not a number`},
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

// playbackBus is a recorded gauge on a bus that can be closed.
type playbackBus struct{ *i2ctest.Playback }

func (playbackBus) Close() error { return nil }

func TestFuelGauge(t *testing.T) {
	io := func(register, hi, lo byte) i2ctest.IO {
		return i2ctest.IO{Addr: 0x36, W: []byte{register}, R: []byte{hi, lo}}
	}
	bus := playbackBus{&i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{
		io(0x08, 0x00, 0x12), io(0x02, 0xC8, 0x00), io(0x04, 0x4B, 0x80), io(0x16, 0xFF, 0xF6),
	}}}
	b := newTestBoard(t, mount(t, "pi4"), Options{FuelGauge: "max17048", I2CBus: "1"})

	s := read(b)
	if got := s.Power.ChargePercent.Reason(); !strings.Contains(got, "/dev/i2c-1 is of the running machine") {
		t.Errorf("charge under another root: %q", got)
	}
	b.gauge.openBus = func() (i2c.BusCloser, error) { return nil, errors.New("bus away") }
	s = read(b)
	if got := s.Power.ChargePercent.Reason(); got != "max17048: bus away" {
		t.Errorf("charge without a bus: %q", got)
	}
	b.gauge.openBus = func() (i2c.BusCloser, error) { return bus, nil }
	s = read(b)
	if diff := cmp.Diff(telemetry.Known(75.5, testTime), s.Power.ChargePercent, readings); diff != "" {
		t.Errorf("charge (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(telemetry.Known(true, testTime), s.Power.Discharging, readings); diff != "" {
		t.Errorf("discharging (-want +got):\n%s", diff)
	}
	if err := bus.Playback.Close(); err != nil {
		t.Error(err)
	}
	// The recording is used up: a gauge that stops answering takes its charge away.
	if got := read(b).Power.ChargePercent; isKnown(got) {
		t.Errorf("the silent gauge still has a charge: %v", got)
	}
}

// hangingBus answers when it is let go.
type hangingBus struct {
	entered chan struct{}
	release chan struct{}
}

func (hangingBus) String() string                  { return "hanging" }
func (hangingBus) SetSpeed(physic.Frequency) error { return nil }
func (hangingBus) Close() error                    { return nil }
func (b hangingBus) Tx(uint16, []byte, []byte) error {
	b.entered <- struct{}{}
	<-b.release
	return errors.New("released")
}

// TestHangingSensor: a sensor that hangs costs its own value, and is not asked
// again while it does.
func TestHangingSensor(t *testing.T) {
	bus := hangingBus{entered: make(chan struct{}, 10), release: make(chan struct{})}
	b := newTestBoard(t, mount(t, "pi4"), Options{FuelGauge: "max17048", I2CBus: "1"})
	b.gauge.openBus = func() (i2c.BusCloser, error) { return bus, nil }

	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	began := time.Now()
	s := b.Read(ctx)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Read took %s with a deadline of 500 ms", took)
	}
	if got := s.Power.ChargePercent.Reason(); got != "max17048: did not answer within 500ms" {
		t.Errorf("charge: %q", got)
	}
	if got, _ := s.Heat.HottestCelsius.Get(); got != 61.835 {
		t.Errorf("the hanging gauge took the heat away: %q", s.Heat.HottestCelsius.Reason())
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
	if asked := len(bus.entered); asked != 1 {
		t.Errorf("the hanging gauge was asked %d times", asked)
	}
	close(bus.release)
	for strings.Contains(s.Power.ChargePercent.Reason(), "not asked again") {
		s = read(b)
	}
	if got := s.Power.ChargePercent.Reason(); !strings.Contains(got, "released") {
		t.Errorf("after the release: %q", got)
	}
}
