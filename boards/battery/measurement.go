package battery

import (
	"fmt"
	"math"
)

// sensor asks one chip. An implementation is called from one goroutine.
type sensor interface {
	// identify checks, by reading only, that the chip is what the configuration
	// says, as far as the chip can tell.
	identify() error
	measure() (measurement, error)
}

// measurement is what a chip says in one go; NaN and unsaid stand for what it does not measure.
type measurement struct {
	volts          float64 // of the whole pack, or of the load
	amps           float64 // positive into the battery
	loadWatts      float64 // what the board draws
	percent        float64 // state of charge
	percentPerHour float64 // negative while the charge falls
	ampHours       float64 // what the pack holds when full
	externalPower  truth
	charging       truth
	low            truth
	remark         string
}

// truth is a bool that may be missing.
type truth int8

const (
	unsaid truth = iota
	no
	yes
)

func truthOf(v bool) truth {
	if v {
		return yes
	}
	return no
}

// nothing is a measurement of nothing.
func nothing() measurement {
	nan := math.NaN()
	return measurement{volts: nan, amps: nan, loadWatts: nan, percent: nan, percentPerHour: nan, ampHours: nan}
}

// check refuses what no battery of that many cells can say: an open bus reads as
// ones, a missing cell as zero.
func (m measurement) check(c Config) error {
	// No board runs off less, so a monitor that says so is not in its line.
	const minLoadVolts = 2.5
	if c.Measures == MeasuresLoad && m.volts < minLoadVolts {
		return fmt.Errorf("implausible voltage %.3f V for the line that feeds the board (bad wiring?)", m.volts)
	}
	if !math.IsNaN(m.volts) && c.Measures == MeasuresBattery {
		cell, span := m.volts/float64(c.Cells), chemistries[c.Chemistry].plausible
		if cell < span.min || cell > span.max {
			return fmt.Errorf("implausible voltage %.3f V for %d %s cells in series (%g to %g V a cell: no cell, bad wiring, or wrong cells?)",
				m.volts, c.Cells, c.Chemistry, span.min, span.max)
		}
	}
	// The models of the gauges overshoot a little on a full cell.
	const maxPercent = 110
	if m.percent < 0 || m.percent > maxPercent {
		return fmt.Errorf("implausible charge %.1f %%", m.percent)
	}
	return nil
}
