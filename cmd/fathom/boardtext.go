package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fathom-edge/fathom/boards"
	"github.com/fathom-edge/fathom/boards/telemetry"
)

// boardText prints a snapshot for people.
type boardText struct {
	to *tabwriter.Writer
	s  telemetry.Snapshot
}

// writeBoard prints values, zones, supplies and probes. What the governor decides
// by has a star.
func writeBoard(w io.Writer, s telemetry.Snapshot) error {
	t := boardText{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), s}
	fmt.Fprintf(t.to, "%s, %s\n", s.Board, s.Time.Format(time.RFC3339))
	t.figures()
	t.heat()
	t.power()
	t.throttle()
	t.load()
	t.probes()
	fmt.Fprintln(t.to, "\n* what the governor decides by")
	return t.to.Flush()
}

func (t boardText) title(name string) { fmt.Fprintln(t.to, "\n"+name) }

// row prints a line of what was read.
func (t boardText) row(name, value string) { fmt.Fprintf(t.to, "  %s\t%s\n", name, value) }

// sum prints a line of what the governor decides by.
func (t boardText) sum(name, value string) { fmt.Fprintf(t.to, "* %s\t%s\n", name, value) }

// optional prints a line with row or sum where the value is known.
func optional[T any](print func(name, value string), name string, r telemetry.Reading[T], value string) {
	if _, ok := r.Get(); ok {
		print(name, value)
	}
}

// figures prints what the tables know of the board.
func (t boardText) figures() {
	m, ok := boards.Identity{ID: t.s.BoardID}.Model()
	if !ok {
		return
	}
	t.title("known of this kind of board (" + m.Name + ")")
	figure := func(name, format string, f *boards.Figure) {
		if f != nil {
			t.row(name, fmt.Sprintf(format, f.Value)+" ("+f.Source+")")
		}
	}
	figure("throttles from", "%g °C", m.LimitCelsius)
	figure("idle", "%g W", m.IdleWatts)
	figure("all cores busy", "%g W", m.FullWatts)
	figure("I2C bus of the header", "%g", m.HeaderI2CBus)
	for _, th := range m.Thermal {
		t.row("heat, "+th.Cooling, fmt.Sprintf("%g K/W in %s (%s)", th.ResistanceKelvinPerWatt, th.Tau, th.Source))
	}
	for _, camera := range m.Cameras {
		t.row(camera.Name, camera.Command)
	}
}

func (t boardText) heat() {
	h := t.s.Heat
	t.title("heat")
	t.sum("hottest", t.number(h.HottestCelsius, "%.1f °C"))
	t.sum("limit", t.number(h.LimitCelsius, "%.1f °C")+inBrackets(h.LimitSource))
	t.row("margin", t.number(h.MarginKelvin, "%.1f K"))
	for _, zone := range h.Zones {
		value := t.number(zone.TempCelsius, "%.1f °C")
		if zone.LimitCelsius != 0 {
			value += fmt.Sprintf(", limit %.1f °C", zone.LimitCelsius)
		}
		if !zone.Relevant {
			value += " (not taken into account)"
		}
		t.row("zone "+zone.Type, value+inBrackets(zone.Source))
	}
}

func (t boardText) power() {
	p := t.s.Power
	t.title("power")
	charge := t.number(p.ChargePercent, "%.0f %%")
	if sigma, ok := p.ChargeUncertaintyPercent.Get(); ok {
		charge += fmt.Sprintf(" ± %.0f", sigma)
	}
	t.sum("charge", charge)
	t.sum("on battery", t.yesNo(p.Discharging))
	t.sum("draws", t.number(p.Watts, "%.2f W"))
	optional(t.sum, "into the battery", p.BatteryWatts, t.number(p.BatteryWatts, "%.2f W"))
	optional(t.sum, "capacity", p.CapacityWattHours, t.number(p.CapacityWattHours, "%.1f Wh"))
	optional(t.row, "lasts", p.RemainingHours, t.number(p.RemainingHours, "%.1f h"))
	optional(t.row, "battery low", p.BatteryLow, t.yesNo(p.BatteryLow))
	optional(t.sum, "external power", p.ExternalPower, t.yesNo(p.ExternalPower))
	for _, supply := range p.Supplies {
		t.row("supply "+supply.Name, describeSupply(supply))
	}
	for _, rail := range p.Rails {
		t.row("rail "+rail.Name, t.number(rail.Watts, "%.2f W"))
	}
}

func (t boardText) throttle() {
	th := t.s.Throttle
	t.title("throttling")
	t.sum("under-voltage", t.yesNo(th.UnderVoltage))
	t.sum("throttled", t.yesNo(th.Throttled))
	t.row("requested clock", t.number(scaled(th.ClockHertz, 1e-6), "%.0f MHz"))
	if flags, ok := th.FirmwareFlags.Get(); ok {
		t.row("firmware flags", fmt.Sprintf("%#x", flags))
	}
	for _, c := range th.Clocks {
		value := t.number(scaled(c.Requested, 1e-6), "%.0f MHz")
		if allowed, ok := c.Allowed.Get(); ok {
			value += fmt.Sprintf(", at most %.0f MHz", allowed*1e-6)
		}
		governor, _ := c.Governor.Get()
		t.row("clock "+c.Policy, value+inBrackets(governor))
	}
	for _, c := range th.Caps {
		value := t.number(c.State, "%.0f")
		if most, ok := c.Max.Get(); ok {
			value += fmt.Sprintf(" of %.0f", most)
		}
		t.row("cooling "+c.Type, value)
	}
	for _, e := range th.Events {
		value := t.number(scaled(e.Count, 1), "%.0f since boot")
		if perMinute, ok := e.PerMinute.Get(); ok {
			value += fmt.Sprintf(", %.1f a minute", perMinute)
		}
		t.row("alarm "+e.Name, value)
	}
}

