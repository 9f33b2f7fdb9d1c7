// Package sim stands in for a board: a thermal model heated by work, firmware
// that throttles, a battery. The demo and the tests run the real governor on it.
//
// Words: utilisation is the share of a simulated second in which the simulated
// board works, in [0, 1]; the drive is utilisation times relative clock, and
// heat and power follow it. Simulated time runs faster than the clock by the
// acceleration. A Board may be used by any goroutine; models are plain values.
package sim

import (
	"fmt"
	"math"
	"time"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// Pole is one term of a Foster network: what it adds to the temperature at full
// drive in the end, and the time constant in which it gets there.
type Pole struct {
	GainKelvin float64
	Tau        time.Duration
}

// BoardModel is a board in its case:
//
//	T(t) = Idle + Σ xᵢ,   dxᵢ/dt = (Gainᵢ · drive - xᵢ) / τᵢ
type BoardModel struct {
	Name string
	// IdleCelsius is the temperature after a long time without work.
	IdleCelsius float64
	Poles       []Pole // usually the die (fast) and the case (slow)

	// From LimitCelsius the firmware lowers the clock, linearly down to
	// MinClock (a share of the full clock) at HardLimitCelsius.
	LimitCelsius, HardLimitCelsius float64
	MinClock                       float64
	ClockHertz                     float64 // the full clock, which is also what the kernel reports

	IdleWatts, FullWatts float64
	// Throughput is what the real board does on all cores in float32.
	Throughput profile.MACsPerSecond
}

// Validate says what makes a model impossible.
func (m BoardModel) Validate() error {
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	if !finite(m.IdleCelsius) || len(m.Poles) == 0 {
		return fmt.Errorf("sim: %s: needs an idle temperature and at least one pole", m.Name)
	}
	for i, p := range m.Poles {
		if !finite(p.GainKelvin) || p.GainKelvin < 0 || p.Tau <= 0 {
			return fmt.Errorf("sim: %s: pole %d: %g K in %v, want a gain of at least 0 and a positive time", m.Name, i, p.GainKelvin, p.Tau)
		}
	}
	if !(m.LimitCelsius < m.HardLimitCelsius) || !finite(m.LimitCelsius) || !finite(m.HardLimitCelsius) {
		return fmt.Errorf("sim: %s: throttles from %g to %g °C, want a rising range", m.Name, m.LimitCelsius, m.HardLimitCelsius)
	}
	if !(m.MinClock > 0 && m.MinClock <= 1) {
		return fmt.Errorf("sim: %s: least clock %g, want more than 0 and at most 1", m.Name, m.MinClock)
	}
	if !(m.IdleWatts >= 0 && m.FullWatts >= m.IdleWatts) || !finite(m.FullWatts) {
		return fmt.Errorf("sim: %s: %g to %g W, want a range from 0 up", m.Name, m.IdleWatts, m.FullWatts)
	}
	return nil
}

// clock is the share of the full clock that the firmware allows.
func (m BoardModel) clock(celsius float64) float64 {
	over := (celsius - m.LimitCelsius) / (m.HardLimitCelsius - m.LimitCelsius)
	return 1 - min(max(over, 0), 1)*(1-m.MinClock)
}

// thermal is the state of a model's poles.
type thermal struct {
	model BoardModel
	rises []float64 // of each pole, in kelvin
}

func newThermal(m BoardModel) thermal { return thermal{m, make([]float64, len(m.Poles))} }

// celsius is the temperature with the given heat from outside.
func (t *thermal) celsius(outsideKelvin float64) float64 {
	sum := t.model.IdleCelsius + outsideKelvin
	for _, r := range t.rises {
		sum += r
	}
	return sum
}

// advance steps every pole exactly over a time of constant drive.
func (t *thermal) advance(d time.Duration, drive float64) {
	for i, p := range t.model.Poles {
		target := p.GainKelvin * drive
		t.rises[i] = target + (t.rises[i]-target)*math.Exp(-d.Seconds()/p.Tau.Seconds())
	}
}
