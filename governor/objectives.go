package governor

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// Objectives are what the user wants of the board, in the user's words: the
// same type stands in fathomd's configuration and in a scenario of fathom
// simulate. A field that is left out takes the default that it states.
type Objectives struct {
	// FPS is how many frames a second are to be classified, from 1/3600 to 1000.
	FPS float64 `json:"fps" yaml:"fps"`
	// LeastFPS is down to where the rate may be lowered when even the shallowest
	// rung is too much; default a fifth of FPS.
	LeastFPS float64 `json:"least_fps,omitempty" yaml:"least_fps"`
	// FreeRunning makes FPS a greatest rate instead of a wanted one: the deepest
	// rung that is allowed runs as often as the other objectives permit.
	FreeRunning bool `json:"free_running,omitempty" yaml:"free_running"`
	// Deadline is how long one inference may take; default the frame period in use.
	Deadline time.Duration `json:"deadline_ns,omitempty" yaml:"deadline"`
	// LatePercent is the share of frames that may miss the deadline; default 1.
	LatePercent float64 `json:"late_percent,omitempty" yaml:"late_percent"`
	// CeilingCelsius is the temperature to stay below; default 5 K below where the
	// board throttles, or 70 where that is unknown.
	CeilingCelsius float64 `json:"ceiling_celsius,omitempty" yaml:"ceiling_celsius"`
	// MinChargePercent is the state of charge under which the shallowest rung runs;
	// 0 ignores charge. Where it is set and the charge is unknown, the middle of the
	// ladder is the deepest that runs.
	MinChargePercent float64 `json:"min_charge_percent,omitempty" yaml:"min_charge_percent"`
	Battery          Battery `json:"battery,omitzero" yaml:"battery"`
	// LeaveCPUPercent is the share of all cores that Fathom leaves to other programs.
	LeaveCPUPercent float64 `json:"leave_cpu_percent,omitempty" yaml:"leave_cpu_percent"`
	// LeastDepth and GreatestDepth are variants of the ladder between which every
	// decision lies; default its ends.
	LeastDepth    string `json:"least_depth,omitempty" yaml:"least_depth"`
	GreatestDepth string `json:"greatest_depth,omitempty" yaml:"greatest_depth"`
	// QuietHours are times of the day in which the least depth runs at the least rate.
	QuietHours []Hours `json:"quiet_hours,omitempty" yaml:"quiet_hours"`
	// Priority says what matters more when not all can be met, most important
	// first; what is left out follows in the order of Concerns.
	Priority []Concern `json:"priority,omitempty" yaml:"priority"`
}

// Battery says how long the charge has to last. At most one of Until, For and
// AverageWatts is set; none means that the battery does not matter.
type Battery struct {
	// Until is a time of the day, each day anew.
	Until Clock `json:"until,omitempty" yaml:"until"`
	// For counts from when the objective was first seen.
	For time.Duration `json:"for_ns,omitempty" yaml:"for"`
	// AverageWatts is what the board may draw on average over some minutes.
	AverageWatts float64 `json:"average_watts,omitempty" yaml:"average_watts"`
	// ReservePercent is what is to be left at the end of Until or For; default 5. Up
	// to 1 % less is left where only frames that are given up could keep it.
	ReservePercent float64 `json:"reserve_percent,omitempty" yaml:"reserve_percent"`
	// CapacityWattHours of the full battery; 0 lets it be learned from the fall of the charge.
	CapacityWattHours float64 `json:"capacity_watt_hours,omitempty" yaml:"capacity_watt_hours"`
	// SolarWattHours are what a panel brings on an ordinary day; 0 lets it be learned from the first day.
	SolarWattHours float64 `json:"solar_watt_hours,omitempty" yaml:"solar_watt_hours"`
}

// Concern is what a limit or a wish is about.
type Concern string

// The concerns, in the default order: the first is given up last. An objective
// that stands behind Rate or Depth is not met at their cost.
const (
	Heat     Concern = "heat"     // the ceiling
	Deadline Concern = "deadline" // frames in time
	Charge   Concern = "battery"  // how long it lasts
	CPU      Concern = "cpu"      // the share left to others
	Rate     Concern = "rate"     // frames per second
	Depth    Concern = "depth"    // accuracy
)

// Concerns are all concerns in the default order of priority.
func Concerns() []Concern { return []Concern{Heat, Deadline, Charge, CPU, Rate, Depth} }

const (
	belowLimitKelvin      = 5
	defaultCeilingCelsius = 70
	defaultLatePercent    = 1
	defaultReserve        = 5
	leastRateShare        = 0.2
	leastFPS              = 1. / 3600
	greatestFPS           = 1000
	longestGoal           = 366 * 24 * time.Hour
	mostSolar             = 100_000
)

