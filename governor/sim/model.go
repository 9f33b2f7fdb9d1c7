// Package sim stands in for a board: thermal models heated by work, firmware
// that throttles, fans, batteries, sensors that err. The real governor runs on
// it in two ways. A Board is a telemetry.Source for a daemon, heated by work that
// was really done (the demo). A Case is a board, a trace of what happens to it
// and a seed; Case.Run steps the control loop through it on simulated time, and
// Case.Bound is what nobody can exceed who knows the trace in advance.
//
// Words: utilisation is the share of a simulated second in which the simulated
// board works, in [0, 1]; the drive is utilisation times relative clock, and
// heat and power follow it. A trace is a spec file (see Trace); its seed draws
// what the spec leaves open. Utility is the accuracy over every requested frame,
// where one that was dropped or came late counts as wrong. A Board may be used
// by any goroutine; models, traces and cases are values that nobody changes.
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
//	T = Idle + (ambient - Ambient) + Σ xᵢ
//	dxᵢ/dt = (Gainᵢ · (drive + leak(T)) - xᵢ) / τᵢ
//	leak(T) = Leakage.Share · (exp((T - Idle) / Leakage.Kelvin) - 1)
//
// A fan divides Gain and τ of all poles but the first, the die, by 1 + Cooling · duty.
type BoardModel struct {
	Name string
	// IdleCelsius is the temperature after a long time without work, in air of AmbientCelsius.
	IdleCelsius    float64
	AmbientCelsius float64
	Poles          []Pole // the die first
	Leakage        Leakage
	Fan            *Fan // nil for none

	// Firmware is the clock that the firmware allows, as a share of the full one, by
	// temperature: linear between the points, which rise in temperature. The first
	// has the full clock and is the limit that the board tells.
	Firmware   []ClockPoint
	ClockHertz float64 // the full clock, which is also what the kernel reports

	IdleWatts, FullWatts float64
	// TellsPower and TellsThrottling say whether the board measures what it draws and reports its throttle flags.
	TellsPower, TellsThrottling bool
	// SensorStepKelvin is the resolution of its thermometer.
	SensorStepKelvin float64
	// Throughput is what the real board does on all cores in float32.
	Throughput profile.MACsPerSecond
}

// Leakage is power that silicon draws for being warm, as a share of what full
// drive adds to idle. It is no part of what a governor knows.
type Leakage struct {
	Share  float64 // at the idle temperature
	Kelvin float64 // in which it grows e-fold
}

// Fan blows at one of a few levels, each from a temperature on until it is
// HysteresisKelvin below.
type Fan struct {
	Levels           []FanLevel // rising
	HysteresisKelvin float64
	Cooling          float64
	Watts            float64 // at full duty
}

// FanLevel is one step of a fan's curve.
type FanLevel struct {
	OnCelsius float64
	Duty      float64 // in (0, 1]
}

// ClockPoint is one point of a firmware's throttling.
type ClockPoint struct{ Celsius, Clock float64 }

const maxPoles = 4

