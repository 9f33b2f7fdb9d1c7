package governor

import (
	"math"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// Energy learns what the board draws and how much the battery holds, and keeps
// the account of the user's goal.
type Energy struct {
	// Watts drawn without and with full drive: watts = Watts[0] + Watts[1]·drive, with the covariance.
	Watts [2]float64 `json:"watts"`
	Cov   [3]float64 `json:"cov"` // of 0·0, 0·1 and 1·1
	// Charge in percent: the gauge, smoothed by what flows. 0 is unknown.
	Charge float64 `json:"charge,omitempty"`
	// Flow is what leaves the battery in watts, and Input what a panel or charger delivers, smoothed.
	Flow  float64 `json:"flow,omitempty"`
	Input float64 `json:"input,omitempty"`
	// Capacity in watt-hours, learned; 0 before that. Mark and Spent are the charge
	// at which the lesson began and the watt-hours that left the battery since.
	Capacity float64 `json:"capacity,omitempty"`
	Mark     float64 `json:"mark,omitempty"`
	Spent    float64 `json:"spent,omitempty"`
	// Jumps counts readings in a row that cannot be of the battery so far.
	Jumps     int       `json:"jumps,omitempty"`
	SwappedAt time.Time `json:"swapped_at,omitzero"`
	// Since is when the goal For, of length Goal, was first seen.
	Since time.Time     `json:"since,omitzero"`
	Goal  time.Duration `json:"goal_ns,omitempty"`
	// Saved is what was drawn less than an average goal allows, in watt-hours.
	Saved float64 `json:"saved,omitempty"`
}

const (
	// Where nothing measures the power, a board of a Raspberry Pi 4's size is assumed;
	// what is wrong with that goes into the learned capacity.
	assumedIdleWatts, assumedDriveWatts = 3., 3.
	// assumedCapacity is small, so that it errs to the cautious side until learned: one 18650 cell.
	assumedCapacity               = 10.
	leastCapacity, mostCapacity   = 0.5, 5000.
	lessonPercent                 = 2 // of charge from which a capacity is learned
	lessonWeight                  = 0.4
	gaugeSeconds                  = 120 // over which the gauge corrects the account of flow
	swapPercent                   = 5   // a step of the charge by more than that, three times in a row, is another battery
	swapReadings                  = 3
	averageSeconds                = 600 // over which an average power is kept
	inputPersists                 = 1   // hours for which the present input is counted on
	fullPercent                   = 95
	shortestPlan                  = 5. / 60 // hours
	wattsNoise, wattsDrift        = 0.05, 1e-6
	wattsPrior, driveWattsPrior   = 9., 4.
	leastDriveWatts               = 0.1
	longestWatts                  = 1e4
	smoothInput, longestAccountHr = 60., 0.05
)

func (e *Energy) begin() {
	if e.Cov[0] == 0 {
		e.Watts = [2]float64{assumedIdleWatts, assumedDriveWatts}
		e.Cov = [3]float64{wattsPrior, 0, driveWattsPrior}
	}
}

// power learns from a measured power under a drive.
func (e *Energy) power(watts, drive float64) {
	e.Cov[0] += wattsDrift
	e.Cov[2] += wattsDrift
	a, b := e.Cov[0]+float64(drive*e.Cov[1]), e.Cov[1]+float64(drive*e.Cov[2])
	variance := a + float64(drive*b) + wattsNoise
	y := watts - e.draw(drive)
	e.Watts[0] += float64(a / variance * y)
	e.Watts[1] = max(e.Watts[1]+float64(b/variance*y), leastDriveWatts)
	e.Cov[0] -= float64(a * a / variance)
	e.Cov[1] -= float64(a * b / variance)
	e.Cov[2] -= float64(b * b / variance)
}

// draw is the power under a drive.
func (e *Energy) draw(drive float64) float64 { return e.Watts[0] + float64(e.Watts[1]*drive) }

// account takes a step's readings in; unknown is why there is no charge, empty where there is.
func (e *Energy) account(in Input, drive, seconds float64) (charge float64, unknown string) {
	e.begin()
	watts, wattsWhy := freshNumber(in.Snapshot.Power.Watts, in.Now, 0, longestWatts)
	if wattsWhy == "" {
		e.power(watts, drive)
	} else {
		watts = e.draw(drive)
	}
	hours := min(seconds/3600, longestAccountHr)
	if goal := in.Objectives.Battery.AverageWatts; goal > 0 {
		most := goal * averageSeconds / 3600
		e.Saved = min(max(e.Saved+float64((goal-watts)*hours), -most), most)
	} else {
		e.Saved = 0
	}

	flow, flowWhy := freshNumber(in.Snapshot.Power.BatteryWatts, in.Now, -longestWatts, longestWatts)
	weight := min(seconds/smoothInput, 1)
	switch discharging, why := fresh(in.Snapshot.Power.Discharging, in.Now); {
	case flowWhy == "":
		e.Flow = -flow
		e.Input += float64(weight * (max(watts+flow, 0) - e.Input))
	case why == "" && !discharging: // something feeds the board; how much is not known
		e.Flow = 0
		e.Input += float64(weight * (watts - e.Input))
	default:
		e.Flow = watts
		e.Input += float64(weight * (0 - e.Input))
	}

	charge, unknown = freshNumber(in.Snapshot.Power.ChargePercent, in.Now, 0, 100)
	capacity := e.capacity(in.Objectives.Battery, in.Snapshot.Power.CapacityWattHours)
	spent := e.Flow * hours
	if e.Charge != 0 {
		e.Charge = min(max(e.Charge-float64(spent/capacity*100), 0.01), 100)
		e.Spent += spent
	}
	if unknown != "" {
		return e.Charge, unknown
	}
	off := charge - e.Charge
	switch {
	case e.Charge == 0:
		e.restart(charge)
	case math.Abs(off) > swapPercent:
		if e.Jumps++; e.Jumps >= swapReadings {
			e.restart(charge)
			e.SwappedAt = in.Now
		}
		return e.Charge, ""
	}
	e.Jumps = 0
	e.Charge = min(max(e.Charge+float64((charge-e.Charge)*min(seconds/gaugeSeconds, 1)), 0.01), 100)
	if fell := e.Mark - charge; math.Abs(fell) >= lessonPercent {
		if lesson := e.Spent / fell * 100; lesson > leastCapacity && lesson < mostCapacity {
			if e.Capacity == 0 {
				e.Capacity = lesson
			} else {
				e.Capacity += float64(lessonWeight * (lesson - e.Capacity))
			}
		}
		e.Mark, e.Spent = charge, 0
	}
	return e.Charge, ""
}

// restart begins with another battery.
func (e *Energy) restart(charge float64) {
	e.Charge = max(charge, 0.01)
	e.Mark, e.Spent, e.Jumps = charge, 0, 0
}

// capacity is what the user says, else the gauge, else what was learned.
func (e *Energy) capacity(b Battery, gauge telemetry.Reading[float64]) float64 {
	if b.CapacityWattHours > 0 {
		return b.CapacityWattHours
	}
	if g, ok := gauge.Get(); ok && g > leastCapacity && g < mostCapacity {
		return g
	}
	if e.Capacity > 0 {
		return e.Capacity
	}
	return assumedCapacity
}

// plan is the power that the goal allows from now on, in watts; ok is false where
// there is none or it is over.
func (e *Energy) plan(in Input) (watts, hours float64, ok bool) {
	b := in.Objectives.Battery
	switch {
	case b.AverageWatts > 0:
		return b.AverageWatts + e.Saved*3600/averageSeconds, 0, true
	case b.Until != 0:
		hours = b.Until.next(in.Now).Sub(in.Now).Hours()
	case b.For != 0:
		if e.Goal != b.For || e.Since.After(in.Now) {
			e.Goal, e.Since = b.For, in.Now
		}
		hours = e.Since.Add(b.For).Sub(in.Now).Hours()
		if hours <= 0 {
			return 0, 0, false
		}
	default:
		return 0, 0, false
	}
	left := (e.Charge - b.Reserve()) / 100 * e.capacity(b, in.Snapshot.Power.CapacityWattHours)
	planned := max(hours, shortestPlan)
	watts = (left + float64(e.Input*min(inputPersists, planned))) / planned
	if e.Charge >= fullPercent { // what comes in would be lost
		watts = max(watts, e.Input)
	}
	return watts, hours, true
}
