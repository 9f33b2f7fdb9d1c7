package battery_test

import (
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/google/go-cmp/cmp"
)

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		yaml string
		want string // "" for valid
	}{
		{"{device: ina219, bus: 1, shunt_ohms: 0.1, cells: 2}", ""},
		{"{device: ina219, bus: 1, address: 0x4F, shunt_ohms: 0.1, measures: load}", ""},
		{"{device: ina3221, bus: 1, shunt_ohms: 0.1, channel: 3, cells: 4, chemistry: lifepo4, capacity_ah: 12}", ""},
		{"{device: waveshare-ups-hat-d, bus: 1, reverse_current: false}", ""},
		{"{device: lifepo4wered, bus: 1, address: 0x20}", ""},
		{"{device: max17048, bus: 7, low_battery_line: {name: GPIO5, active_low: true}}", ""},
		{"{device: pipower}", ""},
		{"{device: gpio, low_battery_line: {name: GPIO4}}", ""},

		{"{}", `battery: device "": not supported (these are: ina219, ina226`},
		{"{device: max17, bus: 1}", `battery: device "max17": not supported`},
		{"{device: max17048}", "battery: device max17048: bus: missing (give the number of /dev/i2c-N"},
		{"{device: max17048, bus: -1}", "bus: -1 is not the number"},
		{"{device: max17048, bus: 1, address: 0x55}", "address: 0x55 is none that it can have (0x36)"},
		{"{device: ina219, bus: 1, address: 0x80, shunt_ohms: 0.1, cells: 1}", "address: 0x80 is not a 7-bit address of a device (0x08 to 0x77; is it shifted"},
		{"{device: ina219, bus: 1, cells: 1}", "shunt_ohms: missing (the resistor's marking: R100 is 0.1)"},
		{"{device: ina219, bus: 1, cells: 1, shunt_ohms: 100}", "shunt_ohms: 100 is not between 0.0001 and 10 Ω"},
		{"{device: ina219, bus: 1, cells: 1, shunt_ohms: -0.1}", "shunt_ohms: -0.1 is not between"},
		{"{device: ina219, bus: 1, cells: 1, shunt_ohms: .nan}", "shunt_ohms: NaN is not between"},
		{"{device: ina219, bus: 1, cells: 1, shunt_ohms: 0.1, max_amps: 5}", "max_amps: 5 is not between 0.001 and 3.2"},
		{"{device: ina226, bus: 1, cells: 1, shunt_ohms: 0.1, max_amps: 5}", "max_amps: it has one range only"},
		{"{device: ina260, bus: 1, cells: 1, shunt_ohms: 0.1}", "shunt_ohms: it has none to configure"},
		{"{device: ina219, bus: 1, shunt_ohms: 0.1}", "cells: missing (how many are in series)"},
		{"{device: ina219, bus: 1, shunt_ohms: 0.1, cells: 17}", "cells: 17 in series is not between 1 and 16"},
		{"{device: ina219, bus: 1, shunt_ohms: 0.1, cells: 1, channel: 1}", "channel: it has one only"},
		{"{device: ina3221, bus: 1, shunt_ohms: 0.1, cells: 1}", "channel: 0 is not between 1 and 3"},
		{"{device: ina219, bus: 1, shunt_ohms: 0.1, cells: 1, measures: sun}", `measures: "sun" is neither battery nor load`},
		{"{device: ina219, bus: 1, shunt_ohms: 0.1, cells: 1, measures: load}", "cells, chemistry, capacity_ah, resistance_ohms: it measures no battery"},
		{"{device: max17048, bus: 1, measures: load}", "measures: it measures its battery"},
		{"{device: max17048, bus: 1, reverse_current: true}", "reverse_current: it is no current monitor"},
		{"{device: waveshare-ups-hat-c, bus: 1, cells: 2}", "cells: it is made for 1 in series, not 2 (cells in parallel add to capacity_ah only)"},
		{"{device: waveshare-ups-hat-c, bus: 1, chemistry: lifepo4}", "chemistry: it is made for li-ion cells, not lifepo4"},
		{"{device: ina260, bus: 1, cells: 1, chemistry: lead}", `chemistry: "lead" is neither li-ion nor lifepo4`},
		{"{device: max17048, bus: 1, capacity_ah: 1e6}", "capacity_ah: 1e+06 is not between 0.01 and 10000 Ah (mAh divided by 1000)"},
		{"{device: max17048, bus: 1, resistance_ohms: 70}", "resistance_ohms: 70 is not between 0.001 and 10 Ω"},
		{"{device: pipower, bus: 1}", "bus, address: the device is on GPIO lines only"},
		{"{device: pipower, cells: 1}", "it measures no battery"},
		{"{device: gpio}", "external_power_line, low_battery_line: neither is given"},
		{"{device: gpio, low_battery_line: {active_low: true}}", `low_battery_line: "" is no name of a line`},
		{"{device: gpio, low_battery_line: {name: GPIO4}, external_power_line: {name: GPIO4}}", `both are "GPIO4"`},
		{"{device: geekworm-x728, bus: 1, low_battery_line: {name: GPIO6}}", `external_power_line, low_battery_line: both are "GPIO6"`},
	} {
		var c battery.Config
		if err := yaml.UnmarshalWithOptions([]byte(tt.yaml), &c, yaml.Strict()); err != nil {
			t.Errorf("%s: %v", tt.yaml, err)
			continue
		}
		err := c.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %v, want %q", tt.yaml, err, tt.want)
		}
		if b, openErr := battery.Open(battery.Host{}, c); (openErr == nil) != (err == nil) || (b == nil) != (openErr != nil) {
			t.Errorf("%s: Open: %v, %v; Validate: %v", tt.yaml, b, openErr, err)
		}
	}
}

