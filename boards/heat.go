package boards

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
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
	source string // the kernel's name, e.g. thermal_zone0
	kind   zoneKind
	answer pending[heatAnswer]
}

// heatCall is one snapshot's question for heat.
type heatCall struct {
	found    sensors
	model    Model
	zones    []heatSensor
	monitors []heatSensor
	now      func() time.Time
}

func (b *Board) beginHeat(w *waiter, found sensors) heatCall {
	call := heatCall{found: found, now: b.now}
	call.model, _ = found.board.Model()
	for _, zone := range found.zones {
		t := typeOf(zoneTypes, zone.Type)
		call.zones = append(call.zones, heatSensor{zone.Type, zone.Name, t.kind, begin(b.ask, w, zone.Name,
			func() (heatAnswer, error) { return b.askZone(zone, t, b.now()) })})
	}
	// Hardware monitors repeat the zones on many boards; they are asked where
	// zones cannot tell the heat or the limit.
	if call.model.LimitCelsius != nil && hasProcessor(call.zones) {
		return call
	}
	for _, monitor := range found.hwmon {
		t := typeOf(hwmonTypes, monitor.Chip)
		if t.kind == unrecognized {
			continue
		}
		name := strings.TrimSpace(monitor.Chip + " " + monitor.Label)
		call.monitors = append(call.monitors, heatSensor{name, monitor.Name, t.kind, begin(b.ask, w, monitor.Name,
			func() (heatAnswer, error) { return askMonitor(monitor, b.now()) })})
	}
	return call
}

// tripsFor is how long a zone's trip points are taken for what they were: they are
// set at boot as a rule, and reading them all costs more than all temperatures.
const tripsFor = 30 * time.Second

// tripCache remembers the limits of zones. Its zero value is empty; safe for
// concurrent use.
type tripCache struct {
	mu     sync.Mutex
	limits map[sysfs.ThermalZone]tripLimit
}

type tripLimit struct {
	celsius float64 // NaN for none
	at      time.Time
}

