package governor

import (
	"fmt"
	"time"
)

// PowerBudgetName is the name of the policy PowerBudget.
const PowerBudgetName = "power-budget"

// PowerBudgetConfig sets a PowerBudget; a zero field takes its default. A budget
// is a share of all cores, which heat follows.
type PowerBudgetConfig struct {
	// MarginKelvin is how far below the ceiling the target lies; default 1.5.
	MarginKelvin float64 `json:"margin_kelvin" yaml:"margin_kelvin"`
	// SwitchOnKelvin is how far below the target control begins; below that nothing
	// is limited. Default 10.
	SwitchOnKelvin float64 `json:"switch_on_kelvin" yaml:"switch_on_kelvin"`
	// Sustainable is the budget that keeps the board at the target, the feed-forward; default 0.5.
	Sustainable float64 `json:"sustainable" yaml:"sustainable"`
	// The gains, in shares per kelvin: of the error above the target (default
	// Sustainable / SwitchOnKelvin) and below it (twice that), of its integral (a tenth
	// of the latter, per second) and of its rise in K/s (0).
	OverGain     float64 `json:"over_gain" yaml:"over_gain"`
	UnderGain    float64 `json:"under_gain" yaml:"under_gain"`
	IntegralGain float64 `json:"integral_gain" yaml:"integral_gain"`
	RiseGain     float64 `json:"rise_gain" yaml:"rise_gain"`
	// CutoffKelvin is below which error the integral grows; default 5.
	CutoffKelvin float64 `json:"cutoff_kelvin" yaml:"cutoff_kelvin"`
	// Dwell, Slice, SwitchCost, FlagHold and Grace are those of PredictiveConfig.
	Dwell      time.Duration `json:"dwell_ns" yaml:"dwell"`
	Slice      time.Duration `json:"slice_ns" yaml:"slice"`
	SwitchCost time.Duration `json:"switch_cost_ns" yaml:"switch_cost"`
	FlagHold   time.Duration `json:"flag_hold_ns" yaml:"flag_hold"`
	Grace      time.Duration `json:"grace_ns" yaml:"grace"`
}

// PID is the memory of PowerBudget.
type PID struct {
	// Integral is the part of the budget that the integral gives, and Budget the last one.
	Integral float64 `json:"integral"`
	Budget   float64 `json:"budget"`
	On       bool    `json:"on"`
}

func (c PowerBudgetConfig) withDefaults() PowerBudgetConfig {
	def := func(v *float64, value float64) {
		if *v == 0 {
			*v = value
		}
	}
	def(&c.MarginKelvin, 1.5)
	def(&c.SwitchOnKelvin, 10)
	def(&c.Sustainable, 0.5)
	def(&c.OverGain, c.Sustainable/c.SwitchOnKelvin)
	def(&c.UnderGain, 2*c.OverGain)
	def(&c.IntegralGain, c.UnderGain/10)
	def(&c.CutoffKelvin, 5)
	t := turns{c.Dwell, c.Slice, c.SwitchCost, c.FlagHold, c.Grace}.withDefaults()
	c.Dwell, c.Slice, c.SwitchCost, c.FlagHold, c.Grace = t.dwell, t.slice, t.switchCost, t.flagHold, t.grace
	return c
}

// PowerBudget holds a temperature with a PID controller, after the kernel's
// power_allocator: it turns the distance to the target into a budget and spends
// that on the ladder. It learns latencies and power as Predictive does, but no
// thermal model: its gains have to fit the board.
type PowerBudget struct{ config PowerBudgetConfig }

