package sysfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tree writes attributes into a new root.
func tree(t *testing.T, attributes map[string]string) FS {
	t.Helper()
	root := t.TempDir()
	for name, content := range attributes {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return NewFS(root)
}

// TestReadOffline: a FIFO with a writer that writes nothing answers EAGAIN, as
// the zone of a switched-off unit does. os.ReadFile would not return.
func TestReadOffline(t *testing.T) {
	f := tree(t, map[string]string{"sys/class/thermal/thermal_zone4/type": "cv0-thermal\n"})
	fifo := filepath.Join(string(f), "sys/class/thermal/thermal_zone4/temp")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	writer, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	zones, err := f.ThermalZones()
	if err != nil || len(zones) != 1 {
		t.Fatalf("zones %v, %v", zones, err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := zones[0].Celsius()
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, ErrOffline) {
			t.Errorf("error %v, want one that wraps ErrOffline", err)
		}
		if want := "/sys/class/thermal/thermal_zone4/temp: offline"; !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %q, want it to begin with %q", err, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the read hangs")
	}
}

func TestReadErrors(t *testing.T) {
	f := tree(t, map[string]string{"a/b": " text \n"})
	if got, err := f.read("a/b"); got != "text" || err != nil {
		t.Errorf("read = %q, %v", got, err)
	}
	if _, err := f.read("a/none"); !errors.Is(err, fs.ErrNotExist) || err.Error() != "/a/none: no such file or directory" {
		t.Errorf("missing: %v", err)
	}
	if _, err := f.read("a"); err == nil {
		t.Error("a folder was read as an attribute")
	}
	if _, err := f.names("a/b"); err == nil || err.Error() != "/a/b: not a directory" {
		t.Errorf("names of a file: %v", err)
	}
}

// TestBrokenMonitorHidesNoOther: one hardware monitor without a readable name.
func TestBrokenMonitorHidesNoOther(t *testing.T) {
	f := tree(t, map[string]string{
		"sys/class/hwmon/hwmon0/name/x":      "a folder cannot be read as a name",
		"sys/class/hwmon/hwmon1/name":        "coretemp\n",
		"sys/class/hwmon/hwmon1/temp1_input": "41000\n",
	})
	temps, err := f.Monitors().Temps()
	if len(temps) != 1 || temps[0].Name != "hwmon1/temp1" || err == nil || !strings.Contains(err.Error(), "/sys/class/hwmon/hwmon0/name") {
		t.Errorf("temperatures %v, %v", temps, err)
	}
}

func TestThermalZones(t *testing.T) {
	f := tree(t, map[string]string{
		"sys/class/thermal/thermal_zone10/type":             "gpu-thermal\n",
		"sys/class/thermal/thermal_zone2/type":              "cpu-thermal\n",
		"sys/class/thermal/thermal_zone2/temp":              "45000\n",
		"sys/class/thermal/thermal_zone2/trip_point_0_type": "active\n",
		"sys/class/thermal/thermal_zone2/trip_point_0_temp": "50000\n",
		"sys/class/thermal/thermal_zone2/trip_point_1_type": "passive\n",
		"sys/class/thermal/thermal_zone2/trip_point_1_temp": "-274000\n",
		"sys/class/thermal/thermal_zone2/trip_point_2_type": "hot\n",
		"sys/class/thermal/thermal_zone2/trip_point_2_temp": "99000\n",
		"sys/class/thermal/thermal_zone3/policy":            "a zone that vanishes has no type any more\n",
		"sys/class/thermal/thermal_zonex/type":              "not a zone\n",
		"sys/class/thermal/cooling_device0/type":            "pwm-fan\n",
	})
	zones, err := f.ThermalZones()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, z := range zones {
		got = append(got, z.Name+" "+z.Type)
	}
	if diff := cmp.Diff([]string{"thermal_zone2 cpu-thermal", "thermal_zone10 gpu-thermal"}, got); diff != "" {
		t.Fatalf("zones (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Trip{{"active", 50}, {"hot", 99}}, zones[0].Trips()); diff != "" {
		t.Errorf("trips (-want +got):\n%s", diff)
	}
}

func TestThrottleFlags(t *testing.T) {
	const firmware = "sys/bus/platform/drivers/raspberrypi-firmware/soc@107c000000:firmware/get_throttled"
	tests := []struct {
		name               string
		attributes         map[string]string
		found              bool
		under, throttled   bool
		underOK, throttleK bool
	}{
		{"another board", nil, false, false, false, false, false},
		{"all well", map[string]string{firmware: "0\n"}, true, false, false, true, true},
		{"only in the past", map[string]string{firmware: "f0000\n"}, true, false, false, true, true},
		{"under-voltage now", map[string]string{firmware: "50001\n"}, true, true, false, true, true},
		{"clock capped", map[string]string{firmware: "2\n"}, true, false, true, true, true},
		{"throttled", map[string]string{firmware: "4\n"}, true, false, true, true, true},
		{"soft limit", map[string]string{firmware: "80008\n"}, true, false, true, true, true},
		{"garbage", map[string]string{firmware: "?\n"}, true, false, false, false, false},
		{"upstream kernel", map[string]string{"sys/class/hwmon/hwmon3/name": "rpi_volt\n", "sys/class/hwmon/hwmon3/in0_lcrit_alarm": "1\n"},
			true, true, false, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := tree(t, tt.attributes)
			flags, found, err := f.ThrottleFlags(f.Monitors())
			if found != tt.found || err != nil {
				t.Fatalf("found %t, %v; want %t", found, err, tt.found)
			}
			if !found {
				return
			}
			if flags.UnderVoltageOnly {
				low, err := flags.UnderVoltage()
				if low != tt.under || (err == nil) != tt.underOK || tt.throttleK {
					t.Errorf("under-voltage %t, %v; want %t", low, err, tt.under)
				}
				return
			}
			word, err := flags.Word()
			if (err == nil) != tt.underOK || word.UnderVoltage() != tt.under || word.Throttled() != tt.throttled {
				t.Errorf("%v: under-voltage %t, throttled %t; want %t, %t", err, word.UnderVoltage(), word.Throttled(), tt.under, tt.throttled)
			}
		})
	}
}

