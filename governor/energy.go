package governor

import (
	"math"
	"time"
)

// Energy learns what the board draws and how much the battery holds, and keeps
// the account of the user's goal.
type Energy struct {
	// Watts drawn without and with full drive: watts = Watts[0] + Watts[1]·drive, with the covariance.
	Watts [2]float64 `json:"watts"`
	Cov   [3]float64 `json:"cov"` // of 0·0, 0·1 and 1·1
	// Converter is what the battery gives for each watt of the board.
	Converter float64 `json:"converter"`
	// Charge in percent: the gauge, smoothed by what flows. 0 is unknown.
	Charge float64 `json:"charge,omitempty"`
	// Flow is what leaves the battery in watts, and Input what a panel or charger delivers, smoothed.
	Flow  float64 `json:"flow,omitempty"`
	Input float64 `json:"input,omitempty"`
	// Sun is what comes in by day.
	Sun Sun `json:"sun,omitzero"`
	// Capacity in watt-hours, learned; 0 before that. Mark and Spent are the charge
	// at which the lesson began and the watt-hours that left the battery since.
	Capacity float64 `json:"capacity,omitempty"`
	Mark     float64 `json:"mark,omitempty"`
	Spent    float64 `json:"spent,omitempty"`
	// Others is the mean drive of other programs over some time.
	Others float64 `json:"others,omitempty"`
	// What level knows: the last reading as an open voltage, the current at it, and the sums from which the resistance follows.
	LastVolts float64 `json:"last_volts,omitempty"`
	LastAmps  float64 `json:"last_amps,omitempty"`
	SagVolts  float64 `json:"sag_volts,omitempty"`
	SagAmps   float64 `json:"sag_amps,omitempty"`
	// Step is the least change of the gauge that was seen, in percent, and LastCharge its last reading.
	Step       float64 `json:"step,omitempty"`
	LastCharge float64 `json:"last_charge,omitempty"`
	// Jumps counts readings in a row that cannot be of the battery so far.
	LostAt    time.Time `json:"lost_at,omitzero"` // since when the gauge says nothing
	Jumps     int       `json:"jumps,omitempty"`
	SwappedAt time.Time `json:"swapped_at,omitzero"`
	// Since is when the goal For, of length Goal, was first seen.
	Since time.Time     `json:"since,omitzero"`
	Goal  time.Duration `json:"goal_ns,omitempty"`
	// Saved is what was drawn less than an average goal allows, in watt-hours.
	Saved float64 `json:"saved,omitempty"`
}

const (
	// assumedHours is how long a battery of unknown size is taken to feed the board at full work until learned.
	assumedHours                  = 4.
	leastCapacity, mostCapacity   = 0.5, 5000.
	lessonPercent                 = 2 // of charge from which a capacity is learned
	lessonWeight                  = 0.4
	gaugeSeconds                  = 120 // over which the gauge corrects the account of flow
	swapPercent                   = 15  // a step of the charge by more than that, three times in a row, is another battery
	swapReadings                  = 3
	averageSeconds                = 600 // over which an average power is kept
	fullPercent                   = 95
	sagAmps, sagWeight            = 0.1, 0.01
	sagLearned, mostOhms          = 0.5, 0.5 // A², Ω of the pack as one cell
	mostStep                      = 5.       // percent
	wattsNoise, wattsDrift        = 0.05, 1e-6
	wattsPrior, driveWattsPrior   = 1., 1. // variances, as shares of the squares
	converterWeight               = 0.01
	leastConverter, mostConverter = 0.7, 1.5
	leastDriveWatts               = 0.1
	longestWatts                  = 1e4
	leastInput                    = 1e-3
	smoothInput, longestAccountHr = 60., 0.05
)

