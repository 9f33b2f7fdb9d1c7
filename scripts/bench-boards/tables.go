package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/fathom-edge/fathom/boards"
	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/internal/results"
)

// quantities is what is read of every fixture: the source and the unit, and the
// value, which a golden snapshot holds.
func quantities() ([]results.Row, error) {
	names, err := trees()
	if err != nil {
		return nil, err
	}
	var rows []results.Row
	for _, tree := range names {
		err := unpacked(tree, func(root string) error {
			board, err := boards.New(root, boards.Options{})
			if err != nil {
				return err
			}
			rows = append(rows, quantitiesOf(tree, board.Read(context.Background()))...)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", tree, err)
		}
	}
	return rows, nil
}

func quantitiesOf(tree string, s telemetry.Snapshot) []results.Row {
	var rows []results.Row
	add := func(quantity, source string, r telemetry.Reading[float64], scale float64, unit string) {
		value, ok := r.Get()
		if !ok {
			return
		}
		rows = append(rows, number("board-"+tree+"-"+strings.ReplaceAll(quantity, " ", "-"),
			fmt.Sprintf("%s (fixture %s): %s from %s; verified by TestGolden/%s", s.Board, tree, quantity, source, tree), value*scale, unit))
	}
	flag := func(quantity, source string, r telemetry.Reading[bool]) {
		v, ok := r.Get()
		if ok {
			add(quantity, source, telemetry.Known(map[bool]float64{false: 0, true: 1}[v], r.At()), 1, "(1: yes)")
		}
	}
	from := func(sum string) string {
		var names []string
		for _, p := range s.Probes {
			for _, feed := range p.Feeds {
				if feed == sum {
					names = append(names, p.Name)
				}
			}
		}
		return strings.Join(names, " and ")
	}
	add("hottest", from("heat.hottest_celsius"), s.Heat.HottestCelsius, 1, "°C")
	add("limit", s.Heat.LimitSource, s.Heat.LimitCelsius, 1, "°C")
	add("margin", "zones and their limits", s.Heat.MarginKelvin, 1, "K")
	add("charge", from("power.charge_percent"), s.Power.ChargePercent, 1, "%")
	add("power", from("power.watts")+from("power.battery_watts"), s.Power.Watts, 1, "W")
	flag("under-voltage", from("throttle.under_voltage"), s.Throttle.UnderVoltage)
	flag("throttled", from("throttle.throttled"), s.Throttle.Throttled)
	add("requested clock", "cpufreq", s.Throttle.ClockHertz, 1e-6, "MHz")
	add("memory available", "/proc/meminfo", bytesOf(s.Load.MemoryAvailableBytes), 1, "MiB")
	add("memory limit", "control group", bytesOf(s.Load.Limits.MemoryBytes), 1, "MiB")
	add("core limit", "control group", s.Load.Limits.CPUCores, 1, "cores")
	add("load average", "/proc/loadavg", s.Load.LoadAverage1, 1, "")
	add("cpu pressure", "/proc/pressure", s.Load.Pressure.CPUPercent, 1, "%")
	return rows
}

func bytesOf(r telemetry.Reading[uint64]) telemetry.Reading[float64] {
	v, ok := r.Get()
	if !ok {
		return telemetry.Unknown[float64](r.Reason())
	}
	return telemetry.Known(float64(v)/(1<<20), r.At())
}

// devices is what can be configured on I²C and GPIO lines.
func devices() ([]results.Row, error) {
	var rows []results.Row
	for _, d := range battery.Devices() {
		what := fmt.Sprintf("%s (%s): %s; register map: %s (%s)", d.Product, d.Name, strings.Join(d.Functions, ", "), d.Source, d.Standing)
		if d.Notes != "" {
			what += "; " + d.Notes
		}
		rows = append(rows, number("device-"+d.Name, what+"; verified by "+d.Test+", not on hardware", float64(len(d.Functions)), "functions"))
	}
	return rows, nil
}
