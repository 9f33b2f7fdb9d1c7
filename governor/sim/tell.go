package sim

import (
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// told is what a board's sensors measure.
type told struct {
	celsius   float64
	throttled bool
	watts     float64
	load, own float64 // shares of all cores
}

const (
	noBattery    = "the simulated board has no battery"
	notSimulated = "not simulated"
)

// tell is a snapshot of a board without a battery.
func (m BoardModel) tell(now time.Time, v told) telemetry.Snapshot {
	limit := m.LimitCelsius()
	return telemetry.Snapshot{
		Time: now, Board: m.Name, Simulated: true,
		Heat: telemetry.Heat{
			HottestCelsius: telemetry.Known(v.celsius, now),
			LimitCelsius:   telemetry.Known(limit, now),
			LimitSource:    "simulated firmware",
			MarginKelvin:   telemetry.Known(limit-v.celsius, now),
		},
		Power: telemetry.Power{
			ChargePercent:            telemetry.Unknown[float64](noBattery),
			ChargeUncertaintyPercent: telemetry.Unknown[float64](noBattery),
			Discharging:              telemetry.Unknown[bool](noBattery),
			Watts:                    telemetry.Known(v.watts, now),
			BatteryWatts:             telemetry.Unknown[float64](noBattery),
			CapacityWattHours:        telemetry.Unknown[float64](noBattery),
			RemainingHours:           telemetry.Unknown[float64](noBattery),
			ExternalPower:            telemetry.Unknown[bool](noBattery),
		},
		Throttle: telemetry.Throttle{
			UnderVoltage:  telemetry.Known(false, now),
			Throttled:     telemetry.Known(v.throttled, now),
			ClockHertz:    telemetry.Known(m.ClockHertz, now), // the requested one, as the kernel reports it
			FirmwareFlags: telemetry.Unknown[uint32](notSimulated),
		},
		Load: telemetry.Load{
			CPUPercent:           telemetry.Known(100*v.load, now),
			OwnCPUPercent:        telemetry.Known(100*v.own, now),
			OthersCPUPercent:     telemetry.Known(100*(v.load-v.own), now),
			LoadAverage1:         telemetry.Unknown[float64](notSimulated),
			MemoryTotalBytes:     telemetry.Unknown[uint64](notSimulated),
			MemoryAvailableBytes: telemetry.Unknown[uint64](notSimulated),
		},
	}
}