func (e *Energy) begin(board string) {
	if e.Cov[0] == 0 {
		p := powersOf(board)
		e.Watts = [2]float64{p[0], p[1] - p[0]}
		e.Cov = [3]float64{wattsPrior * p[0] * p[0], 0, driveWattsPrior * e.Watts[1] * e.Watts[1]}
		e.Converter = 1
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
	e.begin(in.Snapshot.Board)
	e.flows(in, drive, seconds)
	hours := min(seconds/3600, longestAccountHr)
	if goal := in.Objectives.Battery.AverageWatts; goal > 0 {
		most := goal * averageSeconds / 3600
		e.Saved = min(max(e.Saved+float64((goal-e.draw(drive))*hours), -most), most)
	} else {
		e.Saved = 0
	}

	charge, unknown = freshNumber(in.Snapshot.Power.ChargePercent, in.Now, 0, 100)
	capacity := e.capacity(in)
	spent := float64(e.Flow * hours)
	if e.Charge != 0 {
		// A percent of the charge is worth what the cell's voltage is then.
		e.Charge = min(max(e.Charge-float64(spent/capacity*100*meanVolts/voltsAt(e.Charge)), 0.01), 100)
		e.Spent += spent
	}
	if unknown != "" {
		return e.Charge, unknown
	}
	charge = e.level(charge)
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
		if lesson := float64(e.Spent / fell * 100); lesson > leastCapacity && lesson < mostCapacity {
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

// flows learns what the board draws and what comes in.
func (e *Energy) flows(in Input, drive, seconds float64) {
	watts, wattsWhy := freshNumber(in.Snapshot.Power.Watts, in.Now, 0, longestWatts)
	into, intoWhy := freshNumber(in.Snapshot.Power.BatteryWatts, in.Now, -longestWatts, longestWatts)
	discharging, why := fresh(in.Snapshot.Power.Discharging, in.Now)
	external, externalWhy := fresh(in.Snapshot.Power.ExternalPower, in.Now)
	alone := why == "" && discharging && externalWhy == "" && !external // on its battery alone, or nearly
	weight := min(seconds/smoothInput, 1)
	input := 0.
	switch {
	case wattsWhy == "" && intoWhy == "":
		e.power(watts, drive)
		if alone && watts > leastDriveWatts {
			// What comes in hides in this ratio only if it is less than the losses.
			if ratio := -into / watts; ratio > leastConverter && ratio < mostConverter {
				e.Converter += float64(converterWeight * (ratio - e.Converter))
			}
		}
		input = watts + into/e.Converter
		e.Flow = -into
	case intoWhy == "":
		// By day a panel may bring a part of what the board draws, and nothing tells: what
		// is missing to the model counts as input then, and the model learns by night.
		if alone && (e.Sun.dark(hourOf(in.Now)) || -into > e.draw(drive)) {
			e.power(-into, drive)
		}
		input = e.draw(drive) + into
		e.Flow = -into
	default:
		if wattsWhy == "" {
			e.power(watts, drive)
		}
		e.Flow = e.draw(drive) * e.Converter
		if why == "" && !discharging { // something feeds the board; how much is not known
			input, e.Flow = e.draw(drive), 0
		}
	}
	e.Input += float64(weight * (max(input, 0) - e.Input))
	if e.Input < leastInput {
		e.Input = 0
	}
	e.Sun.learn(max(input, 0), in.Objectives.Battery.statedWatts(), in.Now, seconds/3600)
}

// level corrects the charge of a gauge that reads the voltage under load: the
// resistance is learned from readings that follow each other, between which the
// charge itself does not change.
func (e *Energy) level(reading float64) float64 {
	if step := math.Abs(reading - e.LastCharge); e.LastCharge > 0 && step > 0 && step <= mostStep && (e.Step == 0 || step < e.Step) {
		e.Step = step
	}
	volts := voltsAt(reading)
	amps := e.Flow / volts
	if e.LastVolts > 0 {
		more, fell := amps-e.LastAmps, e.LastVolts-volts
		if math.Abs(more) >= sagAmps && math.Abs(reading-e.LastCharge) < swapPercent {
			e.SagVolts += float64(more*fell) - float64(sagWeight*e.SagVolts)
			e.SagAmps += float64(more*more) - float64(sagWeight*e.SagAmps)
		}
	}
	e.LastVolts, e.LastAmps, e.LastCharge = volts, amps, reading
	if e.SagAmps < sagLearned {
		return reading
	}
	ohms := min(max(e.SagVolts/e.SagAmps, 0), mostOhms)
	return reading + percentAt(volts+float64(ohms*max(amps, 0))) - percentAt(volts)
}

// restart begins with another battery.
func (e *Energy) restart(charge float64) {
	e.Charge = max(charge, 0.01)
	e.Mark, e.Spent, e.Jumps = charge, 0, 0
}

// capacity is what the user says, else the gauge, else what was learned.
func (e *Energy) capacity(in Input) float64 {
	if c := in.Objectives.Battery.CapacityWattHours; c > 0 {
		return c
	}
	if g, ok := in.Snapshot.Power.CapacityWattHours.Get(); ok && g > leastCapacity && g < mostCapacity {
		return g
	}
	if e.Capacity > 0 {
		return e.Capacity
	}
	return assumedHours * e.draw(1)
}
