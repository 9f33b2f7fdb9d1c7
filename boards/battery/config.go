package battery

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// What Config.Measures names.
const (
	MeasuresBattery = "battery" // the monitor sits between battery and board
	MeasuresLoad    = "load"    // the monitor sits in the line that feeds the board
)

// Config names a device that kernel drivers do not serve, and what it cannot tell
// about itself. Zero fields take the device's own values; see Devices.
type Config struct {
	// Device is the product or chip, by the name in Devices.
	Device string `yaml:"device" json:"device"`
	// Bus is the number of its I²C bus: 1 for /dev/i2c-1. There is no default.
	Bus *int `yaml:"bus,omitempty" json:"bus,omitempty"`
	// Address is the 7-bit I²C address.
	Address uint16 `yaml:"address,omitempty" json:"address,omitempty"`
	// ShuntOhms is the resistance across which a current monitor measures.
	ShuntOhms float64 `yaml:"shunt_ohms,omitempty" json:"shunt_ohms,omitempty"`
	// MaxAmps chooses the finest range of an INA219 that holds this current.
	MaxAmps float64 `yaml:"max_amps,omitempty" json:"max_amps,omitempty"`
	// ReverseCurrent tells that the monitor counts a current out of the battery as
	// positive (or, where it measures the load, one back from it).
	ReverseCurrent *bool `yaml:"reverse_current,omitempty" json:"reverse_current,omitempty"`
	// Channel is the input of an INA3221, 1 to 3.
	Channel int `yaml:"channel,omitempty" json:"channel,omitempty"`
	// Measures is MeasuresBattery, which is the default, or MeasuresLoad.
	Measures string `yaml:"measures,omitempty" json:"measures,omitempty"`
	// Cells is how many cells are in series.
	Cells int `yaml:"cells,omitempty" json:"cells,omitempty"`
	// Chemistry is LiIon or LiFePO4.
	Chemistry string `yaml:"chemistry,omitempty" json:"chemistry,omitempty"`
	// CapacityAh is what the whole pack holds when full, cells in parallel added up.
	// Without it there is no time to empty, unless the device tells.
	CapacityAh float64 `yaml:"capacity_ah,omitempty" json:"capacity_ah,omitempty"`
	// ResistanceOhms is that of the whole pack with its contacts.
	ResistanceOhms float64 `yaml:"resistance_ohms,omitempty" json:"resistance_ohms,omitempty"`
	// ExternalPowerLine is active while a charger or mains feeds the board.
	ExternalPowerLine Line `yaml:"external_power_line,omitempty" json:"external_power_line,omitzero"`
	// LowBatteryLine is active while the battery is nearly empty.
	LowBatteryLine Line `yaml:"low_battery_line,omitempty" json:"low_battery_line,omitzero"`
}

// Line is a GPIO line. The zero Line is none.
type Line struct {
	// Name is the kernel's name of the line, as gpioinfo lists it: GPIO6.
	Name string `yaml:"name" json:"name"`
	// ActiveLow tells that low means active.
	ActiveLow bool `yaml:"active_low,omitempty" json:"active_low,omitempty"`
}

// cellOhms is the resistance of one 18650 with its contacts; the packs of UPS
// boards have one or two in parallel, which halves it. An assumption, with
// ohmsShare as its deviation.
const cellOhms = 0.070

// Validate tells what is wrong with a configuration.
func (c Config) Validate() error {
	_, _, err := c.resolve()
	return err
}

// resolve fills in what the device has of its own.
func (c Config) resolve() (Config, Device, error) {
	i := slices.IndexFunc(devices, func(d Device) bool { return d.Name == c.Device })
	if i < 0 {
		return c, Device{}, fmt.Errorf("battery: device %q: not supported (these are: %s)", c.Device, strings.Join(names(), ", "))
	}
	d := devices[i]
	for _, check := range []func(*Config, Device) error{
		checkPlace, checkMonitor, checkPack, checkLines,
	} {
		if err := check(&c, d); err != nil {
			return c, d, fmt.Errorf("battery: device %s: %w", c.Device, err)
		}
	}
	return c, d, nil
}

// checkPlace checks where the device is.
func checkPlace(c *Config, d Device) error {
	if d.open == nil {
		if c.Bus != nil || c.Address != 0 {
			return fmt.Errorf("bus, address: the device is on GPIO lines only")
		}
		return nil
	}
	switch {
	case c.Bus == nil:
		return fmt.Errorf("bus: missing (give the number of /dev/i2c-N: 1 on a Raspberry Pi and Jetson Nano, 7 on a Jetson Orin Nano)")
	case *c.Bus < 0 || *c.Bus > 1000:
		return fmt.Errorf("bus: %d is not the number of an I²C bus", *c.Bus)
	case c.Address == 0:
		c.Address = d.Addresses[0]
	case c.Address < 0x08 || c.Address > 0x77:
		return fmt.Errorf("address: %#02x is not a 7-bit address of a device (0x08 to 0x77; is it shifted by the read bit?)", c.Address)
	case !d.Movable && !slices.Contains(d.Addresses, c.Address):
		return fmt.Errorf("address: %#02x is none that it can have (%s)", c.Address, addresses(d))
	}
	return nil
}

