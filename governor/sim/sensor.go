package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// Sensor is how a board's readings err, beyond the resolution of its thermometer.
type Sensor struct {
	// NoiseKelvin is the standard deviation of each temperature.
	NoiseKelvin float64 `yaml:"noise_kelvin"`
	// Lag is how old the temperature is without saying so.
	Lag time.Duration `yaml:"lag"`
	// Dropout is the share of time in which temperature, load, power and charge
	// are unknown, DropoutFor how long that lasts each time; default 1 s.
	Dropout    float64       `yaml:"dropout"`
	DropoutFor time.Duration `yaml:"dropout_for"`
	// Lies are times in which the temperature is wrong and says nothing of it.
	Lies []Lie `yaml:"lies"`
}

// Lie is a temperature that is wrong for a time: by Kelvin, or stuck at what it was when it began.
type Lie struct {
	At     time.Duration `yaml:"at"`
	For    time.Duration `yaml:"for"`
	Kelvin float64       `yaml:"kelvin"`
	Stuck  bool          `yaml:"stuck"`
}

const longestLag = 5 * time.Minute

func (s Sensor) validate() error {
	if !(s.NoiseKelvin >= 0 && s.NoiseKelvin <= 50) || s.Lag < 0 || s.Lag > longestLag || !(s.Dropout >= 0 && s.Dropout < 1) || s.DropoutFor < 0 {
		return fmt.Errorf("noise of %g K, lag %v, dropouts for %g of the time, %v each: want 0 to 50 K, up to %v, a share below 1, no negative time",
			s.NoiseKelvin, s.Lag, s.Dropout, s.DropoutFor, longestLag)
	}
	for i, l := range s.Lies {
		if l.At < 0 || l.For <= 0 || !finite(l.Kelvin) {
			return fmt.Errorf("lie %d: %g K from %v for %v: want a number, a time and a positive length", i, l.Kelvin, l.At, l.For)
		}
	}
	return nil
}

// sense is a sensor in use. It is read once a second.
type sense struct {
	Sensor
	step   float64 // resolution in kelvin
	random *rand.Rand
	lagged []float64 // true temperatures, the oldest at second % len
	second int
	stuck  float64
	lost   int // seconds for which readings stay unknown
	last   telemetry.Snapshot
}

func newSense(s Sensor, stepKelvin float64, r *rand.Rand) sense {
	if s.DropoutFor < time.Second {
		s.DropoutFor = time.Second
	}
	return sense{Sensor: s, step: stepKelvin, random: r, lagged: make([]float64, int(s.Lag/time.Second)+1)}
}

// celsius is what the thermometer says of a true temperature, now.
func (s *sense) celsius(now float64) float64 {
	n := len(s.lagged)
	if s.second == 0 {
		for i := range s.lagged {
			s.lagged[i] = now
		}
	}
	s.lagged[s.second%n] = now
	told := s.lagged[(s.second+1)%n]
	if s.NoiseKelvin > 0 {
		told += s.NoiseKelvin * s.random.NormFloat64()
	}
	at := time.Duration(s.second) * time.Second
	lying := false
	for _, l := range s.Lies {
		if at < l.At || at >= l.At+l.For {
			continue
		}
		told += l.Kelvin
		if l.Stuck {
			if at == l.At {
				s.stuck = told
			}
			told, lying = s.stuck, true
		}
	}
	if s.step > 0 && !lying {
		told = math.Round(told/s.step) * s.step
	}
	return told
}

// distort makes of a true snapshot what the sensors tell.
func (s *sense) distort(snapshot telemetry.Snapshot) telemetry.Snapshot {
	now := snapshot.Time
	truth, _ := snapshot.Heat.HottestCelsius.Get()
	told := s.celsius(truth)
	s.second++
	if s.lost == 0 && s.Dropout > 0 {
		// So often that the given share is lost in the mean.
		length := s.DropoutFor.Seconds()
		if s.random.Float64() < s.Dropout/((1-s.Dropout)*length) {
			s.lost = int(length)
		}
	}
	if s.lost > 0 {
		s.lost--
		return drop(snapshot, s.last)
	}
	limit, _ := snapshot.Heat.LimitCelsius.Get()
	snapshot.Heat.HottestCelsius = telemetry.Known(told, now)
	snapshot.Heat.MarginKelvin = telemetry.Known(limit-told, now)
	s.last = snapshot
	return snapshot
}

// drop makes what was known before unknown.
func drop(s, last telemetry.Snapshot) telemetry.Snapshot {
	const why = "simulated dropout"
	lose := func(r *telemetry.Reading[float64], before telemetry.Reading[float64]) {
		if _, known := r.Get(); known {
			*r = telemetry.Lost[float64](why, before.At())
		}
	}
	lose(&s.Heat.HottestCelsius, last.Heat.HottestCelsius)
	lose(&s.Heat.MarginKelvin, last.Heat.MarginKelvin)
	lose(&s.Power.Watts, last.Power.Watts)
	lose(&s.Power.BatteryWatts, last.Power.BatteryWatts)
	lose(&s.Power.ChargePercent, last.Power.ChargePercent)
	lose(&s.Load.CPUPercent, last.Load.CPUPercent)
	lose(&s.Load.OwnCPUPercent, last.Load.OwnCPUPercent)
	lose(&s.Load.OthersCPUPercent, last.Load.OthersCPUPercent)
	return s
}
