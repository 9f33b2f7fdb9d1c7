//go:build emulated

package boards

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// These tests run on a booted kernel that has what they name: go test -tags
// emulated ./boards. What a test needs is in the environment; without it the test
// fails, as an emulator that forgot a device must not pass.
//
//	FATHOM_THERMAL_ZONE    type of a zone of the processor whose temperature can be set
//	FATHOM_THERMAL_SET     file that sets it, in millidegrees Celsius
//	FATHOM_BATTERY         name of a battery in /sys/class/power_supply
//	FATHOM_BATTERY_SET     file that sets its charge, in per cent
//	FATHOM_UNPLUG          a core that may be switched off and on, e.g. 1
//	FATHOM_CGROUP          a control group of version 2 that the test may make and enter
func needed(t *testing.T, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Fatalf("%s is not set", name)
	}
	return v
}

func set(t *testing.T, file, value string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(value), 0o644); err != nil {
		t.Fatal(err)
	}
}

func realBoard(t *testing.T) *Board {
	t.Helper()
	b, err := New("/", Options{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// eventually reads until the check finds nothing wrong, for at most ten seconds.
func eventually(t *testing.T, b *Board, check func(telemetry.Snapshot) error) {
	t.Helper()
	var err error
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		err = check(b.Read(ctx))
		cancel()
		if err == nil {
			return
		}
	}
	t.Fatal(err)
}

// TestEmulatedProbesDoNotFail: on a healthy machine every probe is loaded or skipped.
func TestEmulatedProbesDoNotFail(t *testing.T) {
	for _, p := range read(realBoard(t)).Probes {
		if p.State == telemetry.Failed {
			t.Errorf("%s failed: %s", p.Name, p.Reason)
		}
	}
}

func TestEmulatedThermalZone(t *testing.T) {
	zone, file := needed(t, "FATHOM_THERMAL_ZONE"), needed(t, "FATHOM_THERMAL_SET")
	b := realBoard(t)
	for _, milli := range []int{41250, 83500, -5000} {
		set(t, file, strconv.Itoa(milli))
		want := float64(milli) / 1000
		eventually(t, b, func(s telemetry.Snapshot) error {
			for _, z := range s.Heat.Zones {
				if v, _ := z.TempCelsius.Get(); z.Type == zone && v == want && z.Relevant {
					return nil
				}
			}
			return errors.New(zone + " does not become " + strconv.FormatFloat(want, 'f', -1, 64) + " °C: " + s.Heat.HottestCelsius.Reason())
		})
	}
	set(t, file, "-44000")
	eventually(t, b, func(s telemetry.Snapshot) error {
		if isKnown(s.Heat.HottestCelsius) {
			return errors.New("-44 °C was taken for a temperature")
		}
		return nil
	})
	set(t, file, "40000")
	eventually(t, b, func(s telemetry.Snapshot) error {
		if v, _ := s.Heat.HottestCelsius.Get(); v != 40 {
			return errors.New("the zone did not come back: " + s.Heat.HottestCelsius.Reason())
		}
		return nil
	})
}

func TestEmulatedBattery(t *testing.T) {
	name, file := needed(t, "FATHOM_BATTERY"), needed(t, "FATHOM_BATTERY_SET")
	b := realBoard(t)
	for _, percent := range []string{"80", "15"} {
		set(t, file, percent)
		eventually(t, b, func(s telemetry.Snapshot) error {
			for _, supply := range s.Power.Supplies {
				if v, _ := supply.ChargePercent.Get(); supply.Name == name && strconv.FormatFloat(v, 'f', 0, 64) == percent {
					return nil
				}
			}
			return errors.New(name + " does not become " + percent + " %: " + s.Power.ChargePercent.Reason())
		})
	}
}

// TestEmulatedCoreUnplugged: the others and the whole stay known, and the core comes back.
func TestEmulatedCoreUnplugged(t *testing.T) {
	core := needed(t, "FATHOM_UNPLUG")
	number, err := strconv.Atoi(core)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("/sys/devices/system/cpu", "cpu"+core, "online")
	has := func(s telemetry.Snapshot) bool {
		for _, c := range s.Load.Cores {
			if c.Number == number {
				return true
			}
		}
		return false
	}
	b := realBoard(t)
	read(b)
	t.Cleanup(func() { set(t, file, "1") })
	for _, on := range []bool{false, true} {
		set(t, file, map[bool]string{false: "0", true: "1"}[on])
		eventually(t, b, func(s telemetry.Snapshot) error {
			if !isKnown(s.Load.CPUPercent) || has(s) != on {
				return errors.New("cores: " + s.Load.CPUPercent.Reason())
			}
			return nil
		})
	}
}

// TestEmulatedControlGroup: the limits of a group that the test enters.
func TestEmulatedControlGroup(t *testing.T) {
	dir := needed(t, "FATHOM_CGROUP")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	home, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	set(t, filepath.Join(dir, "cpu.max"), "50000 100000")
	set(t, filepath.Join(dir, "memory.max"), strconv.Itoa(1<<30))
	set(t, filepath.Join(dir, "cgroup.procs"), strconv.Itoa(os.Getpid()))
	t.Cleanup(func() {
		_, path, _ := strings.Cut(strings.TrimSpace(string(home)), "::")
		set(t, filepath.Join("/sys/fs/cgroup", path, "cgroup.procs"), strconv.Itoa(os.Getpid()))
	})
	eventually(t, realBoard(t), func(s telemetry.Snapshot) error {
		cores, _ := s.Load.Limits.CPUCores.Get()
		memory, _ := s.Load.Limits.MemoryBytes.Get()
		if cores != 0.5 || memory != 1<<30 {
			return errors.New("limits: " + s.Load.Limits.CPUCores.Reason() + "; " + s.Load.Limits.MemoryBytes.Reason())
		}
		return nil
	})
}
