package boards

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/boardtest"
	"github.com/fathom-edge/fathom/boards/telemetry"
)

// TestCoresComeAndGo: a core that is switched off and on takes no value of the
// others away, and none of the whole.
func TestCoresComeAndGo(t *testing.T) {
	const (
		quiet = "2500 50 750 20000 125 0 25 0 0 0\n"
		later = "2530 50 750 20060 135 0 25 0 0 0\n" // +30 busy, +70 idle
		more  = "2560 50 750 20120 145 0 25 0 0 0\n"
		reset = "10 0 0 5 0 0 0 0 0 0\n" // the counters of a core may begin anew
	)
	root := mount(t, "empty")
	b := newTestBoard(t, root, Options{})
	shares := func(lines ...string) telemetry.Load {
		// The sum of a kernel whose idle counters step back: no use.
		boardtest.Write(t, root, "proc/stat", "cpu  1 0 0 1 0 0 0 0 0 0\n"+strings.Join(lines, ""))
		return read(b).Load
	}
	known := func(v float64) telemetry.Reading[float64] { return telemetry.Known(v, testTime) }
	fresh := telemetry.Unknown[float64](fromSecond)
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
	for _, step := range []struct {
		what  string
		lines []string
		all   telemetry.Reading[float64]
		cores []telemetry.Core
	}{
		{"first", []string{"cpu0 " + quiet, "cpu1 " + quiet}, fresh, []telemetry.Core{{Number: 0, CPUPercent: fresh}, {Number: 1, CPUPercent: fresh}}},
		{"core 1 goes", []string{"cpu0 " + later}, known(30), []telemetry.Core{{Number: 0, CPUPercent: known(30)}}},
		{"core 1 comes back", []string{"cpu0 " + more, "cpu1 " + quiet}, known(30), []telemetry.Core{{Number: 0, CPUPercent: known(30)}, {Number: 1, CPUPercent: fresh}}},
		{"both work", []string{"cpu0 " + quiet, "cpu1 " + later}, known(30), []telemetry.Core{
			{Number: 0, CPUPercent: telemetry.Unknown[float64]("the processor time counters went back (a core was switched off or on)")},
			{Number: 1, CPUPercent: known(30)}}},
		{"core 0 alone, from zero", []string{"cpu0 " + reset}, telemetry.Lost[float64]("no processor time passed since the last snapshot", testTime), []telemetry.Core{
			{Number: 0, CPUPercent: telemetry.Unknown[float64]("the processor time counters went back (a core was switched off or on)")}}},
	} {
		got := shares(step.lines...)
		if diff := cmp.Diff(step.all, got.CPUPercent, readings, near); diff != "" {
			t.Errorf("%s: all (-want +got):\n%s", step.what, diff)
		}
		if diff := cmp.Diff(step.cores, got.Cores, readings, near); diff != "" {
			t.Errorf("%s: cores (-want +got):\n%s", step.what, diff)
		}
	}
}

// TestRenumberedMonitors: the numbers of hardware monitors change from boot to
// boot, and nothing else of the snapshot.
func TestRenumberedMonitors(t *testing.T) {
	for _, tree := range []string{"laptop", "pi3", "orin-nano", "agx-orin"} {
		root := mount(t, tree)
		before := flatten(t, read(newTestBoard(t, root, Options{})))
		dir := filepath.Join(root, "sys/class/hwmon")
		names, err := os.ReadDir(dir)
		if err != nil || len(names) < 1 {
			t.Fatal(err)
		}
		for i, name := range names { // in another order, with gaps
			if err := os.Rename(filepath.Join(dir, name.Name()), filepath.Join(dir, "hwmon1"+string(rune('9'-i)))); err != nil {
				t.Fatal(err)
			}
		}
		after := flatten(t, read(newTestBoard(t, root, Options{})))
		if diff := cmp.Diff(withoutNumbers(before), withoutNumbers(after)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", tree, diff)
		}
	}
}