func (t boardText) load() {
	l := t.s.Load
	const mib = 1.0 / (1 << 20)
	t.title("load")
	t.sum("processor", t.number(l.CPUPercent, "%.1f %%"))
	t.sum("own share", t.number(l.OwnCPUPercent, "%.1f %%"))
	t.sum("others", t.number(l.OthersCPUPercent, "%.1f %%"))
	var cores []string
	for _, core := range l.Cores {
		share := "?"
		if v, ok := core.CPUPercent.Get(); ok {
			share = fmt.Sprintf("%.0f", v)
		}
		cores = append(cores, fmt.Sprintf("%d: %s", core.Number, share))
	}
	if len(cores) > 0 {
		t.row("cores, %", strings.Join(cores, "  "))
	}
	t.row("load average", fmt.Sprintf("%s, %s, %s", t.number(l.LoadAverage1, "%.2f"), t.number(l.LoadAverage5, "%.2f"), t.number(l.LoadAverage15, "%.2f")))
	t.row("memory", t.number(scaled(l.MemoryTotalBytes, mib), "%.0f MiB"))
	t.row("available", t.number(scaled(l.MemoryAvailableBytes, mib), "%.0f MiB"))
	optional(t.row, "own memory", l.OwnMemoryBytes, t.number(scaled(l.OwnMemoryBytes, mib), "%.0f MiB"))
	t.pressure("pressure", l.Pressure)
	optional(t.row, "limit of cores", l.Limits.CPUCores, t.number(l.Limits.CPUCores, "%.3g"))
	optional(t.row, "stopped by it", l.Limits.CPUThrottledPercent, t.number(l.Limits.CPUThrottledPercent, "%.1f %%"))
	optional(t.row, "limit of memory", l.Limits.MemoryBytes, t.number(scaled(l.Limits.MemoryBytes, mib), "%.0f MiB"))
	optional(t.row, "left of it", l.Limits.MemoryAvailableBytes, t.number(scaled(l.Limits.MemoryAvailableBytes, mib), "%.0f MiB"))
	t.pressure("pressure in the group", l.Limits.Pressure)
}

func (t boardText) pressure(name string, p telemetry.Pressure) {
	if _, ok := p.CPUPercent.Get(); ok {
		t.row(name, fmt.Sprintf("processor %s, memory %s, disk %s", t.number(p.CPUPercent, "%.1f %%"),
			t.number(p.MemoryPercent, "%.1f %%"), t.number(p.IOPercent, "%.1f %%")))
	}
}

func (t boardText) probes() {
	t.title("probes")
	for _, probe := range t.s.Probes {
		value := string(probe.State)
		if probe.Reason != "" {
			value += ": " + probe.Reason
		}
		if len(probe.Feeds) > 0 {
			value += " → " + strings.Join(probe.Feeds, ", ")
		}
		t.row(probe.Name, value)
	}
}

// describeSupply names what is known of a supply.
func describeSupply(s telemetry.Supply) string {
	parts := []string{s.Type}
	if s.Type == "" {
		parts[0] = "type unknown"
	}
	if status, ok := s.Status.Get(); ok {
		parts = append(parts, strings.ToLower(status))
	}
	if online, ok := s.Online.Get(); ok {
		parts = append(parts, map[bool]string{true: "online", false: "offline"}[online])
	}
	for _, q := range []struct {
		value  telemetry.Reading[float64]
		format string
	}{{s.ChargePercent, "%.0f %%"}, {s.Volts, "%.2f V"}, {s.Amps, "%.2f A"}, {s.Watts, "%.2f W"}} {
		if v, ok := q.value.Get(); ok {
			parts = append(parts, fmt.Sprintf(q.format, v))
		}
	}
	if len(parts) == 1 {
		parts = append(parts, "unknown: "+s.ChargePercent.Reason())
	}
	return strings.Join(parts, ", ")
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// old is from which age on a value's age is told.
const old = 2 * time.Second

// unknown tells the reason, and how long ago the value was known.
func unknown[T any](t boardText, r telemetry.Reading[T]) string {
	text := "unknown: " + r.Reason()
	if age, ok := r.Age(t.s.Time); ok {
		text += fmt.Sprintf(" (known until %s ago)", age.Round(time.Second))
	}
	return text
}

func (t boardText) number(r telemetry.Reading[float64], format string) string {
	v, ok := r.Get()
	if !ok {
		return unknown(t, r)
	}
	text := fmt.Sprintf(format, v)
	if age, _ := r.Age(t.s.Time); age >= old {
		text += fmt.Sprintf(" (%s old)", age.Round(time.Second))
	}
	return text
}

func (t boardText) yesNo(r telemetry.Reading[bool]) string {
	v, ok := r.Get()
	if !ok {
		return unknown(t, r)
	}
	return map[bool]string{true: "yes", false: "no"}[v]
}

// scaled multiplies a reading.
func scaled[T float64 | uint64](r telemetry.Reading[T], factor float64) telemetry.Reading[float64] {
	v, ok := r.Get()
	if !ok {
		return telemetry.Lost[float64](r.Reason(), r.At())
	}
	return telemetry.Known(float64(v)*factor, r.At())
}
