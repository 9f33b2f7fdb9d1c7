package governor

import (
	"fmt"
	"math"
	"time"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// PredictiveName is the name of the policy Predictive.
const PredictiveName = "predictive"

// PredictiveConfig sets a Predictive; a zero field takes its default.
type PredictiveConfig struct {
	// MarginKelvin is how far below the ceiling the plan stays; default 1. To it comes
	// NoiseSigmas (default 1.5) times the noise of the readings about the model.
	MarginKelvin float64 `json:"margin_kelvin" yaml:"margin_kelvin"`
	NoiseSigmas  float64 `json:"noise_sigmas" yaml:"noise_sigmas"`
	// Horizon is how far ahead the temperature is predicted; default 45 s.
	Horizon time.Duration `json:"horizon_ns" yaml:"horizon"`
	// Dwell is the least time between a change of the pair of rungs and one to a deeper pair; default 10 s.
	Dwell time.Duration `json:"dwell_ns" yaml:"dwell"`
	// Slice is half of the shortest time that a rung runs within a pair; default 2 s.
	Slice time.Duration `json:"slice_ns" yaml:"slice"`
	// SwitchCost is the busy time that a switch of the variant adds to the next frame; default 2 ms.
	SwitchCost time.Duration `json:"switch_cost_ns" yaml:"switch_cost"`
	// FlagHold is how long a throttle or under-voltage flag limits the drive; default 60 s.
	FlagHold time.Duration `json:"flag_hold_ns" yaml:"flag_hold"`
	// Grace is how long the model alone stands in for a temperature that is unknown; default 15 s.
	Grace time.Duration `json:"grace_ns" yaml:"grace"`
}

func (c PredictiveConfig) withDefaults() PredictiveConfig {
	t := turns{c.Dwell, c.Slice, c.SwitchCost, c.FlagHold, c.Grace}.withDefaults()
	c.Dwell, c.Slice, c.SwitchCost, c.FlagHold, c.Grace = t.dwell, t.slice, t.switchCost, t.flagHold, t.grace
	if c.Horizon == 0 {
		c.Horizon = 45 * time.Second
	}
	if c.MarginKelvin == 0 {
		c.MarginKelvin = 1
	}
	if c.NoiseSigmas == 0 {
		c.NoiseSigmas = 1.5
	}
	return c
}

// Predictive chooses the most accurate rungs that the board can afford for some
// time to come. Each concern turns its limit into a budget: the share of all
// cores that inference may use from now on (heat, battery, CPU share, flags) or
// the deepest rung (deadline, faults). The least budget is spent by Split.
type Predictive struct{ config PredictiveConfig }

// NewPredictive refuses settings that would not hold a limit or never act.
func NewPredictive(c PredictiveConfig) (Predictive, error) {
	c = c.withDefaults()
	bad := func(format string, args ...any) (Predictive, error) {
		return Predictive{}, fmt.Errorf("governor: policy: predictive: "+format, args...)
	}
	switch {
	case !(c.MarginKelvin > 0 && c.MarginKelvin <= 20):
		return bad("margin %g K: want more than 0 and at most 20", c.MarginKelvin)
	case !(c.NoiseSigmas >= 0 && c.NoiseSigmas <= 6):
		return bad("%g sigmas of noise: want 0 to 6", c.NoiseSigmas)
	case c.Horizon < leastHorizon || c.Horizon > time.Hour:
		return bad("horizon %v: want %v to 1h (depth swings where its first sixteenth is over before the next step)", c.Horizon, leastHorizon)
	}
	if err := (turns{c.Dwell, c.Slice, c.SwitchCost, c.FlagHold, c.Grace}).validate(); err != nil {
		return bad("%w", err)
	}
	return Predictive{c}, nil
}

// Name is "predictive".
func (Predictive) Name() string { return PredictiveName }

// Spec names every setting.
func (p Predictive) Spec() Spec { return Spec{Name: PredictiveName, Predictive: &p.config} }

// Step predicts, takes the least of the budgets and spends it.
func (p Predictive) Step(s State, in Input) (State, Decision) {
	var d Decision
	v := look(&s, in)
	b := openBudget(in)

	p.heat(&s, in, v, &b, &d.Terms)
	b.settle(&s, in, v, turns{p.config.Dwell, p.config.Slice, p.config.SwitchCost, p.config.FlagHold, p.config.Grace}, &d)
	return s, d
}

// heat plans with the model: the greatest drive that keeps the temperature below
// the ceiling by the margin, at every instant of the horizon.
//
// The gains of the decision are those learned until the step before, and this
// step's reading moves the offset alone, never down where it is higher: so a
// hotter reading that is believed never leads to a greater budget.
func (p Predictive) heat(s *State, in Input, v view, b *budget, t *Terms) {
	ceiling := in.Objectives.Ceiling(in.Snapshot.Heat.LimitCelsius)
	t.add("ceiling", ceiling, "°C")
	m := &s.Thermal
	if !m.Started {
		if v.heat.unknown != "" {
			b.lostHeat(v, in.Now.Sub(s.HeatLostAt), 0, false)
			return
		}
		m.begin(v.heat.celsius)
	}
	horizon := p.config.Horizon.Seconds()
	margin := p.config.MarginKelvin + float64(p.config.NoiseSigmas*min(math.Sqrt(m.Rough), mostRough)) + max(m.unsure(horizon)-sureKelvin, 0)
	offset := m.Theta[0]
	if v.heat.unknown == "" {
		y, _, _, gain := m.innovation(v.heat.celsius)
		offset += float64(max(gain[0], 0) * y)
		t.add("temperature", v.heat.celsius, "°C")
		t.add("surprise", y, "K")
	} else {
		lost := in.Now.Sub(s.HeatLostAt)
		margin += float64(lostKelvinPerSecond * lost.Seconds())
		b.lostHeat(v, lost, p.config.Grace, m.celsius() >= ceiling-lostHotKelvin)
	}
	ahead := m.predicted(offset, v.drive, horizon)
	t.add("model", m.celsius(), "°C")
	t.add("ahead", ahead, "°C")
	t.add("margin", margin, "K")
	t.add("lag", float64(lags[m.Lag]), "steps")
	t.add("gain die", m.Theta[1], "K")
	t.add("gain case", m.Theta[2]+m.Theta[3], "K")
	b.peak = m.affordable(offset, ceiling-float64(margin/2), peakSeconds) - v.others
	reason := func(why why, a, b, c float64) Reason { return Reason{why: why, value: [3]float64{a, b, c}} }
	// What gives way last, the rate or the depth, keeps half of the margin only.
	first, last := b.limitDepth, b.limitRate
	if in.Objectives.rateFirst() {
		first, last = last, first
	}
	all := m.affordable(offset, ceiling-margin, horizon) - v.others
	first(all, Heat, CauseHeat, reason(whyHeat, all, ceiling, horizon))
	all = m.affordable(offset, ceiling-float64(margin/2), horizon) - v.others
	last(all, Heat, CauseHeat, reason(whyHeat, all, ceiling, horizon))
	if w := s.Work; w.Burst >= leastBurst && w.BurstSeconds > 0 {
		// Others' work that came and went may come again: what gives way first leaves room for ours beside it.
		left := max(w.BurstSeconds-w.Bursting, 0)
		if w.Bursting > 0 {
			all = m.affordable(offset, ceiling-margin, max(left, horizon)) - v.others
		} else {
			all = m.affordableBefore(offset, ceiling-margin, horizon, v.others, left, max(w.Burst, v.others), burstShare)
		}
		first(all, Heat, CauseHeat, reason(whyBurst, all, 100*w.Burst, left))
	}
	if v.heat.unknown == "" && v.learnable {
		m.observe(v.heat.celsius, v.seconds)
	}
}

// leastHorizon has its first instant, a sixteenth of it, no nearer than the next step.
const leastHorizon = 16 * time.Second

const (
	// What a board without a reading may have become hotter than its model, and how
	// near to the ceiling it counts as hot.
	lostKelvinPerSecond = 0.1
	lostHotKelvin       = 10
	// A turn of the upper rung ends when it would come half the margin near within so much time.
	peakSeconds = 2.5
	// The margin grows by what gains that are not learned yet may add to the rise, beyond this.
	sureKelvin = 1
	// No noise makes the margin larger than by so much for each sigma.
	mostRough = 1.5
	// The share of inference that is to be kept up while others work.
	burstShare = 0.3
)

// checkLadder refuses a ladder that is too long to be learned.
func checkLadder(p profile.Profile) error {
	if len(p.Rungs) > maxRungs {
		return fmt.Errorf("governor: the ladder has %d rungs, want at most %d (drop variants from the bundle)", len(p.Rungs), maxRungs)
	}
	return nil
}