// withoutNumbers drops what names a monitor by its number.
func withoutNumbers(flat string) string {
	var kept []string
	for line := range strings.Lines(flat) {
		if !strings.Contains(line, "hwmon") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// TestZoneVanishes between the listing and the reading, and with it what it told.
func TestZoneVanishes(t *testing.T) {
	const zone = "sys/class/thermal/thermal_zone0"
	root := mount(t, "pi5")
	b := newTestBoard(t, root, Options{})
	advance := movable(b)
	read(b)
	advance(time.Second)
	boardtest.Remove(t, root, zone+"/temp")
	s := read(b)
	if want := telemetry.Lost[float64]("cpu-thermal: /"+zone+"/temp: no such file or directory", testTime); !cmp.Equal(want, s.Heat.HottestCelsius, readings) {
		t.Errorf("hottest: %s", cmp.Diff(want, s.Heat.HottestCelsius, readings))
	}
	boardtest.Remove(t, root, zone)
	if s = read(b); isKnown(s.Heat.HottestCelsius) || len(s.Heat.Zones) == 0 {
		// the hardware monitor cpu_thermal is left
		if v, _ := s.Heat.HottestCelsius.Get(); v != 64.2 {
			t.Errorf("without the zone: %g °C, %q", v, s.Heat.HottestCelsius.Reason())
		}
	}
	boardtest.Write(t, root, zone+"/type", "cpu-thermal\n")
	boardtest.Write(t, root, zone+"/temp", "71000\n")
	advance(retryMost)
	if v, _ := read(b).Heat.HottestCelsius.Get(); v != 71 {
		t.Errorf("the zone is back, and the hottest is %g °C", v)
	}
}

// TestAbsentMode: kernels without the attribute, and zones that are switched off
// with it, are read all the same; no zone of the fixture Pi 3B has one.
func TestAbsentMode(t *testing.T) {
	root := mount(t, "pi3b")
	if _, err := os.Stat(filepath.Join(root, "sys/class/thermal/thermal_zone0/mode")); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the fixture has a mode: %v", err)
	}
	if v, _ := read(newTestBoard(t, root, Options{})).Heat.HottestCelsius.Get(); v != 52.616 {
		t.Errorf("%g °C", v)
	}
}

// TestTripPointsChange: a new limit is seen within half a minute.
func TestTripPointsChange(t *testing.T) {
	root := mount(t, "xavier-nx")
	b := newTestBoard(t, root, Options{})
	advance := movable(b)
	limit := func() float64 { v, _ := read(b).Heat.LimitCelsius.Get(); return v }
	if got := limit(); got != 95.5 {
		t.Errorf("%g °C", got)
	}
	boardtest.Write(t, root, "sys/class/thermal/thermal_zone0/trip_point_2_temp", "86000\n")
	advance(tripsFor)
	if got := limit(); got != 86 {
		t.Errorf("%g °C half a minute later", got)
	}
}

// TestOverCurrentRates: the counters of a Jetson are since boot, and only their
// rise says something of now.
func TestOverCurrentRates(t *testing.T) {
	root := mount(t, "agx-orin") // 0, 2 and 40 events since boot
	b := newTestBoard(t, root, Options{})
	advance := movable(b)
	events := func(number, count string) {
		boardtest.Write(t, root, "sys/class/hwmon/hwmon4/oc"+number+"_event_cnt", count+"\n")
	}
	throttle := func() (under, throttled any, rates []any) {
		th := read(b).Throttle
		say := func(r telemetry.Reading[bool]) any {
			if v, ok := r.Get(); ok {
				return v
			}
			return r.Reason()
		}
		for _, e := range th.Events {
			if v, ok := e.PerMinute.Get(); ok {
				rates = append(rates, v)
			} else {
				rates = append(rates, e.PerMinute.Reason())
			}
		}
		return say(th.UnderVoltage), say(th.Throttled), rates
	}
	for _, step := range []struct {
		what             string
		change           func()
		under, throttled any
		rates            []any
	}{
		{"first", func() {}, fromSecond, false, []any{fromSecond, fromSecond, fromSecond}},
		{"instantaneous only", func() { events("3", "50") }, false, false, []any{0.0, 0.0, 600.0}},
		{"average", func() { events("2", "3") }, false, true, []any{0.0, 60.0, 0.0}},
		{"under-voltage", func() { events("1", "1") }, true, false, []any{60.0, 0.0, 0.0}},
		{"counter reset", func() { events("1", "0") }, "the counter went back", false, []any{"the counter went back", 0.0, 0.0}},
		{"garbage", func() { events("2", "x") }, false, false, []any{0.0, "/sys/class/hwmon/hwmon4/oc2_event_cnt: not a count: \"x\"", 0.0}},
	} {
		advance(time.Second)
		step.change()
		under, throttled, rates := throttle()
		if diff := cmp.Diff([]any{step.under, step.throttled, step.rates}, []any{under, throttled, rates}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.what, diff)
		}
	}
}

