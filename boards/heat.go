package boards

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/boards/sysfs"
	"github.com/fathom-edge/fathom/boards/telemetry"
)

// heatAnswer is what one temperature sensor says.
type heatAnswer struct {
	celsius telemetry.Reading[float64]
	offline bool
	// limit is where the processor is to be cooled; NaN where the sensor tells none.
	limit float64
	at    time.Time
}

// heatSensor is one zone or hardware monitor that was asked.
type heatSensor struct {
	name   string // as shown, the kernel's type
	kind   zoneKind
	answer pending[heatAnswer]
}

// heatCall is one snapshot's question for heat.
type heatCall struct {
	found    sensors
	zones    []heatSensor
	monitors []heatSensor
	now      func() time.Time
}

func (b *Board) beginHeat(found sensors) heatCall {
	call := heatCall{found: found, now: b.now}
	for _, zone := range found.zones {
		t := typeOf(zoneTypes, zone.Type)
		call.zones = append(call.zones, heatSensor{zone.Type, t.kind, begin(b.ask, zone.Name,
			func() (heatAnswer, error) { return askZone(zone, t, b.now()), nil })})
	}
	// Hardware monitors repeat the zones on many boards; they are asked where
	// zones cannot tell the heat or the limit.
	_, firmware := firmwareLimit(found.model)
	if firmware && hasProcessor(call.zones) {
		return call
	}
	for _, monitor := range found.hwmon {
		t := typeOf(hwmonTypes, monitor.Chip)
		if t.kind == unrecognized {
			continue
		}
		name := strings.TrimSpace(monitor.Chip + " " + monitor.Label)
		call.monitors = append(call.monitors, heatSensor{name, t.kind, begin(b.ask, monitor.Name,
			func() (heatAnswer, error) { return askMonitor(monitor, b.now()), nil })})
	}
	return call
}

func askZone(zone sysfs.ThermalZone, t zoneType, at time.Time) heatAnswer {
	celsius, err := zone.Celsius()
	a := heatAnswer{
		celsius: readingOf(at, celsius, err),
		offline: errors.Is(err, sysfs.ErrOffline),
		limit:   math.NaN(),
		at:      at,
	}
	if t.otherTrips {
		return a
	}
	for _, trip := range zone.Trips() {
		if trip.Type == "passive" || trip.Type == "hot" {
			a.limit = lower(a.limit, trip.Celsius)
		}
	}
	return a
}

func askMonitor(monitor sysfs.HwmonTemp, at time.Time) heatAnswer {
	celsius, err := monitor.Celsius()
	limit, limitErr := monitor.LimitCelsius()
	if limitErr != nil {
		limit = math.NaN()
	}
	return heatAnswer{celsius: readingOf(at, celsius, err), limit: limit, at: at}
}

// lower returns the lower of two numbers, of which NaN means none.
func lower(a, b float64) float64 {
	if math.IsNaN(a) || b < a {
		return b
	}
	return a
}

func hasProcessor(sensors []heatSensor) bool {
	for _, s := range sensors {
		if s.kind == ofCPU || s.kind == onDie {
			return true
		}
	}
	return false
}

// heatReport gathers the answers.
//
//	sensor          zone shown   takes part in the hottest and the limit
//	ofCPU, onDie    yes          yes
//	unrecognized    yes          only if the board has no ofCPU or onDie one
//	ignored         yes          no
//
// The hottest is unknown when no processor temperature answers although the
// board has one: the other zones could look cold. A zone that is off line is
// healthy and only left out.
type heatReport struct {
	heat    telemetry.Heat
	limit   float64
	limitAt time.Time
	broken  []string // relevant sensors that failed
	offline []string
	cpu     bool // the board has a processor temperature
	cpuOK   bool // and one answered
}

func (r *heatReport) add(w *waiter, s heatSensor, relevant bool) {
	a, err := wait(w, s.answer)
	if err != nil {
		a = heatAnswer{celsius: telemetry.Unknown[float64](err.Error()), limit: math.NaN()}
	}
	r.heat.Zones = append(r.heat.Zones, telemetry.Zone{Type: s.name, TempCelsius: a.celsius, Relevant: relevant})
	if !relevant {
		return
	}
	r.addLimit(a)
	celsius, known := a.celsius.Get()
	switch {
	case known:
		if hottest, ok := r.heat.HottestCelsius.Get(); !ok || celsius > hottest {
			r.heat.HottestCelsius = a.celsius
		}
	case a.offline:
		r.offline = append(r.offline, s.name)
	default:
		r.broken = append(r.broken, s.name+": "+a.celsius.Reason())
	}
	if s.kind == ofCPU {
		r.cpu = true
		r.cpuOK = r.cpuOK || known
	}
}