// Validate says what cannot be meant, or not together. The limit is where the
// board itself throttles, if that is known; the ladder is valid.
func (o Objectives) Validate(ladder profile.Profile, limit telemetry.Reading[float64]) error {
	for _, check := range []func() error{
		o.rates, o.limits, o.Battery.validate, o.quiet, o.priority,
		func() error { return o.underLimit(limit) },
		func() error { return o.onLadder(ladder) },
	} {
		if err := check(); err != nil {
			return fmt.Errorf("governor: objectives: %w", err)
		}
	}
	return nil
}

// ValidateAlone is Validate for when neither the ladder nor the board is known yet.
func (o Objectives) ValidateAlone() error {
	return o.Validate(profile.Profile{}, telemetry.Reading[float64]{})
}

func (o Objectives) rates() error {
	switch {
	case !(o.FPS >= leastFPS && o.FPS <= greatestFPS):
		return fmt.Errorf("fps: %g: want one frame an hour (%.5f) to %d", o.FPS, leastFPS, greatestFPS)
	case !(o.LeastFPS >= 0) || o.LeastFPS > 0 && o.LeastFPS < leastFPS:
		return fmt.Errorf("least_fps: %g: want at least one frame an hour (%.5f), or 0 for a fifth of fps", o.LeastFPS, leastFPS)
	case o.LeastFPS > o.FPS:
		return fmt.Errorf("least_fps: %g is more than fps %g (lower least_fps or raise fps)", o.LeastFPS, o.FPS)
	case o.Deadline < 0:
		return fmt.Errorf("deadline: %v: want a positive time, or 0 for the frame period", o.Deadline)
	case o.Deadline > o.LongestPeriod():
		return fmt.Errorf("deadline: %v is longer than the longest frame period, %v: the next frame would be due before (shorten deadline or lower least_fps)",
			o.Deadline, o.LongestPeriod())
	case !(o.LatePercent >= 0 && o.LatePercent <= 50):
		return fmt.Errorf("late_percent: %g: want up to 50, or 0 for %d", o.LatePercent, defaultLatePercent)
	}
	return nil
}

func (o Objectives) limits() error {
	switch {
	case o.CeilingCelsius != 0 && !(o.CeilingCelsius >= 0 && o.CeilingCelsius <= greatestCelsius):
		return fmt.Errorf("ceiling_celsius: %g: want a temperature up to %d, or 0 for the default", o.CeilingCelsius, greatestCelsius)
	case !(o.MinChargePercent >= 0 && o.MinChargePercent <= 100):
		return fmt.Errorf("min_charge_percent: %g: want 0 to 100", o.MinChargePercent)
	case !(o.LeaveCPUPercent >= 0 && o.LeaveCPUPercent <= 95):
		return fmt.Errorf("leave_cpu_percent: %g: want 0 to 95 (what is left is all that Fathom has)", o.LeaveCPUPercent)
	}
	return nil
}

func (b Battery) validate() error {
	goals := 0
	for _, set := range []bool{b.Until != 0, b.For != 0, b.AverageWatts != 0} {
		if set {
			goals++
		}
	}
	switch {
	case goals > 1:
		return fmt.Errorf("battery: until, for and average_watts contradict each other: give one")
	case b.For < 0 || b.For > longestGoal:
		return fmt.Errorf("battery.for: %v: want up to a year", b.For)
	case !(b.AverageWatts >= 0) || math.IsInf(b.AverageWatts, 0):
		return fmt.Errorf("battery.average_watts: %g: want a positive power", b.AverageWatts)
	case !(b.ReservePercent >= 0 && b.ReservePercent < 100):
		return fmt.Errorf("battery.reserve_percent: %g: want 0 to below 100", b.ReservePercent)
	case !(b.CapacityWattHours >= 0) || math.IsInf(b.CapacityWattHours, 0):
		return fmt.Errorf("battery.capacity_watt_hours: %g: want a positive energy, or 0 to learn it", b.CapacityWattHours)
	case !(b.SolarWattHours >= 0 && b.SolarWattHours <= mostSolar):
		return fmt.Errorf("battery.solar_watt_hours: %g: want what a panel brings in a day, up to %d, or 0 to learn it", b.SolarWattHours, mostSolar)
	case !b.Until.valid():
		return fmt.Errorf("battery.until: minute %d is no time of the day", int(b.Until))
	}
	return nil
}

func (o Objectives) quiet() error {
	minutes := 0
	for _, h := range o.QuietHours {
		if !h.From.valid() || !h.To.valid() || h.From == 0 || h.To == 0 || h.From == h.To {
			return fmt.Errorf("quiet_hours: %v: want two different times of the day, e.g. 22:00-06:00", h)
		}
		minutes += h.minutes()
	}
	if minutes >= minutesPerDay {
		return fmt.Errorf("quiet_hours: they fill the whole day (set greatest_depth and fps instead)")
	}
	return nil
}