// NewPowerBudget refuses settings that would not control.
func NewPowerBudget(c PowerBudgetConfig) (PowerBudget, error) {
	c = c.withDefaults()
	bad := func(format string, args ...any) (PowerBudget, error) {
		return PowerBudget{}, fmt.Errorf("governor: policy: power_budget: "+format, args...)
	}
	switch {
	case !(c.MarginKelvin > 0 && c.MarginKelvin <= 20):
		return bad("margin %g K: want more than 0 and at most 20", c.MarginKelvin)
	case !(c.SwitchOnKelvin >= 1 && c.SwitchOnKelvin <= 60):
		return bad("switch on %g K below the target: want 1 to 60", c.SwitchOnKelvin)
	case !(c.Sustainable > 0 && c.Sustainable <= 1):
		return bad("sustainable budget %g: want a share of all cores", c.Sustainable)
	case !(c.CutoffKelvin > 0 && c.CutoffKelvin <= 60):
		return bad("cutoff %g K: want more than 0 and at most 60", c.CutoffKelvin)
	}
	for _, gain := range []float64{c.OverGain, c.UnderGain, c.IntegralGain, c.RiseGain} {
		if !(gain >= 0 && gain <= 10) {
			return bad("gain %g: want 0 to 10", gain)
		}
	}
	if err := (turns{c.Dwell, c.Slice, c.SwitchCost, c.FlagHold, c.Grace}).validate(); err != nil {
		return bad("%w", err)
	}
	return PowerBudget{c}, nil
}

// Name is "power-budget".
func (PowerBudget) Name() string { return PowerBudgetName }

// Spec names every setting.
func (p PowerBudget) Spec() Spec { return Spec{Name: PowerBudgetName, PowerBudget: &p.config} }

// Step controls the temperature and spends the least of the budgets.
func (p PowerBudget) Step(s State, in Input) (State, Decision) {
	var d Decision
	v := look(&s, in)
	b := openBudget(in)

	p.heat(&s, in, v, &b, &d.Terms)
	b.settle(&s, in, v, turns{p.config.Dwell, p.config.Slice, p.config.SwitchCost, p.config.FlagHold, p.config.Grace}, &d)
	return s, d
}

// heat is the controller:
//
//	error = target - T
//	budget = sustainable + gain(error)·error + integral - rise gain·dT/dt, in [0, 1]
//
// The integral stands still while the error exceeds the cutoff and while the
// budget is at the end to which it would push (anti-windup). Below the switch-on
// temperature nothing is limited and the integral is forgotten.
func (p PowerBudget) heat(s *State, in Input, v view, b *budget, t *Terms) {
	c := p.config
	ceiling := in.Objectives.Ceiling(in.Snapshot.Heat.LimitCelsius)
	target := ceiling - c.MarginKelvin
	t.add("ceiling", ceiling, "°C")
	if v.heat.unknown != "" {
		lost := in.Now.Sub(s.HeatLostAt)
		hot := s.LastHeatAt.IsZero() || s.LastCelsius >= target-c.SwitchOnKelvin
		b.lostHeat(v, lost, c.Grace, hot && !s.LastHeatAt.IsZero())
		if s.PID.On {
			b.limit(s.PID.Budget-v.others, Heat, CauseHeat, Reason{why: whyNoTemperature, word: v.heat.unknown, value: [3]float64{lost.Seconds()}})
		}
		return
	}
	off := target - v.heat.celsius
	t.heat(v.heat)
	t.add("error", off, "K")
	if off > c.SwitchOnKelvin {
		s.PID = PID{}
		return
	}
	gain := c.UnderGain
	if off < 0 {
		gain = c.OverGain
	}
	fixed := c.Sustainable + float64(gain*off)
	if v.heat.trendKnown {
		fixed -= float64(c.RiseGain * v.heat.trend)
	}
	step := float64(c.IntegralGain * off * v.seconds)
	raw := fixed + s.PID.Integral
	if saturated := raw >= 1 && step > 0 || raw <= 0 && step < 0; off < c.CutoffKelvin && !saturated {
		s.PID.Integral = min(max(s.PID.Integral+step, -1), 1)
		raw = fixed + s.PID.Integral
	}
	s.PID.On, s.PID.Budget = true, min(max(raw, 0), 1)
	t.add("integral", s.PID.Integral, "")
	b.limit(s.PID.Budget-v.others, Heat, CauseHeat, Reason{why: whyPID, value: [3]float64{off, s.PID.Budget}})
}
