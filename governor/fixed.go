package governor

import (
	"fmt"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// FixedName is the name of the policy Fixed.
const FixedName = "fixed"

// Fixed runs one variant at the wanted frame period whatever the board says.
// It is for measuring and comparing: it lets a board throttle or run empty.
type Fixed struct{ variant string }

// NewFixed refuses a variant that the ladder does not have.
func NewFixed(p profile.Profile, variant string) (Fixed, error) {
	if _, ok := p.Index(variant); !ok {
		return Fixed{}, fmt.Errorf("governor: fixed: the ladder has no variant %q (it has %s; a variant that is no more accurate than a cheaper one is not on it)", variant, variants(p))
	}
	return Fixed{variant}, nil
}

// Name is "fixed".
func (Fixed) Name() string { return FixedName }

// Spec names the variant.
func (f Fixed) Spec() Spec { return Spec{Name: FixedName, Variant: f.variant} }

// Step always decides for the same variant. In a ladder that lost the variant
// it runs the shallowest and says so.
func (f Fixed) Step(s State, in Input) (State, Decision) {
	s, h := learn(s, in)
	rung, ok := in.Profile.Index(f.variant)
	reason := f.variant + " is set by hand"
	if !ok {
		reason = fmt.Sprintf("%s is set by hand, but not in this ladder: the shallowest runs", f.variant)
	}
	if !s.Started || s.Rung != rung || s.Stretches != 0 {
		s.ChangedAt = in.Now
	}
	s.Started, s.Rung, s.Stretches = true, rung, 0
	var t Terms
	t.heat(h)
	t.add("latency", milliseconds(s.predicted(in, rung)), "ms")
	t.rung(s)
	return s, Decision{Variant: in.Profile.Rungs[rung].Variant, FramePeriod: in.Objectives.FramePeriod(), Pair: [2]int{rung, rung}, Reason: Say(reason), Terms: t}
}
