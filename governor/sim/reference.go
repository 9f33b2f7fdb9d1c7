package sim

import (
	"math"
	"time"
)

// Reference is one published measurement of a board that a preset stands for.
type Reference struct {
	Preset string
	Source string
	// Load is the share of all cores that begins at once on an idle board.
	Load float64
	// Points are what was measured: by how much the temperature rose, after how long.
	Points []ReferencePoint
}

// ReferencePoint is a rise at a time.
type ReferencePoint struct {
	After      time.Duration
	RiseKelvin float64
}

// References are the measurements that the presets were derived from, and others
// of the same boards. Curves are given by the fits of the logs that Presets names.
func References() []Reference {
	always := 2 * time.Hour
	return []Reference{
		{"pi-zero-2-w-case", "picockpit.com, official case, 35 % of load", 0.35, []ReferencePoint{{always, 15}}},
		{"pi-zero-2-w-case", "picockpit.com, official case, all cores", 1, []ReferencePoint{{always, 35}}},
		{"pi-zero-2-w-case", "scruss.com, from 47 to 80 °C in 3.5 min", 1, []ReferencePoint{{210 * time.Second, 33}}},
		{"pi-zero-2-w-case", "scruss.com, two of four cores", 0.5, []ReferencePoint{{200 * time.Minute, 26}}},
		// Up to where the measured board throttled.
		{"pi3-solid-case", "sjchiass/pitemp, solid top", 1, fitted(150*time.Second, Pole{6.9, 1900 * time.Millisecond}, Pole{15.1, 56 * time.Second}, Pole{17.7, 490 * time.Second})},
		{"pi3b-plus-fan", "sbc-bench 1isD, two poles", 1, fitted(10*time.Minute, Pole{6.8, 5 * time.Second}, Pole{7.9, 114 * time.Second})},
		{"pi3b-plus-fan", "sbc-bench 1isD, one pole", 1, fitted(5*time.Minute, Pole{11.8, 51 * time.Second})},
		{"pi4-bare", "sbc-bench 3F9C, one pole", 1, fitted(10*time.Minute, Pole{21.2, 158 * time.Second})},
		{"pi4-bare", "sbc-bench 3OBF, one pole", 1, fitted(10*time.Minute, Pole{25.1, 223 * time.Second})},
		{"pi5-cooler", "sbc-bench 8-NK, two poles", 1, fitted(5*time.Minute, Pole{12.8, 14 * time.Second}, Pole{1.5, 30 * time.Second})},
		{"pi5-cooler", "sbc-bench Au3jaA, one pole", 1, fitted(10*time.Minute, Pole{12.9, 90 * time.Second})},
		{"jetson-nano", "sbc-bench 4rLX, two poles", 1, fitted(10*time.Minute, Pole{2.5, time.Second}, Pole{22.6, 437 * time.Second})},
		{"jetson-nano", "sbc-bench 4rLX, one pole", 1, fitted(10*time.Minute, Pole{17.9, 177 * time.Second})},
		{"orin-nano", "sbc-bench 4vy7, one pole", 1, fitted(5*time.Minute, Pole{4.4, 41 * time.Second})},
	}
}

// fitted samples a published fit at 40 instants.
func fitted(until time.Duration, poles ...Pole) []ReferencePoint {
	const n = 40
	var points []ReferencePoint
	for i := 1; i <= n; i++ {
		at := until * time.Duration(i) / n
		rise := 0.
		for _, p := range poles {
			rise += p.GainKelvin * (1 - math.Exp(-at.Seconds()/p.Tau.Seconds()))
		}
		points = append(points, ReferencePoint{at, rise})
	}
	return points
}

// RMS is by how many kelvin the preset differs from the points, as a root mean square.
func (r Reference) RMS() (float64, error) {
	preset, err := FindPreset(r.Preset)
	if err != nil {
		return 0, err
	}
	m := preset.Model()
	heat := newThermal(m)
	const step = 100 * time.Millisecond
	at, sum := time.Duration(0), 0.
	for _, p := range r.Points {
		for ; at < p.After; at += step {
			heat.advance(step, r.Load*m.clock(heat.celsius(m.AmbientCelsius)), m.AmbientCelsius)
		}
		off := heat.celsius(m.AmbientCelsius) - m.IdleCelsius - p.RiseKelvin
		sum += off * off
	}
	return math.Sqrt(sum / float64(len(r.Points))), nil
}
