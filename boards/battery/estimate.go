package battery

import (
	"math"
	"time"
)

// pack is the battery as configured.
type pack struct {
	chemistry chemistry
	cells     int     // in series
	ohms      float64 // of the whole pack
	ampHours  float64 // NaN where nobody says
}

// wattHours is what the pack holds when full: its charge at the mean voltage of a discharge.
func (p pack) wattHours() float64 { return p.ampHours * p.chemistry.nominal * float64(p.cells) }

// Assumptions of the estimator, as standard deviations.
const (
	sensorVolts = 0.010 // of a cell's measured voltage
	ohmsShare   = 0.5   // of the pack's resistance: age, cold and contacts double it
	// unknownAmps flows where nobody measures the current: a Raspberry Pi with a boost converter.
	unknownAmps   = 1.0
	offsetAmps    = 0.010 // of a measured current
	capacityShare = 0.10  // of the pack's capacity
)

// Time constants of the filters.
const (
	// Without a measured current the charge follows the voltage, smoothed over this.
	smoothing = time.Minute
	// With one, it is counted, and the voltage corrects it. Its error (hysteresis, a
	// wrong resistance, another cell than the tables') lasts: over this time, all
	// readings together count as one.
	errorLasts = time.Hour
	// powerSmoothing is that of the power for the time to empty.
	powerSmoothing = time.Minute
	// A longer silence begins anew.
	forgets = 30 * time.Minute
)

// estimator follows the charge of a pack by its voltage and current.
//
//	open-circuit voltage = voltage - current × resistance    (current positive into the battery)
//
// It is a Kalman filter of one state. Its prediction counts the current's charge,
// and its deviation grows by what offset and capacity may be wrong, in a straight
// line, since both are wrong always in the same direction.
type estimator struct {
	pack    pack
	percent float64
	sigma   float64
	at      time.Time // of the last update; zero before the first
}

// update takes the voltage of the pack and the current into it; a current of NaN
// is not known.
func (e *estimator) update(at time.Time, volts, amps float64) {
	current, deviation := amps, ohmsShare*amps*e.pack.ohms
	if math.IsNaN(amps) {
		current, deviation = 0, unknownAmps*e.pack.ohms
	}
	cells := float64(e.pack.cells)
	atRest := (volts - current*e.pack.ohms) / cells
	deviation = math.Sqrt(math.Pow(deviation/cells, 2) + sensorVolts*sensorVolts + math.Pow(e.pack.chemistry.hysteresis, 2))
	seen, seenSigma := e.pack.chemistry.charge(atRest, deviation)

	elapsed := at.Sub(e.at)
	began := !e.at.IsZero() && elapsed >= 0 && elapsed <= forgets
	e.at = at
	switch {
	case !began:
		e.percent, e.sigma = seen, seenSigma
	case math.IsNaN(amps) || math.IsNaN(e.pack.ampHours):
		e.percent += (1 - math.Exp(-elapsed.Seconds()/smoothing.Seconds())) * (seen - e.percent)
		e.sigma = seenSigma
	default:
		e.count(amps, elapsed)
		e.correct(seen, seenSigma, elapsed)
	}
	e.percent = min(max(e.percent, 0), 100)
}

// count adds the charge that flowed.
func (e *estimator) count(amps float64, elapsed time.Duration) {
	perAmp := 100 * elapsed.Hours() / e.pack.ampHours
	e.percent += amps * perAmp
	e.sigma += (capacityShare*math.Abs(amps) + offsetAmps) * perAmp
}

// correct weighs what the voltage says. What is twice as sure replaces what was
// counted: below the flat of a curve, or when the current becomes known.
func (e *estimator) correct(seen, seenSigma float64, elapsed time.Duration) {
	switch {
	case seenSigma < e.sigma/2:
		e.percent, e.sigma = seen, seenSigma
		return
	case elapsed <= 0:
		return
	}
	own := e.sigma * e.sigma
	gain := own / (own + seenSigma*seenSigma*errorLasts.Seconds()/elapsed.Seconds())
	e.percent += gain * (seen - e.percent)
	e.sigma *= math.Sqrt(1 - gain)
}

// powerFilter smooths the power drawn from the battery.
type powerFilter struct {
	watts, variance float64
	at              time.Time
}

// update takes the power that the battery gives, W.
func (f *powerFilter) update(at time.Time, watts float64) {
	elapsed := at.Sub(f.at)
	began := !f.at.IsZero() && elapsed >= 0 && elapsed <= forgets
	f.at = at
	if !began {
		f.watts, f.variance = watts, math.Pow(watts/2, 2)
		return
	}
	share := 1 - math.Exp(-elapsed.Seconds()/powerSmoothing.Seconds())
	diff := watts - f.watts
	f.watts += share * diff
	f.variance = (1 - share) * (f.variance + share*diff*diff)
}

// trend is how fast a charge changes that a gauge tells without its rate.
type trend struct {
	samples []sample // oldest first
}

type sample struct {
	at      time.Time
	percent float64
}

const (
	trendSpacing = 10 * time.Second
	trendShort   = 4 * time.Minute // nothing is said before
	trendLong    = 10 * time.Minute
	// Gauges wander; a board that lives off its battery takes more.
	trendLeast = 0.5 // per cent an hour
)

// update takes a charge and returns its rate in per cent an hour, by least squares
// over the last minutes; NaN while that is too short or too little to tell.
func (f *trend) update(at time.Time, percent float64) float64 {
	if n := len(f.samples); n > 0 {
		if since := at.Sub(f.samples[n-1].at); since < 0 || since > trendLong {
			f.samples = f.samples[:0]
		}
	}
	if n := len(f.samples); n == 0 || at.Sub(f.samples[n-1].at) >= trendSpacing {
		f.samples = append(f.samples, sample{at, percent})
	}
	for at.Sub(f.samples[0].at) > trendLong {
		f.samples = f.samples[1:]
	}
	first, n := f.samples[0], float64(len(f.samples))
	if at.Sub(first.at) < trendShort || n < 3 {
		return math.NaN()
	}
	var x, y, xx, xy float64
	for _, s := range f.samples {
		hours := s.at.Sub(first.at).Hours()
		x, y, xx, xy = x+hours, y+s.percent, xx+hours*hours, xy+hours*s.percent
	}
	rate := (n*xy - x*y) / (n*xx - x*x)
	if math.Abs(rate) < trendLeast {
		return math.NaN()
	}
	return rate
}

// hoursToEmpty is how long a battery lasts, and the standard deviation of that.
// sigmaPercent may be NaN; so is then the deviation.
func hoursToEmpty(percent, sigmaPercent, wattHours float64, power powerFilter) (hours, sigma float64) {
	hours = percent / 100 * wattHours / power.watts
	share := sigmaPercent/max(percent, 1)*sigmaPercent/max(percent, 1) + power.variance/(power.watts*power.watts) + capacityShare*capacityShare
	return hours, hours * math.Sqrt(share)
}
