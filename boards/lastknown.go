package boards

import (
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// lastKnown remembers when each value was last known, so that an unknown one
// tells for how long.
type lastKnown map[string]time.Time

func date[T any](l lastKnown, name string, r *telemetry.Reading[T]) {
	if isKnown(*r) {
		l[name] = r.At()
	} else if at, ok := l[name]; ok {
		*r = telemetry.Lost[T](r.Reason(), at)
	}
}

// date dates everything in a snapshot that a governor decides by, the zones and
// the supplies.
func (l lastKnown) date(s *telemetry.Snapshot) {
	date(l, "hottest", &s.Heat.HottestCelsius)
	date(l, "limit", &s.Heat.LimitCelsius)
	date(l, "margin", &s.Heat.MarginKelvin)
	for i := range s.Heat.Zones {
		z := &s.Heat.Zones[i]
		date(l, "zone "+z.Source, &z.TempCelsius)
	}
	p := &s.Power
	date(l, "charge", &p.ChargePercent)
	date(l, "discharging", &p.Discharging)
	date(l, "watts", &p.Watts)
	date(l, "battery watts", &p.BatteryWatts)
	date(l, "capacity", &p.CapacityWattHours)
	date(l, "remaining", &p.RemainingHours)
	date(l, "external power", &p.ExternalPower)
	for i := range p.Supplies {
		date(l, "charge "+p.Supplies[i].Name, &p.Supplies[i].ChargePercent)
	}
	date(l, "under-voltage", &s.Throttle.UnderVoltage)
	date(l, "throttled", &s.Throttle.Throttled)
	date(l, "clock", &s.Throttle.ClockHertz)
	date(l, "cpu", &s.Load.CPUPercent)
	date(l, "own cpu", &s.Load.OwnCPUPercent)
	date(l, "others cpu", &s.Load.OthersCPUPercent)
	date(l, "load average", &s.Load.LoadAverage1)
	date(l, "memory", &s.Load.MemoryTotalBytes)
	date(l, "memory available", &s.Load.MemoryAvailableBytes)
}