// limit is the lowest passive or hot trip point of a zone, NaN for none.
func (c *tripCache) limit(zone sysfs.ThermalZone, at time.Time) float64 {
	c.mu.Lock()
	known, ok := c.limits[zone]
	c.mu.Unlock()
	if age := at.Sub(known.at); ok && age >= 0 && age < tripsFor {
		return known.celsius
	}
	limit := math.NaN()
	for _, trip := range zone.Trips() {
		if trip.Type == "passive" || trip.Type == "hot" {
			limit = lower(limit, trip.Celsius)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limits == nil {
		c.limits = map[sysfs.ThermalZone]tripLimit{}
	}
	c.limits[zone] = tripLimit{limit, at}
	return limit
}

// askZone tells the limit of a zone that is off line or fails, too.
func (b *Board) askZone(zone sysfs.ThermalZone, t zoneType, at time.Time) (heatAnswer, error) {
	a := heatAnswer{limit: math.NaN(), at: at}
	if !t.otherTrips {
		a.limit = b.trips.limit(zone, at)
	}
	celsius, err := zone.Celsius()
	a.celsius = readingOf(at, celsius, err)
	if a.offline = errors.Is(err, sysfs.ErrOffline); a.offline {
		return a, nil
	}
	return a, err
}

func askMonitor(monitor sysfs.HwmonTemp, at time.Time) (heatAnswer, error) {
	celsius, err := monitor.Celsius()
	limit, limitErr := monitor.LimitCelsius()
	if limitErr != nil {
		limit = math.NaN()
	}
	return heatAnswer{celsius: readingOf(at, celsius, err), limit: limit, at: at}, err
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
//	sensor          zone shown   takes part in the hottest, the limit and the margin
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
	limitOf string   // who tells the limit
	byTable bool     // and it is not the kernel
	broken  []string // relevant sensors that failed
	offline []string
	cpu     bool // the board has a processor temperature
	cpuOK   bool // and one answered
}

func (r *heatReport) add(w *waiter, s heatSensor, relevant bool) {
	a, err := wait(w, s.answer)
	if err != nil {
		a.celsius = telemetry.Unknown[float64](err.Error())
		if a.at.IsZero() { // not asked, or no answer
			a.limit = math.NaN()
		}
	}
	zone := telemetry.Zone{Type: s.name, Source: s.source, TempCelsius: a.celsius, Relevant: relevant}
	if !math.IsNaN(a.limit) {
		zone.LimitCelsius = a.limit
	}
	r.heat.Zones = append(r.heat.Zones, zone)
	if !relevant {
		return
	}
	r.addLimit(a, s)
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

func (r *heatReport) addLimit(a heatAnswer, s heatSensor) {
	if least := lower(r.limit, a.limit); least < r.limit || math.IsNaN(r.limit) && !math.IsNaN(least) {
		r.limit, r.limitAt, r.limitOf = least, a.at, "the kernel's limit of "+s.name
	}
}

// The sums of telemetry.Heat, for telemetry.Probe.Feeds.
const (
	sumHottest = "heat.hottest_celsius"
	sumLimit   = "heat.limit_celsius"
	sumMargin  = "heat.margin_kelvin"
)

func (c heatCall) finish(w *waiter, probes []telemetry.Probe) (telemetry.Heat, []telemetry.Probe) {
	r := heatReport{limit: math.NaN()}
	processorZones, processorMonitors := hasProcessor(c.zones), hasProcessor(c.monitors)
	zonesCount := processorZones || !processorMonitors
	for _, zone := range c.zones {
		r.add(w, zone, zone.kind == ofCPU || zone.kind == onDie || zone.kind == unrecognized && zonesCount && !processorZones)
	}
	zones, brokenZones := c.zoneProbe(&r), len(r.broken)

	monitors := skipped("hardware monitors", "not needed: the thermal zones tell the processor's heat")
	if !processorZones {
		for _, monitor := range c.monitors {
			r.add(w, monitor, true)
		}
		monitors = c.monitorProbe(r.broken[brokenZones:])
	} else if math.IsNaN(r.limit) && len(c.monitors) > 0 {
		for _, monitor := range c.monitors {
			if a, err := wait(w, monitor.answer); err == nil {
				r.addLimit(a, monitor)
			}
		}
		monitors = loaded("hardware monitors", "for the limit only: the thermal zones tell the processor's heat", sumLimit, sumMargin)
	}
	c.finishHottest(&r)
	c.finishLimit(&r)
	r.heat.MarginKelvin = margin(r.heat, c.model.LimitCelsius)
	if zones.State != telemetry.Skipped && zonesCount {
		zones.Feeds = []string{sumHottest, sumMargin}
		if !r.byTable && len(monitors.Feeds) == 0 {
			zones.Feeds = append(zones.Feeds, sumLimit)
		}
	}
	return r.heat, append(probes, zones, monitors)
}

func (c heatCall) finishHottest(r *heatReport) {
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
}

// finishLimit: the firmware's limit is one more; the table's memory of a kernel's
// trip point is taken only where the kernel tells none.
func (c heatCall) finishLimit(r *heatReport) {
	if f := c.model.LimitCelsius; f != nil && !(r.limit <= f.Value) {
		r.limit, r.limitAt, r.limitOf, r.byTable = f.Value, c.now(), f.Source, true
	}
	if f := c.model.KernelLimitCelsius; f != nil && math.IsNaN(r.limit) {
		r.limit, r.limitAt, r.byTable = f.Value, c.now(), true
		r.limitOf = f.Source + " (this kernel tells no trip point)"
	}
	if math.IsNaN(r.limit) {
		r.heat.LimitCelsius = telemetry.Unknown[float64]("the kernel tells no passive or hot trip point of the processor")
		return
	}
	r.heat.LimitCelsius, r.heat.LimitSource = telemetry.Known(r.limit, r.limitAt), r.limitOf
}

// margin is the smallest distance of a relevant zone to its limit: its own, else
// the board's; the firmware's holds for every zone.
func margin(h telemetry.Heat, firmware *Figure) telemetry.Reading[float64] {
	if !isKnown(h.HottestCelsius) {
		return telemetry.Unknown[float64](h.HottestCelsius.Reason())
	}
	board, ok := h.LimitCelsius.Get()
	if !ok {
		return telemetry.Unknown[float64](h.LimitCelsius.Reason())
	}
	var least telemetry.Reading[float64]
	for _, zone := range h.Zones {
		celsius, ok := zone.TempCelsius.Get()
		if !ok || !zone.Relevant {
			continue
		}
		limit := board
		if zone.LimitCelsius != 0 {
			limit = zone.LimitCelsius
		}
		if firmware != nil {
			limit = min(limit, firmware.Value)
		}
		if v, ok := least.Get(); !ok || limit-celsius < v {
			least = telemetry.Known(limit-celsius, zone.TempCelsius.At())
		}
	}
	return least
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
	feeds := []string{sumHottest, sumMargin, sumLimit}
	switch {
	case len(broken) > 0:
		return failed(name, strings.Join(broken, "; "), feeds...)
	case c.found.hwmonErr != nil:
		return failed(name, c.found.hwmonErr.Error(), feeds...)
	case len(c.monitors) == 0:
		return skipped(name, "none is of the processor")
	}
	return loaded(name, fmt.Sprintf("%d of the processor", len(c.monitors)), feeds...)
}