func (r *heatReport) addLimit(a heatAnswer) {
	if !math.IsNaN(a.limit) {
		r.limit, r.limitAt = lower(r.limit, a.limit), a.at
	}
}

func (c heatCall) finish(w *waiter, probes []telemetry.Probe) (telemetry.Heat, []telemetry.Probe) {
	r := heatReport{limit: math.NaN()}
	processorZones, processorMonitors := hasProcessor(c.zones), hasProcessor(c.monitors)
	for _, zone := range c.zones {
		relevant := zone.kind == ofCPU || zone.kind == onDie ||
			zone.kind == unrecognized && !processorZones && !processorMonitors
		r.add(w, zone, relevant)
	}
	probes = append(probes, c.zoneProbe(&r))

	monitors := skipped("hardware monitors", "not needed: the thermal zones tell the processor's heat")
	brokenZones := len(r.broken)
	if !processorZones {
		for _, monitor := range c.monitors {
			r.add(w, monitor, true)
		}
		monitors = c.monitorProbe(r.broken[brokenZones:])
	} else if math.IsNaN(r.limit) && len(c.monitors) > 0 {
		for _, monitor := range c.monitors {
			if a, err := wait(w, monitor.answer); err == nil {
				r.addLimit(a)
			}
		}
		monitors = loaded("hardware monitors", "for the limit only: the thermal zones tell the processor's heat")
	}
	probes = append(probes, monitors)

	switch {
	case len(c.zones) == 0 && c.found.zonesErr != nil && len(r.heat.Zones) == 0:
		r.heat.HottestCelsius = telemetry.Unknown[float64](c.found.zonesErr.Error())
	case len(r.broken)+len(r.offline) == 0 && !isKnown(r.heat.HottestCelsius):
		r.heat.HottestCelsius = telemetry.Unknown[float64]("no thermal zone and no hardware monitor tells the processor's heat")
	case r.cpu && !r.cpuOK || !isKnown(r.heat.HottestCelsius):
		reasons := r.broken
		if len(reasons) == 0 {
			reasons = []string{"off line: " + strings.Join(r.offline, ", ")}
		}
		r.heat.HottestCelsius = telemetry.Unknown[float64](strings.Join(reasons, "; "))
	}
	if celsius, ok := firmwareLimit(c.found.model); ok {
		r.limit, r.limitAt = lower(r.limit, celsius), c.now()
	}
	if math.IsNaN(r.limit) {
		r.heat.LimitCelsius = telemetry.Unknown[float64]("the kernel tells no passive or hot trip point of the processor")
	} else {
		r.heat.LimitCelsius = telemetry.Known(r.limit, r.limitAt)
	}
	return r.heat, probes
}

func (c heatCall) zoneProbe(r *heatReport) telemetry.Probe {
	const name = "thermal zones"
	switch {
	case c.found.zonesErr != nil:
		return failed(name, c.found.zonesErr.Error())
	case len(c.zones) == 0:
		return skipped(name, "the kernel has none")
	case len(r.broken) > 0:
		return failed(name, strings.Join(r.broken, "; "))
	case len(r.offline) > 0:
		return loaded(name, "off line: "+strings.Join(r.offline, ", "))
	}
	return loaded(name, "")
}

func (c heatCall) monitorProbe(broken []string) telemetry.Probe {
	const name = "hardware monitors"
	switch {
	case c.found.hwmonErr != nil:
		return failed(name, c.found.hwmonErr.Error())
	case len(c.monitors) == 0:
		return skipped(name, "none is of the processor")
	case len(broken) > 0:
		return failed(name, strings.Join(broken, "; "))
	}
	return loaded(name, "")
}

func isKnown[T any](r telemetry.Reading[T]) bool {
	_, ok := r.Get()
	return ok
}