// TestConfigYAML: what is written is read back, and unknown fields are refused.
func TestConfigYAML(t *testing.T) {
	c := battery.Config{Device: "ina219", Bus: new(1), Address: 0x41, ShuntOhms: 0.1, MaxAmps: 2, ReverseCurrent: new(false), Cells: 2,
		Chemistry: battery.LiFePO4, CapacityAh: 3, ResistanceOhms: 0.1, LowBatteryLine: battery.Line{Name: "GPIO4", ActiveLow: true}}
	text, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var got battery.Config
	if err := yaml.UnmarshalWithOptions(text, &got, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, got); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	if err := yaml.UnmarshalWithOptions([]byte("{device: ina219, shunt: 0.1}"), &got, yaml.Strict()); err == nil {
		t.Error("an unknown field is accepted")
	}
}

// FuzzConfig: no configuration panics, and what is valid opens.
func FuzzConfig(f *testing.F) {
	f.Add("{device: ina219, bus: 1, shunt_ohms: 0.1, cells: 2}")
	f.Add("{device: gpio, low_battery_line: {name: GPIO4}}")
	f.Add("{device: ina3221, bus: 1, channel: 2, measures: load, shunt_ohms: .inf}")
	f.Fuzz(func(t *testing.T, text string) {
		var c battery.Config
		if yaml.UnmarshalWithOptions([]byte(text), &c, yaml.Strict()) != nil {
			return
		}
		b, err := battery.Open(battery.Host{}, c)
		if (b == nil) == (err == nil) || (c.Validate() == nil) != (err == nil) {
			t.Fatalf("%v, %v", b, err)
		}
		if b != nil && b.Name() == "" {
			t.Fatal("no name")
		}
	})
}

// TestDevicesAreDocumented: docs/boards.md names every device, and the table leaves nothing open.
func TestDevicesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/boards.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, d := range battery.Devices() {
		if !strings.Contains(string(text), "`"+d.Name+"`") {
			t.Errorf("docs/boards.md does not name %s", d.Name)
		}
		if d.Name == "" || seen[d.Name] || d.Product == "" || d.Chip == "" || d.Source == "" || d.Standing == "" || len(d.Functions) == 0 || d.Test == "" {
			t.Errorf("%+v", d)
		}
		if d.Standing == battery.PartlyUnverified && d.Notes == "" {
			t.Errorf("%s: what is not verified?", d.Name)
		}
		seen[d.Name] = true
	}
}
