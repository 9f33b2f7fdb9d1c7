package sysfs

import (
	"fmt"
	"math"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

const supplyDir = "sys/class/power_supply"

// PowerSupply is one entry of /sys/class/power_supply: a battery, but also a
// mains adapter or a USB-C port.
type PowerSupply struct {
	Name string
	Type string // Battery, UPS, Mains, USB, Wireless; empty where the kernel does not say
	fs   FS
}

// SupplyState is what a power supply says at one instant.
type SupplyState struct {
	// OfDevice marks the battery of a peripheral (a mouse, a pen), which does not feed the board.
	OfDevice      bool
	Present       telemetry.Reading[bool]
	Online        telemetry.Reading[bool]
	Status        telemetry.Reading[string]
	ChargePercent telemetry.Reading[float64]
	Volts         telemetry.Reading[float64]
	// Amps and Watts are positive while the battery charges.
	Amps  telemetry.Reading[float64]
	Watts telemetry.Reading[float64]
	// FullWattHours is what the battery holds when it is full.
	FullWattHours telemetry.Reading[float64]
}

// PowerSupplies lists the power supplies in the order of their names.
func (f FS) PowerSupplies() ([]PowerSupply, error) {
	names, err := f.names(supplyDir)
	if err != nil {
		return nil, err
	}
	var supplies []PowerSupply
	for _, name := range names {
		typ, err := f.read(supplyDir + "/" + name + "/type")
		if err != nil {
			typ = "" // what it is stays unknown; it will not count as a battery
		}
		supplies = append(supplies, PowerSupply{Name: name, Type: typ, fs: f})
	}
	return supplies, nil
}

// IsBattery tells whether the supply stores energy.
func (s PowerSupply) IsBattery() bool { return s.Type == "Battery" || s.Type == "UPS" }

var (
	parsePercent  = parseScaled(1, 0, 100, "%")
	parseVolts    = parseScaled(1e6, 0, 1000, "V")
	parseAmps     = parseScaled(1e6, -1000, 1000, "A")
	parseWatts    = parseScaled(1e6, -10000, 10000, "W")
	parseWattHour = parseScaled(1e6, 0, 1e6, "Wh")
	parseAmpHour  = parseScaled(1e6, 0, 1e6, "Ah")
)

// Read asks the driver for all that the supply says; at is the time of asking.
func (s PowerSupply) Read(at time.Time) SupplyState {
	a := supplyAttributes{s}
	status, statusErr := readParsed(s.fs, a.dir(), "status", parseWord)
	volts, voltsErr := a.float("voltage_now", parseVolts)
	amps, ampsErr := a.float("current_now", parseAmps)
	amps, ampsErr = signed(amps, ampsErr, status, statusErr)
	watts, wattsErr := a.float("power_now", parseWatts)
	if wattsErr == nil {
		watts, wattsErr = signed(watts, nil, status, statusErr)
	} else if ampsErr == nil && voltsErr == nil {
		watts, wattsErr = volts*amps, nil
	}
	present, presentErr := readParsed(s.fs, a.dir(), "present", parseBool)
	online, onlineErr := readParsed(s.fs, a.dir(), "online", parseBool)
	charge, chargeErr := a.charge()
	full, fullErr := a.fullWattHours()
	scope, err := s.fs.read(a.dir() + "/scope")
	return SupplyState{
		OfDevice:      err == nil && scope == "Device",
		Present:       reading(at, present, presentErr),
		Online:        reading(at, online, onlineErr),
		Status:        reading(at, status, statusErr),
		ChargePercent: reading(at, charge, chargeErr),
		Volts:         reading(at, volts, voltsErr),
		Amps:          reading(at, amps, ampsErr),
		Watts:         reading(at, watts, wattsErr),
		FullWattHours: reading(at, full, fullErr),
	}
}

func reading[T any](at time.Time, v T, err error) telemetry.Reading[T] {
	if err != nil {
		return telemetry.Unknown[T](err.Error())
	}
	return telemetry.Known(v, at)
}

// signed gives a flow its sign: positive while charging. The kernel's ABI has a
// negative current while discharging, but some drivers report the magnitude,
// so the status decides. Without a status only a negative value says something.
func signed(v float64, err error, status string, statusErr error) (float64, error) {
	if err != nil {
		return 0, err
	}
	switch {
	case v == 0:
		return 0, nil // no negative zero
	case statusErr == nil && status == "Discharging":
		return -math.Abs(v), nil
	case statusErr == nil && status == "Charging":
		return math.Abs(v), nil
	case statusErr == nil && (status == "Full" || status == "Not charging"), v < 0:
		return v, nil
	}
	return 0, fmt.Errorf("direction of %g not known: the supply gives no usable status", v)
}

// supplyAttributes reads the attributes of one supply.
type supplyAttributes struct{ PowerSupply }

func (a supplyAttributes) dir() string { return supplyDir + "/" + a.Name }

func (a supplyAttributes) float(name string, parse func(string) (float64, error)) (float64, error) {
	return readParsed(a.fs, a.dir(), name, parse)
}

// charge returns the state of charge in per cent: what the driver says, or the
// ratio of the energies or charges that it counts.
func (a supplyAttributes) charge() (float64, error) {
	percent, err := a.float("capacity", parsePercent)
	if err == nil {
		return percent, nil
	}
	for _, kind := range []struct {
		name  string
		parse func(string) (float64, error)
	}{{"energy", parseWattHour}, {"charge", parseAmpHour}} {
		now, nowErr := a.float(kind.name+"_now", kind.parse)
		full, fullErr := a.float(kind.name+"_full", kind.parse)
		if nowErr == nil && fullErr == nil && full > 0 {
			return math.Min(100, 100*now/full), nil
		}
	}
	return 0, err
}

// fullWattHours returns the energy of the full battery; one that counts charge
// needs its design voltage for that.
func (a supplyAttributes) fullWattHours() (float64, error) {
	energy, err := a.float("energy_full", parseWattHour)
	if err == nil && energy > 0 {
		return energy, nil
	}
	ampHours, err := a.float("charge_full", parseAmpHour)
	if err != nil {
		return 0, err
	}
	volts, err := a.float("voltage_min_design", parseVolts)
	if err != nil {
		return 0, err
	}
	if ampHours*volts <= 0 {
		return 0, fmt.Errorf("/%s: the full charge is not known", a.dir())
	}
	return ampHours * volts, nil
}