// TestSupplySign: a current is positive while the battery charges, whichever
// sign its driver uses.
func TestSupplySign(t *testing.T) {
	for _, tt := range []struct {
		status, current string
		want            float64
		known           bool
	}{
		{"Discharging", "-500000", -0.5, true},
		{"Discharging", "500000", -0.5, true},
		{"Charging", "-500000", 0.5, true},
		{"Charging", "500000", 0.5, true},
		{"Full", "10000", 0.01, true},
		{"Unknown", "-500000", -0.5, true},
		{"Unknown", "500000", 0, false}, // it could be a magnitude
		{"", "500000", 0, false},
		{"Charging", "garbage", 0, false},
	} {
		t.Run(tt.status+tt.current, func(t *testing.T) {
			f := tree(t, map[string]string{
				"sys/class/power_supply/BAT0/type":        "Battery\n",
				"sys/class/power_supply/BAT0/status":      tt.status + "\n",
				"sys/class/power_supply/BAT0/current_now": tt.current + "\n",
				"sys/class/power_supply/BAT0/voltage_now": "4000000\n",
			})
			supplies, err := f.PowerSupplies()
			if err != nil || len(supplies) != 1 {
				t.Fatalf("supplies %v, %v", supplies, err)
			}
			s := supplies[0].Read(time.Now())
			if got, known := s.Amps.Get(); got != tt.want || known != tt.known {
				t.Errorf("amps %g, known %t; want %g, %t", got, known, tt.want, tt.known)
			}
			if got, known := s.Watts.Get(); got != 4*tt.want || known != tt.known {
				t.Errorf("watts %g, known %t; want %g, %t", got, known, 4*tt.want, tt.known)
			}
		})
	}
}

// TestUnreadableIsNotAbsent: a folder that is there and cannot be read is not
// "another board". (Root may read any folder, so a file stands in its place.)
func TestUnreadableIsNotAbsent(t *testing.T) {
	for _, folder := range []string{
		"sys/bus/platform/drivers/raspberrypi-firmware", "sys/class/hwmon", "sys/class/thermal",
		"sys/class/power_supply", "sys/bus/i2c/drivers/ina3221x", "sys/devices/system/cpu/cpufreq",
	} {
		f := tree(t, map[string]string{folder: "not a folder"})
		_, _, flagsErr := f.ThrottleFlags(f.Monitors())
		_, railsErr := f.PowerRails(f.Monitors())
		_, zonesErr := f.ThermalZones()
		_, coolingErr := f.CoolingDevices()
		_, tempsErr := f.Monitors().Temps()
		_, alarmsErr := f.Monitors().OverCurrents()
		_, suppliesErr := f.PowerSupplies()
		_, clocksErr := f.CPUFreq()
		err := errors.Join(flagsErr, railsErr, zonesErr, coolingErr, tempsErr, alarmsErr, suppliesErr, clocksErr)
		if err == nil || !strings.Contains(err.Error(), "/"+folder+": not a directory") {
			t.Errorf("%s: %v", folder, err)
		}
	}
	f := tree(t, nil)
	if _, found, err := f.ThrottleFlags(f.Monitors()); found || err != nil {
		t.Errorf("nothing there: %t, %v", found, err)
	}
}
