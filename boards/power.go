package boards

import (
	"fmt"
	"strings"

	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/boards/sysfs"
	"github.com/fathom-edge/fathom/boards/telemetry"
)

// cell is one battery that feeds the board.
type cell struct {
	name          string
	charge        telemetry.Reading[float64]
	discharging   telemetry.Reading[bool]
	watts         telemetry.Reading[float64] // positive while charging
	fullWattHours telemetry.Reading[float64]
}

// powerCall is one snapshot's question for power.
type powerCall struct {
	found    sensors
	supplies []pending[sysfs.SupplyState]
	rails    []pending[telemetry.Rail]
	gauges   []Gauge
	sensed   []pending[battery.Status]
}

func (b *Board) beginPower(w *waiter, found sensors) powerCall {
	call := powerCall{found: found, gauges: b.gauges}
	for _, supply := range found.supplies {
		call.supplies = append(call.supplies, begin(b.ask, w, "power supply "+supply.Name,
			func() (sysfs.SupplyState, error) { return supply.Read(b.now()), nil }))
	}
	for _, rail := range found.rails {
		call.rails = append(call.rails, begin(b.ask, w, rail.Source(), func() (telemetry.Rail, error) {
			return rail.Read(b.now())
		}))
	}
	for i, g := range b.gauges {
		call.sensed = append(call.sensed, begin(b.ask, w, fmt.Sprintf("battery %d", i), func() (battery.Status, error) {
			return senseGauge(g, b.now())
		}))
	}
	return call
}

// The sums of telemetry.Power, for telemetry.Probe.Feeds.
const (
	sumCharge       = "power.charge_percent"
	sumDischarging  = "power.discharging"
	sumWatts        = "power.watts"
	sumBatteryWatts = "power.battery_watts"
)

var batterySums = []string{sumCharge, sumDischarging, sumBatteryWatts}

func (c powerCall) finish(w *waiter, probes []telemetry.Probe) (telemetry.Power, []telemetry.Probe) {
	var p telemetry.Power
	var cells []cell
	for i, supply := range c.found.supplies {
		state, err := wait(w, c.supplies[i])
		if err != nil {
			state = unknownSupply(err.Error())
		}
		if present, ok := state.Present.Get(); supply.IsBattery() && ok && !present {
			state = unknownSupply("no battery in " + supply.Name)
		} else if supply.IsBattery() && !state.OfDevice {
			cells = append(cells, cellOf(supply.Name, state))
		}
		p.Supplies = append(p.Supplies, telemetry.Supply{
			Name: supply.Name, Type: supply.Type, Status: state.Status, ChargePercent: state.ChargePercent,
			Volts: state.Volts, Amps: state.Amps, Watts: state.Watts, Online: state.Online,
		})
	}
	supplies := c.supplyProbe(cells)
	told, gauges := c.finishGauges(w, &p)
	for i, status := range told {
		if c.gauges[i].HasBattery() {
			cells = append(cells, cellOfGauge(c.gauges[i].Name(), status))
		}
	}

	p.ChargePercent = totalCharge(cells)
	p.Discharging = anyDischarging(cells)
	p.BatteryWatts = batteryWatts(cells)
	p.CapacityWattHours = totalCapacity(cells)
	p.RemainingHours = remainingHours(p)
	p.ChargeUncertaintyPercent = telemetry.Unknown[float64]("the battery does not say how sure it is")
	p.RemainingUncertaintyHours = p.ChargeUncertaintyPercent
	if len(told) == 1 && len(cells) == 1 { // a single battery speaks for itself
		p.ChargeUncertaintyPercent = told[0].ChargeUncertaintyPercent
		p.RemainingHours, p.RemainingUncertaintyHours = told[0].RemainingHours, told[0].RemainingUncertaintyHours
	}
	p.ExternalPower = externalPower(c.found.supplies, told, p)
	p.BatteryLow = batteryLow(told)
	rails := c.finishRails(w, &p)
	if len(p.Rails) == 0 && rails.State == telemetry.Skipped {
		p.Watts = loadWatts(told, cells)
	}
	return p, append(probes, supplies, gauges, rails)
}

func unknownSupply(reason string) sysfs.SupplyState {
	number := telemetry.Unknown[float64](reason)
	return sysfs.SupplyState{
		Present: telemetry.Unknown[bool](reason), Online: telemetry.Unknown[bool](reason),
		Status: telemetry.Unknown[string](reason), ChargePercent: number,
		Volts: number, Amps: number, Watts: number, FullWattHours: number,
	}
}

func cellOf(name string, s sysfs.SupplyState) cell {
	c := cell{name: name, charge: s.ChargePercent, watts: s.Watts, fullWattHours: s.FullWattHours}
	status, statusKnown := s.Status.Get()
	amps, ampsKnown := s.Amps.Get()
	switch {
	case statusKnown && status == "Discharging":
		c.discharging = telemetry.Known(true, s.Status.At())
	case statusKnown && (status == "Charging" || status == "Full" || status == "Not charging"):
		c.discharging = telemetry.Known(false, s.Status.At())
	case ampsKnown && amps < 0:
		c.discharging = telemetry.Known(true, s.Amps.At())
	case statusKnown:
		c.discharging = telemetry.Unknown[bool]("status is " + status)
	default:
		c.discharging = telemetry.Unknown[bool](s.Status.Reason())
	}
	return c
}

