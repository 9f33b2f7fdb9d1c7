package governor

import (
	"fmt"
	"math"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// StaleAfter is the age at which a reading counts as unknown.
const StaleAfter = 5 * time.Second

// fresh returns a reading's value, or why it cannot be used at the given time.
// A reading from the future means that a clock was set, and is as bad as an old one.
func fresh[T any](r telemetry.Reading[T], now time.Time) (value T, why string) {
	v, ok := r.Get()
	if !ok {
		return value, r.Reason()
	}
	if age := now.Sub(r.At()); age > StaleAfter || age < -StaleAfter {
		return value, fmt.Sprintf("reading is %v old", age.Round(time.Second))
	}
	return v, ""
}

// freshNumber is fresh for numbers, which also have to lie in [least, greatest];
// NaN does not.
func freshNumber(r telemetry.Reading[float64], now time.Time, least, greatest float64) (float64, string) {
	v, why := fresh(r, now)
	if why == "" && !(v >= least && v <= greatest) {
		return 0, fmt.Sprintf("reading of %g is not possible", v)
	}
	return v, why
}

// essential is what policies may look at: no zones, supplies and probes. Times
// lose their monotonic part and numbers that JSON cannot hold become unknown, so
// that a record read back is what the policy saw.
func essential(s telemetry.Snapshot) telemetry.Snapshot {
	number := func(r telemetry.Reading[float64]) telemetry.Reading[float64] {
		v, ok := r.Get()
		if ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
			return telemetry.Unknown[float64]("not a number")
		}
		return plain(r)
	}
	return telemetry.Snapshot{
		Time: s.Time.Round(0), Board: s.Board, Simulated: s.Simulated,
		Heat: telemetry.Heat{
			HottestCelsius: number(s.Heat.HottestCelsius),
			LimitCelsius:   number(s.Heat.LimitCelsius),
		},
		Power: telemetry.Power{
			ChargePercent:     number(s.Power.ChargePercent),
			Discharging:       plain(s.Power.Discharging),
			Watts:             number(s.Power.Watts),
			BatteryWatts:      number(s.Power.BatteryWatts),
			CapacityWattHours: number(s.Power.CapacityWattHours),
			ExternalPower:     plain(s.Power.ExternalPower),
		},
		Throttle: telemetry.Throttle{
			UnderVoltage: plain(s.Throttle.UnderVoltage),
			Throttled:    plain(s.Throttle.Throttled),
			ClockHertz:   number(s.Throttle.ClockHertz),
		},
		Load: telemetry.Load{
			CPUPercent:           number(s.Load.CPUPercent),
			OwnCPUPercent:        number(s.Load.OwnCPUPercent),
			OthersCPUPercent:     number(s.Load.OthersCPUPercent),
			LoadAverage1:         number(s.Load.LoadAverage1),
			MemoryTotalBytes:     plain(s.Load.MemoryTotalBytes),
			MemoryAvailableBytes: plain(s.Load.MemoryAvailableBytes),
		},
	}
}

func plain[T any](r telemetry.Reading[T]) telemetry.Reading[T] {
	v, ok := r.Get()
	if !ok {
		return r
	}
	return telemetry.Known(v, r.At().Round(0))
}
