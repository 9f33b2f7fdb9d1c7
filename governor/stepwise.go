package governor

import (
	"fmt"
	"time"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// StepwiseName is the name of the policy Stepwise.
const StepwiseName = "step-wise"

// StepwiseConfig sets a Stepwise; a zero field takes its default.
type StepwiseConfig struct {
	// MarginKelvin is how far below the ceiling it gets hot, so that a step has an
	// effect before the ceiling is reached; default 1.
	MarginKelvin float64 `json:"margin_kelvin" yaml:"margin_kelvin"`
	// BandKelvin is the height of the hysteresis band below hot; default 4. It must
	// exceed what one rung changes within Settle (the silicon itself: about 7 K from
	// idle to full load), or the depth swings between two rungs.
	BandKelvin float64 `json:"band_kelvin" yaml:"band_kelvin"`
	// Settle is the least time between a change and a step shallower; default 3 s,
	// the time constant of the silicon.
	Settle time.Duration `json:"settle_ns" yaml:"settle"`
	// Dwell is the least time between a change and a step deeper; default 10 s.
	Dwell time.Duration `json:"dwell_ns" yaml:"dwell"`
	// FlagHold is how long it does not go deeper after a throttle or under-voltage flag; default 60 s.
	FlagHold time.Duration `json:"flag_hold_ns" yaml:"flag_hold"`
	// Grace is how long the temperature may be unknown before it steps shallower; default 10 s.
	Grace time.Duration `json:"grace_ns" yaml:"grace"`
	// MaxStretches is how many times the frame period may be stretched by half;
	// default 4, which makes it 5.06 times as long.
	MaxStretches int `json:"max_stretches" yaml:"max_stretches"`
}

// stretch is by how much one step lengthens the frame period.
const stretch = 1.5

func (c StepwiseConfig) withDefaults() StepwiseConfig {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if c.MarginKelvin == 0 {
		c.MarginKelvin = 1
	}
	if c.BandKelvin == 0 {
		c.BandKelvin = 4
	}
	def(&c.Settle, 3*time.Second)
	def(&c.Dwell, 10*time.Second)
	def(&c.FlagHold, time.Minute)
	def(&c.Grace, 10*time.Second)
	if c.MaxStretches == 0 {
		c.MaxStretches = 4
	}
	return c
}

// Stepwise moves one rung at a time, after the kernel's step_wise governor: it
// looks at where the temperature is and where it goes, and never further ahead.
type Stepwise struct{ config StepwiseConfig }

// NewStepwise refuses settings that would swing or never act.
func NewStepwise(c StepwiseConfig) (Stepwise, error) {
	c = c.withDefaults()
	switch {
	case !(c.MarginKelvin > 0 && c.MarginKelvin <= 20):
		return Stepwise{}, fmt.Errorf("governor: policy: step_wise: margin %g K: want more than 0 and at most 20", c.MarginKelvin)
	case !(c.BandKelvin >= 1 && c.BandKelvin <= 40):
		return Stepwise{}, fmt.Errorf("governor: policy: step_wise: band %g K: want 1 to 40 (a narrower one swings with every reading)", c.BandKelvin)
	case c.Settle < 0 || c.Grace < 0 || c.FlagHold < 0:
		return Stepwise{}, fmt.Errorf("governor: policy: step_wise: settle %v, grace %v, flag hold %v: want no negative time", c.Settle, c.Grace, c.FlagHold)
	case c.Dwell < c.Settle:
		return Stepwise{}, fmt.Errorf("governor: policy: step_wise: dwell %v is shorter than settle %v (going deeper must be the slower of the two)", c.Dwell, c.Settle)
	case c.MaxStretches < 1 || c.MaxStretches > 16:
		return Stepwise{}, fmt.Errorf("governor: policy: step_wise: %d stretches: want 1 to 16", c.MaxStretches)
	}
	return Stepwise{c}, nil
}

// Name is "step-wise".
func (Stepwise) Name() string { return StepwiseName }

// Spec names every setting.
func (p Stepwise) Spec() Spec { return Spec{Name: StepwiseName, Stepwise: &p.config} }

// Step asks each concern (votes.go) what it would do and does what the most
// cautious says, one rung at a time:
//
//	temperature              │ falling      │ steady       │ rising or not known
//	─────────────────────────┼──────────────┼──────────────┼────────────────────
//	at ceiling or above      │ shallower    │ shallower    │ shallower
//	hot:  from ceiling-margin│ hold         │ shallower    │ shallower
//	band: below that by band │ hold         │ hold         │ hold
//	cool: below the band     │ deeper       │ deeper       │ hold
//
//	temperature unknown      │ hold for Grace, then shallower down to the middle
//	                         │ (to the shallowest if it was hot or in the band)
//	throttled, under-voltage │ shallower; not deeper for FlagHold
//	those flags lost         │ not deeper
//	charge low, not charging │ the shallowest at once; charge unknown: shallower
//	                         │ down to the middle
//	latency over the period  │ shallower; not deeper unless 1.3 times the latency fits
//
// Shallower is a lower rung, and at the lowest a longer frame period; deeper
// takes the same way back, between the user's least and greatest depth. A step shallower waits Settle after the last change,
// a step deeper waits Dwell.
//
//	depth ▲  ◄─── deeper ────┐
//	      │                  │ hold        shallower ───►
//	      └──────────────────┴────────────┬───────────┬──► °C
//	                 ceiling-margin-band  ceiling-margin  ceiling
func (p Stepwise) Step(s State, in Input) (State, Decision) {
	s, h := learn(s, in)
	// Within, rungs count from the least depth that the user allows.
	least, greatest := in.Objectives.Range(in.Profile)
	in.Profile.Rungs = in.Profile.Rungs[least : max(least, greatest)+1]
	s.Rung -= least
	s = clampToLadder(s, in.Profile, p.config.MaxStretches)

	var t Terms
	t.heat(h)
	votes := []vote{
		p.heatVote(s, in, h, &t),
		p.flagVote(&s, in, &t),
		p.chargeVote(&s, in, &t),
		p.latencyVote(s, in, &t),
	}
	var reason string
	if s.Started {
		t.add("since change", in.Now.Sub(s.ChangedAt).Seconds(), "s")
		s, reason = p.move(s, in, mostCautious(votes))
	} else {
		v := leastStart(votes)
		s.Started, s.Rung, s.Stretches, s.ChangedAt = true, v.start, 0, in.Now
		reason = "first start: " + v.reason
	}
	variant := in.Profile.Rungs[s.Rung].Variant
	s.Rung += least
	t.rung(s)
	return s, Decision{
		Variant:     variant,
		FramePeriod: stretched(in.Objectives.FramePeriod(), s.Stretches),
		Pair:        [2]int{s.Rung, s.Rung},
		Reason:      Say(reason),
		Terms:       t,
	}
}

// move carries out a vote as far as the waiting times and the ends of the ladder allow.
func (p Stepwise) move(s State, in Input, v vote) (State, string) {
	waited := in.Now.Sub(s.ChangedAt)
	rung, stretches := s.Rung, s.Stretches
	did := ""
	switch v.want {
	case shallowest:
		rung, did = 0, "to the shallowest"
	case shallower:
		if waited < p.config.Settle {
			return s, v.reason + fmt.Sprintf("; holds %v after the last change", p.config.Settle)
		}
		switch {
		case rung > 0:
			rung, did = rung-1, "one rung shallower"
		case stretches < p.config.MaxStretches:
			stretches, did = stretches+1, "shallowest already, so the frame period grows by half"
		default:
			return s, v.reason + "; already at the shallowest rung and the longest frame period"
		}
	case deeper:
		if waited < p.config.Dwell {
			return s, v.reason + fmt.Sprintf("; holds %v after the last change", p.config.Dwell)
		}
		switch {
		case stretches > 0:
			stretches, did = stretches-1, "the frame period shrinks by a third"
		case rung < len(in.Profile.Rungs)-1:
			rung, did = rung+1, "one rung deeper"
		default:
			return s, v.reason + "; already at the deepest"
		}
	}
	if rung == s.Rung && stretches == s.Stretches {
		return s, v.reason
	}
	s.Rung, s.Stretches, s.ChangedAt = rung, stretches, in.Now
	return s, v.reason + "; " + did
}

// clampToLadder makes a state fit a ladder and limits that it may not stem from.
func clampToLadder(s State, p profile.Profile, maxStretches int) State {
	s.Rung = min(max(s.Rung, 0), len(p.Rungs)-1)
	s.Stretches = min(max(s.Stretches, 0), maxStretches)
	return s
}

// stretched is a frame period after a number of stretches.
func stretched(period time.Duration, stretches int) time.Duration {
	d := float64(period)
	for range stretches {
		d *= stretch
	}
	return time.Duration(d)
}