// totalCharge is the mean of the batteries' charges, weighted by what each holds
// when it is full, or the lowest of them where that is not known of all. A
// battery whose charge is unknown makes the whole unknown.
func totalCharge(cells []cell) telemetry.Reading[float64] {
	if len(cells) == 0 {
		return telemetry.Unknown[float64]("no battery found")
	}
	var stored, capacity float64
	var lowest telemetry.Reading[float64]
	weighted := true
	for _, c := range cells {
		charge, ok := c.charge.Get()
		if !ok {
			return telemetry.Unknown[float64](c.name + ": " + c.charge.Reason())
		}
		if least, ok := lowest.Get(); !ok || charge < least {
			lowest = c.charge
		}
		full, ok := c.fullWattHours.Get()
		weighted = weighted && ok
		capacity += full
		stored += full * charge
	}
	if !weighted || len(cells) == 1 {
		return lowest
	}
	return telemetry.Known(stored/capacity, lowest.At())
}

// anyDischarging: one battery that discharges feeds the board; that none does
// is known only if all say so.
func anyDischarging(cells []cell) telemetry.Reading[bool] {
	total := telemetry.Unknown[bool]("no battery found")
	var unknown telemetry.Reading[bool]
	anyUnknown := false
	for _, c := range cells {
		discharging, ok := c.discharging.Get()
		switch {
		case !ok:
			unknown, anyUnknown = telemetry.Unknown[bool](c.name+": "+c.discharging.Reason()), true
		case discharging:
			return c.discharging
		default:
			total = c.discharging
		}
	}
	if anyUnknown {
		return unknown
	}
	return total
}

const noMonitor = "nothing measures the board's power"

// drawnWatts is what the batteries give that are known to feed the board.
func drawnWatts(cells []cell) telemetry.Reading[float64] {
	if len(cells) == 0 {
		return telemetry.Unknown[float64](noMonitor)
	}
	total := telemetry.Unknown[float64](noMonitor + " unless a battery feeds it")
	for _, c := range cells {
		discharging, ok := c.discharging.Get()
		if _, known := total.Get(); !ok && !known {
			total = telemetry.Unknown[float64](c.name + ": " + c.discharging.Reason())
		}
		if !discharging {
			continue
		}
		watts, ok := c.watts.Get()
		if !ok {
			return telemetry.Unknown[float64](c.name + ": " + c.watts.Reason())
		}
		sum, _ := total.Get()
		total = telemetry.Known(sum-watts, c.watts.At())
	}
	return total
}

// sumOf adds up what every battery has to tell.
func sumOf(cells []cell, part func(cell) telemetry.Reading[float64]) telemetry.Reading[float64] {
	total := telemetry.Unknown[float64]("no battery found")
	for _, c := range cells {
		r := part(c)
		v, ok := r.Get()
		if !ok {
			return telemetry.Unknown[float64](c.name + ": " + r.Reason())
		}
		sum, _ := total.Get()
		total = telemetry.Known(sum+v, r.At())
	}
	return total
}

// batteryWatts flows into the batteries.
func batteryWatts(cells []cell) telemetry.Reading[float64] {
	return sumOf(cells, func(c cell) telemetry.Reading[float64] { return c.watts })
}

func totalCapacity(cells []cell) telemetry.Reading[float64] {
	return sumOf(cells, func(c cell) telemetry.Reading[float64] { return c.fullWattHours })
}

// remainingHours is the energy left over the power that the batteries give now.
func remainingHours(p telemetry.Power) telemetry.Reading[float64] {
	for _, needed := range []telemetry.Reading[float64]{p.ChargePercent, p.CapacityWattHours, p.BatteryWatts} {
		if !isKnown(needed) {
			return telemetry.Unknown[float64](needed.Reason())
		}
	}
	charge, _ := p.ChargePercent.Get()
	capacity, _ := p.CapacityWattHours.Get()
	watts, _ := p.BatteryWatts.Get()
	if watts >= 0 {
		return telemetry.Unknown[float64]("the battery is not drained")
	}
	return telemetry.Known(charge/100*capacity/-watts, p.BatteryWatts.At())
}

// loadWatts is what a monitor in the board's own line measures, or else what the
// batteries give.
func loadWatts(told []battery.Status, cells []cell) telemetry.Reading[float64] {
	for _, status := range told {
		if isKnown(status.LoadWatts) {
			return status.LoadWatts
		}
	}
	return drawnWatts(cells)
}