// between checks a number that may be left out.
func between(name string, v, low, high float64, unit string) error {
	const rounding = 1e-9
	if v != 0 && !(v >= low && v <= high*(1+rounding)) {
		return fmt.Errorf("%s: %g is not between %g and %g %s", name, v, low, math.Round(high*1e4)/1e4, unit)
	}
	return nil
}

// checkMonitor checks what belongs to a current monitor.
func checkMonitor(c *Config, d Device) error {
	monitor := d.monitor
	switch {
	case c.Measures == "":
		c.Measures = MeasuresBattery
	case c.Measures != MeasuresBattery && c.Measures != MeasuresLoad:
		return fmt.Errorf("measures: %q is neither %s nor %s", c.Measures, MeasuresBattery, MeasuresLoad)
	case c.Measures == MeasuresLoad && !monitor.anywhere:
		return fmt.Errorf("measures: it measures its battery")
	}
	if c.ReverseCurrent == nil {
		c.ReverseCurrent = new(monitor.reverse)
	} else if !monitor.is {
		return fmt.Errorf("reverse_current: it is no current monitor")
	}
	if c.ShuntOhms == 0 {
		c.ShuntOhms = monitor.shuntOhms
	} else if !monitor.shunt {
		return fmt.Errorf("shunt_ohms: it has none to configure")
	}
	if monitor.shunt && c.ShuntOhms == 0 {
		return fmt.Errorf("shunt_ohms: missing (the resistor's marking: R100 is 0.1)")
	}
	if err := between("shunt_ohms", c.ShuntOhms, 1e-4, 10, "Ω"); err != nil {
		return err
	}
	if c.MaxAmps == 0 {
		c.MaxAmps = monitor.maxAmps
	} else if !monitor.ranges {
		return fmt.Errorf("max_amps: it has one range only")
	}
	if monitor.ranges && c.MaxAmps != 0 {
		if err := between("max_amps", c.MaxAmps, 1e-3, ina219Ranges[len(ina219Ranges)-1]/c.ShuntOhms, "A (0.32 V across the shunt)"); err != nil {
			return err
		}
	}
	switch {
	case monitor.channels == 0 && c.Channel != 0:
		return fmt.Errorf("channel: it has one only")
	case monitor.channels > 0 && (c.Channel < 1 || c.Channel > monitor.channels):
		return fmt.Errorf("channel: %d is not between 1 and %d", c.Channel, monitor.channels)
	}
	return nil
}

// checkPack checks what the battery is.
func checkPack(c *Config, d Device) error {
	if c.Measures == MeasuresLoad || d.open == nil {
		if c.Cells != 0 || c.Chemistry != "" || c.CapacityAh != 0 || c.ResistanceOhms != 0 {
			return fmt.Errorf("cells, chemistry, capacity_ah, resistance_ohms: it measures no battery")
		}
		return nil
	}
	switch {
	case c.Cells == 0 && d.Cells == 0:
		return fmt.Errorf("cells: missing (how many are in series)")
	case c.Cells == 0:
		c.Cells = d.Cells
	case c.Cells < 0 || c.Cells > 16:
		return fmt.Errorf("cells: %d in series is not between 1 and 16", c.Cells)
	case d.Cells != 0 && c.Cells != d.Cells:
		return fmt.Errorf("cells: it is made for %d in series, not %d (cells in parallel add to capacity_ah only)", d.Cells, c.Cells)
	}
	switch {
	case c.Chemistry == "" && d.Chemistry == "":
		c.Chemistry = LiIon
	case c.Chemistry == "":
		c.Chemistry = d.Chemistry
	case c.Chemistry != LiIon && c.Chemistry != LiFePO4:
		return fmt.Errorf("chemistry: %q is neither %s nor %s", c.Chemistry, LiIon, LiFePO4)
	case d.Chemistry != "" && c.Chemistry != d.Chemistry:
		return fmt.Errorf("chemistry: it is made for %s cells, not %s", d.Chemistry, c.Chemistry)
	}
	if err := between("capacity_ah", c.CapacityAh, 0.01, 10000, "Ah (mAh divided by 1000)"); err != nil {
		return err
	}
	if c.ResistanceOhms == 0 {
		c.ResistanceOhms = cellOhms * float64(c.Cells)
	}
	return between("resistance_ohms", c.ResistanceOhms, 1e-3, 10, "Ω")
}

// checkLines checks the GPIO lines.
func checkLines(c *Config, d Device) error {
	for _, line := range []struct {
		field string
		is    *Line
		own   Line
	}{
		{"external_power_line", &c.ExternalPowerLine, d.externalPower},
		{"low_battery_line", &c.LowBatteryLine, d.lowBattery},
	} {
		switch {
		case *line.is == Line{}:
			*line.is = line.own
		case strings.TrimSpace(line.is.Name) != line.is.Name || line.is.Name == "":
			return fmt.Errorf("%s: %q is no name of a line (gpioinfo lists them: GPIO6)", line.field, line.is.Name)
		}
	}
	if c.ExternalPowerLine.Name != "" && c.ExternalPowerLine.Name == c.LowBatteryLine.Name {
		return fmt.Errorf("external_power_line, low_battery_line: both are %q", c.LowBatteryLine.Name)
	}
	if d.open == nil && c.ExternalPowerLine.Name == "" && c.LowBatteryLine.Name == "" {
		return fmt.Errorf("external_power_line, low_battery_line: neither is given")
	}
	return nil
}
