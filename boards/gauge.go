package boards

import (
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"

	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/boards/sysfs"
	"github.com/fathom-edge/fathom/boards/telemetry"
)

// Gauge is a battery, fuel gauge or power monitor that no kernel driver serves; a
// *battery.Battery is one. Sense is called on a goroutine of its own, never twice
// at once, and may take as long as its bus; its Status is whole even with an error.
type Gauge interface {
	Name() string
	// HasBattery tells whether it watches a battery, and not a load only.
	HasBattery() bool
	Sense(at time.Time) (battery.Status, error)
}

// gauges opens the configured devices. Those of another root cannot be asked: its
// buses are not there.
func gauges(root sysfs.FS, configs []battery.Config) ([]Gauge, error) {
	host := battery.LinuxHost()
	host.Root = string(root)
	if root != "/" {
		host.OpenBus = func(n int) (i2c.BusCloser, error) {
			return nil, fmt.Errorf("/dev/i2c-%d is of the running machine, not of the given root", n)
		}
		host.OpenLine = func(name string) (gpio.PinIn, error) {
			return nil, fmt.Errorf("GPIO line %s is of the running machine, not of the given root", name)
		}
	}
	var opened []Gauge
	for _, c := range configs {
		b, err := battery.Open(host, c)
		if err != nil {
			return nil, fmt.Errorf("boards: %w", err)
		}
		opened = append(opened, b)
	}
	return opened, nil
}

// senseGauge fails only where nothing at all is to be had; what a device told
// although something else of it failed counts.
func senseGauge(g Gauge, at time.Time) (battery.Status, error) {
	s, err := g.Sense(at)
	if isKnown(s.ChargePercent) || isKnown(s.Volts) || isKnown(s.Amps) || isKnown(s.LoadWatts) ||
		isKnown(s.ExternalPower) || isKnown(s.BatteryLow) {
		err = nil
	}
	return s, err
}

// unknownStatus is that of a device that was not asked or did not answer.
func unknownStatus(reason string) battery.Status {
	number, boolean := telemetry.Unknown[float64](reason), telemetry.Unknown[bool](reason)
	return battery.Status{
		ChargePercent: number, ChargeUncertaintyPercent: number, Volts: number, Amps: number, BatteryWatts: number,
		LoadWatts: number, CapacityWattHours: number, RemainingHours: number, RemainingUncertaintyHours: number,
		Discharging: boolean, ExternalPower: boolean, BatteryLow: boolean,
	}
}

// supplyOf puts a device into the words of a kernel battery.
func supplyOf(g Gauge, s battery.Status) telemetry.Supply {
	status := telemetry.Unknown[string](s.Discharging.Reason())
	if discharging, ok := s.Discharging.Get(); ok {
		status = telemetry.Known(map[bool]string{true: "Discharging", false: "Not discharging"}[discharging], s.Discharging.At())
	}
	typ := "Battery"
	if !g.HasBattery() {
		typ = "Monitor"
	}
	return telemetry.Supply{
		Name: g.Name(), Type: typ, Status: status, ChargePercent: s.ChargePercent,
		Volts: s.Volts, Amps: s.Amps, Watts: s.BatteryWatts, Online: s.ExternalPower,
	}
}
