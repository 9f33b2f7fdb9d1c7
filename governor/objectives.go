package governor

import (
	"fmt"
	"math"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// Objectives are what the user wants of the board.
type Objectives struct {
	// FramePeriod is the time between two frames that are classified, e.g. 200 ms for 5 frames/s.
	FramePeriod time.Duration `json:"frame_period_ns"`
	// CeilingCelsius is the temperature to stay below; 0 takes the default: 5 K
	// below where the board throttles, or 70 where that is unknown.
	CeilingCelsius float64 `json:"ceiling_celsius"`
	// MinChargePercent is the state of charge under which the shallowest variant
	// runs; 0 ignores charge. Where it is set and the charge is unknown, the middle
	// of the ladder is the deepest that runs.
	MinChargePercent float64 `json:"min_charge_percent"`
}

const (
	belowLimitKelvin      = 5
	defaultCeilingCelsius = 70
	maxFramePeriod        = time.Hour
)

// Validate says what cannot be meant. The limit is where the board itself
// throttles, if that is known.
func (o Objectives) Validate(limit telemetry.Reading[float64]) error {
	if o.FramePeriod <= 0 || o.FramePeriod > maxFramePeriod {
		return fmt.Errorf("governor: frame period %v: want more than 0 and at most %v", o.FramePeriod, maxFramePeriod)
	}
	if !(o.CeilingCelsius >= 0) || math.IsInf(o.CeilingCelsius, 0) {
		return fmt.Errorf("governor: ceiling %g °C: want a temperature, or 0 for the default", o.CeilingCelsius)
	}
	if l, ok := limitCelsius(limit); ok && o.CeilingCelsius > l {
		return fmt.Errorf("governor: ceiling %g °C is above %g °C, where the board throttles itself (choose at most that, or 0 for %g)",
			o.CeilingCelsius, l, l-belowLimitKelvin)
	}
	if !(o.MinChargePercent >= 0 && o.MinChargePercent <= 100) {
		return fmt.Errorf("governor: least charge %g %%: want 0 to 100", o.MinChargePercent)
	}
	return nil
}

// Ceiling is the temperature to stay below on a board with the given limit. It
// never lies above the limit, even if that became known only later.
func (o Objectives) Ceiling(limit telemetry.Reading[float64]) float64 {
	l, known := limitCelsius(limit)
	switch {
	case o.CeilingCelsius == 0 && known:
		return l - belowLimitKelvin
	case o.CeilingCelsius == 0:
		return defaultCeilingCelsius
	case known:
		return min(o.CeilingCelsius, l)
	}
	return o.CeilingCelsius
}

// limitCelsius takes a limit that is no temperature for unknown.
func limitCelsius(limit telemetry.Reading[float64]) (float64, bool) {
	l, ok := limit.Get()
	return l, ok && l > 0 && !math.IsInf(l, 0)
}