// program writes an executable.
func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vcgencmd")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestVcgencmd is asked only where the kernel does not tell the flags.
func TestVcgencmd(t *testing.T) {
	const flags = "sys/bus/platform/drivers/raspberrypi-firmware/soc:firmware/get_throttled"
	const alarm = "sys/class/hwmon/hwmon1"
	tests := []struct {
		name             string
		script           string // empty for no such program
		without          []string
		under, throttled any
		state            telemetry.ProbeState
		reason           string
	}{
		{"the kernel tells", "echo throttled=0x0", nil, false, true, telemetry.Skipped, "not needed"},
		{"the alarm only", `test "$1" = get_throttled && test $# = 1 && echo throttled=0x50005`, []string{flags}, false, true, telemetry.Loaded, ""},
		{"nothing else", "echo throttled=0x50005", []string{flags, alarm}, true, true, telemetry.Loaded, ""},
		{"not installed", "", []string{flags, alarm}, "no such file", "no such file", telemetry.Skipped, "no such file"},
		{"not allowed", "echo VCHI initialization failed >&2; exit 255", []string{flags, alarm}, "VCHI", "VCHI", telemetry.Failed, "vcgencmd: exit status 255: VCHI initialization failed"},
		{"garbage", "echo error=1", []string{flags, alarm}, "not an answer", "not an answer", telemetry.Failed, `vcgencmd: not an answer to get_throttled: "error=1`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := mount(t, "pi4")
			for _, name := range tt.without {
				boardtest.Remove(t, root, name)
			}
			b := newTestBoard(t, root, Options{})
			path := filepath.Join(root, "none")
			if tt.script != "" {
				path = program(t, tt.script)
			}
			b.vcgencmd = vcgencmd(path)
			s := read(b)
			check := func(what string, want any, r telemetry.Reading[bool]) {
				v, ok := r.Get()
				if text, unknown := want.(string); unknown && (ok || !strings.Contains(r.Reason(), text)) || !unknown && (!ok || v != want) {
					t.Errorf("%s %t, %t, %q; want %v", what, v, ok, r.Reason(), want)
				}
			}
			check("under-voltage", tt.under, s.Throttle.UnderVoltage)
			check("throttled", tt.throttled, s.Throttle.Throttled)
			for _, p := range s.Probes {
				if p.Name == "vcgencmd" && (p.State != tt.state || !strings.Contains(p.Reason, tt.reason)) {
					t.Errorf("probe %+v, want %s with %q", p, tt.state, tt.reason)
				}
			}
		})
	}
}

// TestVcgencmdIsKilled when it hangs, with what it started.
func TestVcgencmdIsKilled(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := vcgencmd(program(t, "sleep 60"))(ctx)
	if err == nil || !strings.Contains(err.Error(), "did not answer") || time.Since(began) > 30*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

// TestUnreadableDriverFolder is not "another board": a Pi whose firmware folder
// cannot be listed has failed, and what it would tell is unknown with the reason.
func TestUnreadableDriverFolder(t *testing.T) {
	const folder = "sys/bus/platform/drivers/raspberrypi-firmware"
	root := mount(t, "pi4")
	boardtest.Remove(t, root, folder)
	boardtest.Write(t, root, folder, "not a folder")
	s := read(newTestBoard(t, root, Options{}))
	const want = "/" + folder + ": not a directory"
	if got := s.Throttle.Throttled.Reason(); got != want {
		t.Errorf("throttled: %q", got)
	}
	for _, p := range s.Probes {
		if p.Name == "firmware flags" && (p.State != telemetry.Failed || p.Reason != want) {
			t.Errorf("probe %+v", p)
		}
	}
}