// batteryLow: one warning is enough; that none warns is known if all that could
// warn say so.
func batteryLow(told []battery.Status) telemetry.Reading[bool] {
	total := telemetry.Unknown[bool]("no supply warns of an empty battery")
	for _, status := range told {
		if low, ok := status.BatteryLow.Get(); ok && low {
			return status.BatteryLow
		}
		if isKnown(status.BatteryLow) || len(told) == 1 {
			total = status.BatteryLow
		}
	}
	return total
}

// externalPower: a supply that is on line feeds the board. That none is says
// nothing, as most boards do not see their own input; a device that sees the
// charger, or a battery that is or is not drained, then tells.
func externalPower(found []sysfs.PowerSupply, told []battery.Status, p telemetry.Power) telemetry.Reading[bool] {
	for i, supply := range found {
		if online, _ := p.Supplies[i].Online.Get(); online && !supply.IsBattery() {
			return p.Supplies[i].Online
		}
	}
	for _, status := range told {
		if isKnown(status.ExternalPower) {
			return status.ExternalPower
		}
	}
	discharging, ok := p.Discharging.Get()
	if !ok {
		return telemetry.Unknown[bool](p.Discharging.Reason())
	}
	return telemetry.Known(!discharging, p.Discharging.At())
}

func (c powerCall) supplyProbe(cells []cell) telemetry.Probe {
	const name = "power supplies"
	switch {
	case c.found.suppliesErr != nil:
		return failed(name, c.found.suppliesErr.Error())
	case len(c.supplies) == 0:
		return skipped(name, "the kernel has none")
	}
	var broken []string
	for _, cell := range cells {
		if !isKnown(cell.charge) {
			broken = append(broken, cell.name+": "+cell.charge.Reason())
		}
	}
	switch {
	case len(broken) > 0:
		return failed(name, strings.Join(broken, "; "), batterySums...)
	case len(cells) == 0:
		return loaded(name, "no battery among "+countSupplies(len(c.supplies)))
	}
	return loaded(name, "", batterySums...)
}

func countSupplies(n int) string {
	if n == 1 {
		return "1 supply"
	}
	return fmt.Sprintf("%d supplies", n)
}

func cellOfGauge(name string, s battery.Status) cell {
	return cell{name: name, charge: s.ChargePercent, discharging: s.Discharging, watts: s.BatteryWatts, fullWattHours: s.CapacityWattHours}
}

// finishGauges returns the status of every configured device.
func (c powerCall) finishGauges(w *waiter, p *telemetry.Power) ([]battery.Status, telemetry.Probe) {
	const name = "batteries on I2C and GPIO"
	if len(c.gauges) == 0 {
		return nil, skipped(name, "none configured")
	}
	var told []battery.Status
	var broken, remarks []string
	feeds := []string{sumWatts}
	for i, pending := range c.sensed {
		g := c.gauges[i]
		status, err := wait(w, pending)
		if err != nil {
			status = unknownStatus(err.Error())
			broken = append(broken, err.Error())
		}
		told = append(told, status)
		p.Supplies = append(p.Supplies, supplyOf(g, status))
		remarks = append(remarks, g.Name()+joined(": ", status.Remark))
		if g.HasBattery() {
			feeds = batterySums
		}
	}
	if len(broken) > 0 {
		return told, failed(name, strings.Join(broken, "; "), feeds...)
	}
	return told, loaded(name, strings.Join(remarks, "; "), feeds...)
}

// finishRails takes the rail that feeds the whole board, or the sum of all where
// none does (AGX Xavier and AGX Orin; after jetson_stats, power.py).
func (c powerCall) finishRails(w *waiter, p *telemetry.Power) telemetry.Probe {
	const name = "power rails"
	if len(c.rails) == 0 {
		if err := c.found.railsErr; err != nil {
			return failed(name, err.Error())
		}
		return skipped(name, "no Jetson rail monitor")
	}
	var whole, sum telemetry.Reading[float64]
	var broken, parts []string
	for i, pending := range c.rails {
		found := c.found.rails[i]
		rail, err := wait(w, pending)
		if err != nil {
			unknown := telemetry.Unknown[float64](err.Error())
			rail = telemetry.Rail{Name: found.Label, Board: found.Board(), Volts: unknown, Amps: unknown, Watts: unknown}
			broken = append(broken, found.Label+": "+err.Error())
		}
		p.Rails = append(p.Rails, rail)
		if found.Board() {
			whole, parts = rail.Watts, append(parts, found.Label)
		}
		if watts, ok := rail.Watts.Get(); ok {
			before, _ := sum.Get()
			sum = telemetry.Known(before+watts, rail.Watts.At())
		}
	}
	remark := strings.Join(parts, ", ")
	switch {
	case len(parts) > 0:
		p.Watts = whole
	case len(broken) > 0:
		p.Watts = telemetry.Unknown[float64](strings.Join(broken, "; "))
	default:
		p.Watts, remark = sum, "the sum of all, as none feeds the whole board"
	}
	if len(broken) > 0 {
		return failed(name, strings.Join(broken, "; "), sumWatts)
	}
	return loaded(name, remark, sumWatts)
}
