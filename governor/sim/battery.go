package sim

import (
	"fmt"
	"math"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// Battery is a Li-ion pack behind a converter, as one cell of its whole capacity:
// what is stored is counted in ampere-hours, at the voltage that it has open less
// what its resistance takes.
type Battery struct {
	// CapacityWattHours is what it holds when full: charge times the mean open voltage.
	CapacityWattHours float64
	StartPercent      float64
	// InputWatts is what a supply delivers all the time, beside what a trace brings.
	InputWatts float64
	// ResistanceOhms is that of the pack as one cell; two 18650 in parallel have 30 to 40 mΩ.
	ResistanceOhms float64
	// VoltageGauge reads the charge off the voltage under load, as cheap boards do,
	// instead of counting it.
	VoltageGauge bool
	// GaugeStepPercent is its resolution; it rounds. 0 for none.
	GaugeStepPercent float64
}

const (
	// converterEfficiency is of the step from the cell to 5 V, and of the way in.
	converterEfficiency = 0.92
	// cutoffVolts under load is where the protection of a cell disconnects.
	cutoffVolts = 3.0
)

// ocvVolts is the open voltage of a US18650VTC6 in steps of 5 % of charge: means
// of charge and discharge at C/20 (derlucae98, dac42d5).
var ocvVolts = [...]float64{
	2.535, 3.129, 3.268, 3.351, 3.411, 3.497, 3.558, 3.610, 3.662, 3.704, 3.752,
	3.798, 3.840, 3.881, 3.922, 3.979, 4.037, 4.075, 4.090, 4.111, 4.175,
}

const ocvSteps = len(ocvVolts) - 1

// openVolts is the open voltage at a share of the charge.
func openVolts(share float64) float64 {
	at := min(max(share, 0), 1) * float64(ocvSteps)
	i := min(int(at), ocvSteps-1)
	return ocvVolts[i] + (ocvVolts[i+1]-ocvVolts[i])*(at-float64(i))
}

// shareAt is the inverse of openVolts.
func shareAt(volts float64) float64 {
	for i := ocvSteps; i > 0; i-- {
		if volts >= ocvVolts[i-1] {
			return min((float64(i-1)+(volts-ocvVolts[i-1])/(ocvVolts[i]-ocvVolts[i-1]))/float64(ocvSteps), 1)
		}
	}
	return 0
}

// voltsMean is the mean open voltage over the charge.
var voltsMean = func() float64 {
	sum := 0.
	for i := range ocvSteps {
		sum += (ocvVolts[i] + ocvVolts[i+1]) / 2
	}
	return sum / float64(ocvSteps)
}()

// storedShare is the energy below a share of the charge, as a share of the capacity.
func storedShare(share float64) float64 {
	at := min(max(share, 0), 1) * float64(ocvSteps)
	sum := 0.
	for i := 0; i < int(at); i++ {
		sum += (ocvVolts[i] + ocvVolts[i+1]) / 2
	}
	part := at - math.Floor(at)
	sum += part * (ocvVolts[int(at)] + openVolts(share)) / 2
	return sum / float64(ocvSteps) / voltsMean
}

// shareOfStored is the inverse of storedShare.
func shareOfStored(stored float64) float64 {
	low, high := 0., 1.
	for range 40 {
		if middle := (low + high) / 2; storedShare(middle) < stored {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// Validate says what makes a battery impossible.
func (b Battery) Validate() error {
	if !(b.CapacityWattHours > 0) || !(b.StartPercent >= 0 && b.StartPercent <= 100) || !(b.InputWatts >= 0) ||
		!(b.ResistanceOhms >= 0 && b.ResistanceOhms <= 10) || !finite(b.CapacityWattHours, b.InputWatts) {
		return fmt.Errorf("sim: battery of %g Wh and %g Ω at %g %% with %g W input: want a positive capacity, 0 to 10 Ω, 0 to 100 %% and no negative input",
			b.CapacityWattHours, b.ResistanceOhms, b.StartPercent, b.InputWatts)
	}
	return nil
}

// pack is a battery in use.
type pack struct {
	Battery
	share float64 // of the charge
	volts float64 // under load
	watts float64 // out of the cell; negative while it charges
}

func newPack(b Battery) pack {
	return pack{Battery: b, share: b.StartPercent / 100, volts: openVolts(b.StartPercent / 100)}
}

// cellWatts is what a board's power and an input mean at the cell.
func cellWatts(watts, input float64) float64 {
	if watts > input {
		return (watts - input) / converterEfficiency
	}
	return (watts - input) * converterEfficiency
}

// draw takes the power of a board for a time, less what comes in. It reports
// whether the board could be fed.
func (p *pack) draw(watts, input float64, d time.Duration) bool {
	p.watts = cellWatts(watts, input+p.InputWatts)
	open := openVolts(p.share)
	amps := p.watts / open
	if r := p.ResistanceOhms; r > 0 {
		// watts = amps · (open - amps · r)
		left := open*open - 4*r*p.watts
		if left < 0 {
			return false
		}
		amps = (open - math.Sqrt(left)) / (2 * r)
	}
	p.volts = open - amps*p.ResistanceOhms
	p.share -= amps * d.Hours() * voltsMean / p.CapacityWattHours
	p.share = min(p.share, 1)
	if p.share <= 0 || amps > 0 && p.volts < cutoffVolts {
		p.share = max(p.share, 0)
		return false
	}
	return true
}

// percent is what the gauge says.
func (p *pack) percent() float64 {
	percent := 100 * p.share
	if p.VoltageGauge {
		percent = 100 * shareAt(p.volts)
	}
	if p.GaugeStepPercent > 0 {
		percent = math.Round(percent/p.GaugeStepPercent) * p.GaugeStepPercent
	}
	return percent
}

// tell adds the battery to a snapshot.
func (p *pack) tell(s *telemetry.Power, now time.Time) {
	s.ChargePercent = telemetry.Known(p.percent(), now)
	s.Discharging = telemetry.Known(p.watts > 0, now)
	s.BatteryWatts = telemetry.Known(-p.watts, now)
	s.CapacityWattHours = telemetry.Known(p.CapacityWattHours, now)
	s.ExternalPower = telemetry.Known(p.watts <= 0, now)
}
