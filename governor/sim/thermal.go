package sim

import (
	"math"
	"time"
)

// thermal is the state of a model's poles and fan.
type thermal struct {
	model BoardModel
	rises []float64 // of each pole, in kelvin
	level int       // of the fan; 0 is off

	// What advance needs for a step of this length at this level.
	step   time.Duration
	gains  []float64
	decays []float64
}

func newThermal(m BoardModel) thermal {
	n := len(m.Poles)
	return thermal{model: m, rises: make([]float64, n), gains: make([]float64, n), decays: make([]float64, n)}
}

// celsius is the temperature of the die in air of the given temperature.
func (t *thermal) celsius(ambient float64) float64 {
	sum := t.model.IdleCelsius + ambient - t.model.AmbientCelsius
	for _, r := range t.rises {
		sum += r
	}
	return sum
}

// duty is how hard the fan blows.
func (t *thermal) duty() float64 {
	if t.level == 0 {
		return 0
	}
	return t.model.Fan.Levels[t.level-1].Duty
}

// fanWatts is what the fan draws.
func (t *thermal) fanWatts() float64 {
	if t.level == 0 {
		return 0
	}
	return t.model.Fan.Watts * t.duty()
}

// advance steps every pole exactly over a time of constant drive, with the
// leakage and the fan of the temperature at its beginning.
func (t *thermal) advance(d time.Duration, drive, ambient float64) {
	celsius := t.celsius(ambient)
	drive += t.model.leak(celsius)
	if level := t.fanLevel(celsius); level != t.level || d != t.step {
		t.level, t.step = level, d
		duty := t.duty()
		for i, p := range t.model.Poles {
			cooled := t.model.cooled(i, duty)
			t.gains[i] = p.GainKelvin / cooled
			t.decays[i] = math.Exp(-d.Seconds() * cooled / p.Tau.Seconds())
		}
	}
	for i, gain := range t.gains {
		target := gain * drive
		t.rises[i] = target + (t.rises[i]-target)*t.decays[i]
	}
}

// fanLevel is the level from now on: the highest that is reached, and not below
// the present one before the temperature has fallen by the hysteresis.
func (t *thermal) fanLevel(celsius float64) int {
	if t.model.Fan == nil {
		return 0
	}
	level := 0
	for i, l := range t.model.Fan.Levels {
		on := l.OnCelsius
		if i < t.level {
			on -= t.model.Fan.HysteresisKelvin
		}
		if celsius >= on {
			level = i + 1
		}
	}
	return level
}
