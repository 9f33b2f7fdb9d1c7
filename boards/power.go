package boards

import (
	"fmt"
	"strings"
	"time"

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
	rail     pending[telemetry.Reading[float64]]
	gauge    *gauge
	sensed   pending[gaugeAnswer]
}

type gaugeAnswer struct {
	supply telemetry.Supply
	cell   cell
}

func (b *Board) beginPower(found sensors) powerCall {
	call := powerCall{found: found, gauge: b.gauge}
	for _, supply := range found.supplies {
		call.supplies = append(call.supplies, begin(b.ask, "power supply "+supply.Name,
			func() (sysfs.SupplyState, error) { return supply.Read(b.now()), nil }))
	}
	if found.hasRail {
		call.rail = begin(b.ask, "rail "+found.rail.Label, func() (telemetry.Reading[float64], error) {
			watts, err := found.rail.Watts()
			return readingOf(b.now(), watts, err), nil
		})
	}
	if b.gauge != nil {
		call.sensed = begin(b.ask, "fuel gauge "+b.gauge.name, func() (gaugeAnswer, error) {
			return b.gauge.answer(b.now())
		})
	}
	return call
}

// answer asks the gauge and puts it into the words of a kernel battery.
func (g *gauge) answer(at time.Time) (gaugeAnswer, error) {
	state, err := g.sense()
	if err != nil {
		return gaugeAnswer{}, err
	}
	discharging, status := telemetry.Known(state.PercentPerHour < 0, at), telemetry.Known("Charging", at)
	switch {
	case state.PercentPerHour == 0:
		discharging = telemetry.Unknown[bool]("the gauge sees no change of charge")
		status = telemetry.Unknown[string](discharging.Reason())
	case state.PercentPerHour < 0:
		status = telemetry.Known("Discharging", at)
	}
	notMeasured := telemetry.Unknown[float64]("the gauge measures no current")
	charge := telemetry.Known(state.ChargePercent, at)
	return gaugeAnswer{
		supply: telemetry.Supply{
			Name: g.name, Type: "Battery", Status: status, ChargePercent: charge,
			Volts: telemetry.Known(state.Volts, at), Amps: notMeasured,
			Online: telemetry.Unknown[bool]("a fuel gauge does not see the charger"),
		},
		cell: cell{name: g.name, charge: charge, discharging: discharging, watts: notMeasured,
			fullWattHours: telemetry.Unknown[float64]("the gauge does not know the battery's size")},
	}, nil
}

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
			Volts: state.Volts, Amps: state.Amps, Online: state.Online,
		})
	}
	probes = append(probes, c.supplyProbe(cells))
	gauged, gaugeProbe := c.finishGauge(w, &p)
	probes = append(probes, gaugeProbe)
	cells = append(cells, gauged...)

	p.ChargePercent = totalCharge(cells)
	p.Discharging = anyDischarging(cells)
	p.Watts = drawnWatts(cells)
	railProbe := c.finishRail(w, &p)
	return p, append(probes, railProbe)
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

// drawnWatts is what the batteries give while they feed the board.
func drawnWatts(cells []cell) telemetry.Reading[float64] {
	const noMonitor = "nothing measures the board's power"
	if len(cells) == 0 {
		return telemetry.Unknown[float64](noMonitor)
	}
	total := telemetry.Unknown[float64](noMonitor + " unless a battery feeds it")
	for _, c := range cells {
		if discharging, ok := c.discharging.Get(); !ok || !discharging {
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
		return failed(name, strings.Join(broken, "; "))
	case len(cells) == 0:
		return loaded(name, "no battery among "+countSupplies(len(c.supplies)))
	}
	return loaded(name, "")
}

func countSupplies(n int) string {
	if n == 1 {
		return "1 supply"
	}
	return fmt.Sprintf("%d supplies", n)
}

func (c powerCall) finishGauge(w *waiter, p *telemetry.Power) ([]cell, telemetry.Probe) {
	const name = "fuel gauge"
	if c.gauge == nil {
		return nil, skipped(name, "none configured")
	}
	a, err := wait(w, c.sensed)
	if err != nil {
		s := unknownSupply(err.Error())
		a = gaugeAnswer{
			supply: telemetry.Supply{Name: c.gauge.name, Type: "Battery", Status: s.Status,
				ChargePercent: s.ChargePercent, Volts: s.Volts, Amps: s.Amps, Online: s.Online},
			cell: cellOf(c.gauge.name, s),
		}
		p.Supplies = append(p.Supplies, a.supply)
		return []cell{a.cell}, failed(name, err.Error())
	}
	p.Supplies = append(p.Supplies, a.supply)
	return []cell{a.cell}, loaded(name, c.gauge.name)
}

func (c powerCall) finishRail(w *waiter, p *telemetry.Power) telemetry.Probe {
	const name = "power monitor"
	if !c.found.hasRail {
		return skipped(name, "no Jetson rail monitor")
	}
	watts, err := wait(w, c.rail)
	if err != nil {
		watts = telemetry.Unknown[float64](err.Error())
	}
	p.Watts = watts
	if !isKnown(watts) {
		return failed(name, watts.Reason())
	}
	return loaded(name, c.found.rail.Label)
}