func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// Validate says what makes a model impossible.
func (m BoardModel) Validate() error {
	if !finite(m.IdleCelsius, m.AmbientCelsius) || len(m.Poles) == 0 || len(m.Poles) > maxPoles {
		return fmt.Errorf("sim: %s: needs an idle temperature and one to %d poles", m.Name, maxPoles)
	}
	for i, p := range m.Poles {
		if !finite(p.GainKelvin) || p.GainKelvin < 0 || p.Tau <= 0 {
			return fmt.Errorf("sim: %s: pole %d: %g K in %v, want a gain of at least 0 and a positive time", m.Name, i, p.GainKelvin, p.Tau)
		}
	}
	if l := m.Leakage; !(l.Share >= 0 && l.Share < 1) || l.Share > 0 && !(l.Kelvin >= 5 && finite(l.Kelvin)) {
		return fmt.Errorf("sim: %s: leakage of %g growing e-fold in %g K, want a share below 1 and at least 5 K", m.Name, l.Share, l.Kelvin)
	}
	if f := m.Fan; f != nil {
		if !(f.HysteresisKelvin >= 0 && f.Cooling >= 0 && f.Watts >= 0) || !finite(f.HysteresisKelvin, f.Cooling, f.Watts) {
			return fmt.Errorf("sim: %s: fan with a hysteresis of %g K, cooling %g, %g W: want no negative ones", m.Name, f.HysteresisKelvin, f.Cooling, f.Watts)
		}
		for i, l := range f.Levels {
			if !finite(l.OnCelsius) || !(l.Duty > 0 && l.Duty <= 1) || i > 0 && (l.OnCelsius <= f.Levels[i-1].OnCelsius || l.Duty <= f.Levels[i-1].Duty) {
				return fmt.Errorf("sim: %s: fan level %d: %g from %g °C, want rising duties up to 1 at rising temperatures", m.Name, i, l.Duty, l.OnCelsius)
			}
		}
	}
	if len(m.Firmware) < 2 || m.Firmware[0].Clock != 1 {
		return fmt.Errorf("sim: %s: throttling needs two points at least, the first with the full clock", m.Name)
	}
	for i, p := range m.Firmware {
		if !finite(p.Celsius) || !(p.Clock > 0 && p.Clock <= 1) || i > 0 && (p.Celsius <= m.Firmware[i-1].Celsius || p.Clock > m.Firmware[i-1].Clock) {
			return fmt.Errorf("sim: %s: throttling to %g at %g °C, want clocks that fall within (0, 1] at rising temperatures", m.Name, p.Clock, p.Celsius)
		}
	}
	if !(m.IdleWatts >= 0 && m.FullWatts >= m.IdleWatts) || !finite(m.FullWatts) {
		return fmt.Errorf("sim: %s: %g to %g W, want a range from 0 up", m.Name, m.IdleWatts, m.FullWatts)
	}
	if !(m.SensorStepKelvin >= 0) || !finite(m.SensorStepKelvin) {
		return fmt.Errorf("sim: %s: sensor steps of %g K, want no negative ones", m.Name, m.SensorStepKelvin)
	}
	return nil
}

// LimitCelsius is where the firmware begins to throttle.
func (m BoardModel) LimitCelsius() float64 { return m.Firmware[0].Celsius }

// clock is the share of the full clock that the firmware allows.
func (m BoardModel) clock(celsius float64) float64 {
	before := m.Firmware[0]
	for _, p := range m.Firmware {
		if celsius < p.Celsius {
			if before.Celsius == p.Celsius { // below the first
				return before.Clock
			}
			return before.Clock + (p.Clock-before.Clock)*(celsius-before.Celsius)/(p.Celsius-before.Celsius)
		}
		before = p
	}
	return before.Clock
}

// leak is the drive that leakage amounts to.
func (m BoardModel) leak(celsius float64) float64 {
	if m.Leakage.Share == 0 {
		return 0
	}
	// No silicon lives at ten e-folds.
	return m.Leakage.Share * (math.Exp(min((celsius-m.IdleCelsius)/m.Leakage.Kelvin, 10)) - 1)
}

// watts is what the board draws, without its fan.
func (m BoardModel) watts(drive, celsius float64) float64 {
	return m.IdleWatts + (m.FullWatts-m.IdleWatts)*(drive+m.leak(celsius))
}

// fullCelsius is where full drive leads with a fan that blows at the given duty, without throttling.
func (m BoardModel) fullCelsius(duty float64) float64 {
	celsius := m.IdleCelsius
	for range 200 { // converges while leakage does not run away
		gain := 0.
		for i, p := range m.Poles {
			gain += p.GainKelvin / m.cooled(i, duty)
		}
		celsius = m.IdleCelsius + gain*(1+m.leak(celsius))
	}
	return celsius
}

// cooled is by how much a fan divides a pole's gain and time constant.
func (m BoardModel) cooled(pole int, duty float64) float64 {
	if m.Fan == nil || pole == 0 {
		return 1
	}
	return 1 + m.Fan.Cooling*duty
}

// leaking adds leakage to a model that was fitted without: the gains shrink so
// that full drive without a fan leads where it did.
func (m BoardModel) leaking(l Leakage) BoardModel {
	full := m.fullCelsius(0)
	m.Leakage = l
	scale := 1 / (1 + m.leak(full))
	poles := make([]Pole, len(m.Poles))
	for i, p := range m.Poles {
		poles[i] = Pole{p.GainKelvin * scale, p.Tau}
	}
	m.Poles = poles
	return m
}
