package daemon

import (
	"math"
	"reflect"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/daemon/mqtt"
	"github.com/fathom-edge/fathom/governor"
)

// report is what the broker was told last.
type report struct {
	to    *mqtt.Client // another one knows nothing yet
	at    time.Time
	state mqtt.State
	info  mqtt.Info
}

// report tells the broker how it is: at once where something changed that a person
// would see, otherwise as often as configured.
func (o *outputs) report(last *report, to *receivers, now time.Time) {
	if last.to != to.mqtt {
		*last = report{to: to.mqtt}
	}
	s := o.monitor.State()
	info := o.info(s, last.info.Battery)
	if !reflect.DeepEqual(info, last.info) {
		last.info = info
		o.monitor.Condition(partMQTT+" discovery", to.mqtt.Describe(info))
	}
	state := stateFor(s, o.watches.Present())
	if now.Sub(last.at) < to.broker.Every && reflect.DeepEqual(seen(state), seen(last.state)) {
		return
	}
	last.at, last.state = now, state
	_ = to.mqtt.Tell(state, mqtt.Problems{Reasons: s.Health.Reasons}) // plain values, which always become JSON
}

// seen is the part of a state whose change is told at once.
func seen(s mqtt.State) mqtt.State {
	return mqtt.State{Class: s.Class, Present: s.Present, Depth: s.Depth, Problem: s.Problem}
}

// stateFor rounds to what a sensor knows, so that noise is no news.
func stateFor(s State, present []string) mqtt.State {
	m := mqtt.State{Present: present, Problem: s.Health.Status != HealthOK, Simulated: s.Simulated != nil}
	if s.Frame != nil && !s.Health.Stale && !s.Paused {
		m.Class, m.Confidence = &s.Frame.Label, rounded(100*s.Frame.Probability, 1)
		m.LatencyMS = rounded(s.Frame.LatencyMS, 0.1)
	}
	if s.Active >= 0 {
		m.Depth = &s.Ladder[s.Active].Variant
	}
	if s.Decision != nil && s.Decision.FramePeriod > 0 && !s.Paused {
		m.FPS = rounded(1/s.Decision.FramePeriod.Seconds(), 0.01)
	}
	if s.Board != nil {
		m.Celsius = reading(s.Board.Heat.HottestCelsius, 0.1)
		m.Battery = reading(s.Board.Power.ChargePercent, 1)
	}
	return m
}

func rounded(v, step float64) *float64 {
	perUnit := math.Round(1 / step) // 0.1 itself is no binary number
	return new(math.Round(v*perUnit) / perUnit)
}

func reading(r telemetry.Reading[float64], step float64) *float64 {
	if v, known := r.Get(); known {
		return rounded(v, step)
	}
	return nil
}

// info describes the device. A battery that was seen once stays one.
func (o *outputs) info(s State, battery bool) mqtt.Info {
	i := mqtt.Info{Battery: battery, Software: o.version, Policies: governor.Policies()}
	for _, r := range s.Ladder {
		i.Variants = append(i.Variants, r.Variant)
	}
	if s.Board != nil {
		i.Model = s.Board.Board
		if _, known := s.Board.Power.ChargePercent.Get(); known {
			i.Battery = true
		}
	}
	return i
}
