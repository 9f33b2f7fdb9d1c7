// Package battery reads batteries, fuel gauges and power monitors that no kernel
// driver serves: on I²C and GPIO lines, through periph.
//
// A Device is a product or chip that is supported; most boards are a known chip
// with a known wiring, so that devices are a table over few drivers. A Config
// names one and what it cannot tell about itself: an address does not identify a
// chip, and the sign of a current hangs on how it is wired. Probe suggests what a
// bus may hold. A Battery asks a configured device again and again; what it says
// is a Status, in which every value is known or unknown with the reason.
//
// Where a device tells no charge, it is estimated from voltage and current, with
// a standard deviation; see Status.
//
// Drivers write nothing but the configuration register of TI's current monitors.
// Nothing is sent to an address that a kernel driver serves.
//
// Units are V, A, W, Ah, Wh, hours and per cent; currents and powers are positive
// into the battery. A Battery is for one goroutine. Sense may take as long as the
// bus: a driver of the kernel may hang, and a current monitor that has to be set
// up takes 155 ms once.
package battery

import (
	"errors"
	"fmt"
	"math"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// Status is what a device says at one instant.
type Status struct {
	// ChargePercent is the state of charge in [0, 100]: the device's own, or else the
	// one estimated from voltage and current by the open-circuit voltage of the
	// chemistry. 0 is an empty cell; many boards switch off a little earlier.
	ChargePercent telemetry.Reading[float64]
	// ChargeUncertaintyPercent is the standard deviation of ChargePercent in points;
	// unknown where the charge is the device's and nobody says how good it is.
	ChargeUncertaintyPercent telemetry.Reading[float64]
	// Volts are those of the whole pack, or of the line that a load hangs on.
	Volts telemetry.Reading[float64]
	// Amps and BatteryWatts are positive into the battery.
	Amps, BatteryWatts telemetry.Reading[float64]
	// LoadWatts is what the board draws, where the device measures that.
	LoadWatts telemetry.Reading[float64]
	// Discharging tells whether the battery feeds the board.
	Discharging telemetry.Reading[bool]
	// ExternalPower tells whether a charger or mains does.
	ExternalPower telemetry.Reading[bool]
	// BatteryLow is the device's own warning.
	BatteryLow telemetry.Reading[bool]
	// CapacityWattHours is what the pack holds when full.
	CapacityWattHours telemetry.Reading[float64]
	// RemainingHours is the time to empty at the smoothed power that the battery gives
	// now, or else by how fast the charge falls; with its standard deviation.
	RemainingHours, RemainingUncertaintyHours telemetry.Reading[float64]
	// Remark is what else there is to know: that the device lost its settings, say.
	Remark string
}

// Battery is one configured device.
type Battery struct {
	host   Host
	config Config // resolved
	device Device

	bus        i2c.BusCloser // nil until it could be opened
	sensor     sensor
	identified bool

	external, low *line // nil for none

	estimator estimator
	power     powerFilter
	trend     trend
}

// Open checks a configuration and returns its device. The bus is opened by Sense,
// and again after every failure, so a device may come later than the program.
func Open(host Host, config Config) (*Battery, error) {
	c, d, err := config.resolve()
	if err != nil {
		return nil, err
	}
	b := &Battery{host: host, config: c, device: d}
	if c.ExternalPowerLine.Name != "" {
		b.external = &line{is: c.ExternalPowerLine}
	}
	if c.LowBatteryLine.Name != "" {
		b.low = &line{is: c.LowBatteryLine}
	}
	return b, nil
}

// Name is the device's, with its place where it has one: "ina219 at 0x40 on bus 1".
func (b *Battery) Name() string {
	if b.device.open == nil {
		return b.device.Name
	}
	return fmt.Sprintf("%s at %#02x on bus %d", b.device.Name, b.config.Address, *b.config.Bus)
}

// HasBattery tells whether the device watches a battery, and not a load only.
func (b *Battery) HasBattery() bool { return b.config.Measures == MeasuresBattery }

// Sense asks the device; at is the time of asking. The Status is whole even if
// there is an error, which then is why something in it is unknown.
func (b *Battery) Sense(at time.Time) (Status, error) {
	m, chipErr := nothing(), error(nil)
	if b.device.open != nil {
		if m, chipErr = b.ask(); chipErr != nil {
			b.close()
		}
	}
	var externalErr, lowErr error
	if b.external != nil {
		m.externalPower, externalErr = b.readLine(b.external)
	}
	if b.low != nil {
		m.low, lowErr = b.readLine(b.low)
	}
	s := b.status(at, m, reasons{chipErr, externalErr, lowErr})
	return s, errors.Join(chipErr, externalErr, lowErr)
}

func (b *Battery) readLine(l *line) (truth, error) {
	active, err := l.read(b.host)
	if err != nil {
		return unsaid, fmt.Errorf("battery: %s: %w", b.device.Name, err)
	}
	return truthOf(active), nil
}

// ask asks the chip, after opening and identifying it where that is to be done.
func (b *Battery) ask() (measurement, error) {
	number, address := *b.config.Bus, b.config.Address
	fail := func(err error) (measurement, error) { return nothing(), fmt.Errorf("battery: %w", err) }
	if err := b.host.refuseKernelDevice(number, address); err != nil {
		return fail(fmt.Errorf("%s: %w", b.device.Name, err))
	}
	if b.bus == nil {
		bus, err := b.host.OpenBus(number)
		if err != nil {
			return fail(fmt.Errorf("%s: %w", b.device.Name, err))
		}
		b.bus = bus
		dev := i2c.Dev{Bus: bus, Addr: address}
		b.sensor = b.device.open(chip{name: b.device.Name, dev: dev}, b.config)
	}
	if !b.identified {
		if err := b.sensor.identify(); err != nil {
			return fail(err)
		}
		b.identified = true
	}
	m, err := b.sensor.measure()
	if err != nil {
		return fail(err)
	}
	if err := m.check(b.config); err != nil {
		return fail(fmt.Errorf("%s: %w", b.Name(), err))
	}
	return m, nil
}

// close lets the bus go, to begin anew with the next Sense.
func (b *Battery) close() {
	b.identified = false
	if b.bus != nil {
		b.bus.Close() // what failed before is the error to tell
		b.bus = nil
	}
}

// reasons are why a Sense did not get everything.
type reasons struct{ chip, external, low error }

// status turns a measurement into readings.
func (b *Battery) status(at time.Time, m measurement, why reasons) Status {
	s := Status{Remark: m.remark}
	if !math.IsNaN(m.percent) && math.IsNaN(m.amps) && math.IsNaN(m.percentPerHour) {
		m.percentPerHour = b.trend.update(at, m.percent)
	}
	number := func(v float64, otherwise string) telemetry.Reading[float64] {
		switch {
		case !math.IsNaN(v):
			return telemetry.Known(v, at)
		case why.chip != nil:
			return telemetry.Unknown[float64](why.chip.Error())
		}
		return telemetry.Unknown[float64](b.device.Name + ": " + otherwise)
	}
	said := func(v truth, err error, otherwise string) telemetry.Reading[bool] {
		switch {
		case v != unsaid:
			return telemetry.Known(v == yes, at)
		case err != nil:
			return telemetry.Unknown[bool](err.Error())
		case why.chip != nil:
			return telemetry.Unknown[bool](why.chip.Error())
		}
		return telemetry.Unknown[bool](b.device.Name + ": " + otherwise)
	}
	s.Volts = number(m.volts, "measures no voltage")
	s.Amps = number(m.amps, "measures no current into the battery")
	s.BatteryWatts = number(m.volts*m.amps, "measures no power of the battery")
	s.LoadWatts = number(m.loadWatts, "measures no power of the board")
	s.ExternalPower = said(m.externalPower, why.external, "does not tell whether there is external power")
	s.BatteryLow = said(m.low, why.low, "does not warn of an empty battery")
	noDrain, noCharge := "sees no change of charge", "tells neither charge nor voltage"
	if !b.HasBattery() {
		noDrain, noCharge = "measures no battery", "measures no battery"
	}
	s.Discharging = said(discharging(m), why.external, noDrain)

	percent, sigma := b.charge(at, m)
	s.ChargePercent = number(percent, noCharge)
	s.ChargeUncertaintyPercent = number(sigma, "does not say how good its charge is")
	capacity := b.wattHours(m)
	s.CapacityWattHours = number(capacity, "the battery's size is not known (capacity_ah)")
	s.RemainingHours, s.RemainingUncertaintyHours = b.remaining(at, m, percent, sigma, capacity, number, s.Discharging)
	return s
}

// discharging tells whether the battery feeds the board: by the current where
// that is measured, else by what the device sees of the charger, else by how its
// charge changes.
func discharging(m measurement) truth {
	// An INA219 may be off by 125 µV in its 80 mV range (SBOS448G, 7.5): 12.5 mA at
	// 0.01 Ω. A board draws more.
	const idleAmps = 0.02
	switch {
	case !math.IsNaN(m.amps):
		return truthOf(m.amps < -idleAmps)
	case m.externalPower != unsaid:
		return truthOf(m.externalPower == no)
	case m.charging == yes:
		return no
	case m.percentPerHour < 0:
		return yes
	case m.percentPerHour > 0:
		return no
	}
	return unsaid
}

// wattHours is what the pack holds when full; NaN where nobody says.
func (b *Battery) wattHours(m measurement) float64 {
	p := b.pack()
	if math.IsNaN(p.ampHours) {
		p.ampHours = m.ampHours
	}
	return p.wattHours()
}

func (b *Battery) pack() pack {
	p := pack{chemistry: chemistries[b.config.Chemistry], cells: b.config.Cells, ohms: b.config.ResistanceOhms, ampHours: math.NaN()}
	if b.config.CapacityAh > 0 {
		p.ampHours = b.config.CapacityAh
	}
	return p
}

// charge is the state of charge with its standard deviation; NaN stands for unknown.
func (b *Battery) charge(at time.Time, m measurement) (percent, sigma float64) {
	switch {
	case !math.IsNaN(m.percent):
		if sigma = b.device.chargeSigma; sigma == 0 {
			sigma = math.NaN()
		}
		return min(m.percent, 100), sigma
	case math.IsNaN(m.volts) || !b.HasBattery():
		return math.NaN(), math.NaN()
	}
	amps := m.amps
	if math.IsNaN(amps) && m.externalPower == no {
		amps = -m.loadWatts / converter / m.volts
	}
	b.estimator.pack = b.pack()
	b.estimator.update(at, m.volts, amps)
	return b.estimator.percent, b.estimator.sigma
}

// remaining is the time to empty.
func (b *Battery) remaining(at time.Time, m measurement, percent, sigma, capacity float64,
	number func(float64, string) telemetry.Reading[float64], drains telemetry.Reading[bool],
) (hours, uncertainty telemetry.Reading[float64]) {
	drained, known := drains.Get()
	if known && !drained {
		b.power = powerFilter{} // what it gave before says nothing of what it will give
		idle := number(math.NaN(), "the battery does not feed the board")
		return idle, idle
	}
	h, u := math.NaN(), math.NaN()
	switch given := b.given(m, drained); {
	case given > 0:
		b.power.update(at, given)
		h, u = hoursToEmpty(percent, sigma, capacity, b.power)
	case m.percentPerHour < 0:
		h = percent / -m.percentPerHour
	}
	return number(h, "the power that the battery gives, or its size (capacity_ah), is not known"),
		number(u, "how sure the remaining time is, is not known")
}

// given is the power that the battery gives, W: measured at it, or at the board
// while the battery feeds it; NaN where neither is.
func (b *Battery) given(m measurement, drained bool) float64 {
	if watts := -m.volts * m.amps; !math.IsNaN(watts) {
		return watts
	}
	if drained && b.HasBattery() {
		return m.loadWatts / converter
	}
	return math.NaN()
}

// converter is the efficiency of the boost converter between battery and board,
// where only the board's power is measured. An assumption.
const converter = 0.9