func (o Objectives) priority() error {
	for i, c := range o.Priority {
		if !slices.Contains(Concerns(), c) {
			return fmt.Errorf("priority: %q is none of %s", c, join(Concerns()))
		}
		if slices.Index(o.Priority, c) != i {
			return fmt.Errorf("priority: %s stands twice", c)
		}
	}
	return nil
}

func join(list []Concern) string {
	var words []string
	for _, c := range list {
		words = append(words, string(c))
	}
	return strings.Join(words, ", ")
}

func (o Objectives) underLimit(limit telemetry.Reading[float64]) error {
	if l, ok := limitCelsius(limit); ok && o.CeilingCelsius > l {
		return fmt.Errorf("ceiling_celsius: %g °C is above %g °C, where the board throttles itself (choose at most that, or 0 for %g)",
			o.CeilingCelsius, l, l-belowLimitKelvin)
	}
	return nil
}

func (o Objectives) onLadder(p profile.Profile) error {
	if len(p.Rungs) == 0 { // not known yet
		return nil
	}
	for _, field := range []struct{ name, variant string }{{"least_depth", o.LeastDepth}, {"greatest_depth", o.GreatestDepth}} {
		if _, ok := p.Index(field.variant); field.variant != "" && !ok {
			return fmt.Errorf("%s: the ladder has no variant %q (it has %s)", field.name, field.variant, variants(p))
		}
	}
	least, greatest := o.Range(p)
	if least > greatest {
		return fmt.Errorf("least_depth: %s is deeper than greatest_depth %s (exchange them)", o.LeastDepth, o.GreatestDepth)
	}
	cost := p.Rungs[least].Cost
	if longest := o.DeadlineAt(o.LongestPeriod()); cost.Source == profile.Measured && cost.Latency > longest {
		return fmt.Errorf("least_depth: %s was measured to take %v, and a frame has %v at most (lower least_fps, or allow a shallower variant)",
			p.Rungs[least].Variant, cost.Latency, longest)
	}
	return nil
}

func variants(p profile.Profile) string {
	var names []string
	for _, r := range p.Rungs {
		names = append(names, r.Variant)
	}
	return strings.Join(names, ", ")
}

// Range are the rungs of the least and the greatest depth. In a ladder that lost
// one of them its end takes the place.
func (o Objectives) Range(p profile.Profile) (least, greatest int) {
	greatest = len(p.Rungs) - 1
	if i, ok := p.Index(o.LeastDepth); ok {
		least = i
	}
	if i, ok := p.Index(o.GreatestDepth); ok {
		greatest = i
	}
	return least, greatest
}

// FramePeriod is the time between two frames at the wanted rate.
func (o Objectives) FramePeriod() time.Duration { return period(o.FPS) }

// LongestPeriod is the frame period at the least rate.
func (o Objectives) LongestPeriod() time.Duration {
	if o.LeastFPS == 0 {
		return period(max(o.FPS*leastRateShare, leastFPS))
	}
	return period(o.LeastFPS)
}

func period(fps float64) time.Duration { return time.Duration(float64(time.Second) / fps) }

// DeadlineAt is how long an inference may take at a frame period.
func (o Objectives) DeadlineAt(period time.Duration) time.Duration {
	if o.Deadline == 0 {
		return period
	}
	return min(o.Deadline, period)
}

// LateShare is the share of frames that may be late, in (0, 0.5].
func (o Objectives) LateShare() float64 {
	if o.LatePercent == 0 {
		return defaultLatePercent / 100.
	}
	return o.LatePercent / 100
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

// Quiet says whether a time lies in the quiet hours, by the clock of its location.
func (o Objectives) Quiet(t time.Time) bool {
	for _, h := range o.QuietHours {
		if h.contain(t) {
			return true
		}
	}
	return false
}

// Reserve is the charge that has to be left when the battery's goal is reached.
func (b Battery) Reserve() float64 {
	if b.ReservePercent == 0 {
		return defaultReserve
	}
	return b.ReservePercent
}

// statedWatts are what the stated yield of a day means at full light.
func (b Battery) statedWatts() float64 { return b.SolarWattHours / clearHours }

// rateFirst says that the rate is lowered before the depth.
func (o Objectives) rateFirst() bool { return o.FreeRunning || o.above(Depth, Rate) }

// above says whether a concern matters more than another.
func (o Objectives) above(a, b Concern) bool { return o.rank(a) < o.rank(b) }

func (o Objectives) rank(c Concern) int {
	if i := slices.Index(o.Priority, c); i >= 0 {
		return i
	}
	// Those that are left out follow all that are named, in the default order.
	for i, d := range [...]Concern{Heat, Deadline, Charge, CPU, Rate, Depth} {
		if d == c {
			return len(o.Priority) + i
		}
	}
	return len(o.Priority)
}
