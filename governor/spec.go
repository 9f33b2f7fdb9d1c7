package governor

import (
	"fmt"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// Spec describes a policy: what a configuration file, a page or a log line says of it.
type Spec struct {
	Name string `json:"name" yaml:"kind"` // one of Policies
	// Variant is for fixed: the variant that runs; empty means the deepest.
	Variant string `json:"variant,omitempty" yaml:"variant"`
	// Stepwise is for step-wise; nil takes the defaults.
	Stepwise *StepwiseConfig `json:"step_wise,omitempty" yaml:"step_wise"`
	// PowerBudget is for power-budget; nil takes the defaults.
	PowerBudget *PowerBudgetConfig `json:"power_budget,omitempty" yaml:"power_budget"`
	// Predictive is for predictive; nil takes the defaults.
	Predictive *PredictiveConfig `json:"predictive,omitempty" yaml:"predictive"`
}

// Policies lists the names of all policies, the default first.
func Policies() []string { return []string{PredictiveName, PowerBudgetName, StepwiseName, FixedName} }

// Validate says what is wrong with a spec, as far as that does not depend on the ladder.
func (s Spec) Validate() error {
	_, err := s.build()
	return err
}

// build makes the policy; the variant of fixed is not looked for.
func (s Spec) build() (Policy, error) {
	switch {
	case s.Variant != "" && s.Name != FixedName:
		return nil, fmt.Errorf("governor: policy: variant: only the policy %s runs one variant (set kind: %s or drop it)", FixedName, FixedName)
	case s.Stepwise != nil && s.Name != StepwiseName:
		return nil, s.misplaced("step_wise", StepwiseName)
	case s.PowerBudget != nil && s.Name != PowerBudgetName:
		return nil, s.misplaced("power_budget", PowerBudgetName)
	case s.Predictive != nil && s.Name != PredictiveName:
		return nil, s.misplaced("predictive", PredictiveName)
	}
	switch s.Name {
	case FixedName:
		return Fixed{s.Variant}, nil
	case StepwiseName:
		return NewStepwise(orZero(s.Stepwise))
	case PowerBudgetName:
		return NewPowerBudget(orZero(s.PowerBudget))
	case PredictiveName:
		return NewPredictive(orZero(s.Predictive))
	}
	return nil, fmt.Errorf("governor: policy: kind: %q is none of %v", s.Name, Policies())
}

func (s Spec) misplaced(settings, name string) error {
	return fmt.Errorf("governor: policy: %s: the settings are for the policy %s, and this is %s (set kind: %s or drop them)", settings, name, s.Name, name)
}

func orZero[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// New builds the policy that a spec describes for a ladder.
func New(s Spec, p profile.Profile) (Policy, error) {
	policy, err := s.build()
	if err != nil {
		return nil, err
	}
	if s.Name == FixedName {
		if s.Variant == "" && len(p.Rungs) > 0 {
			s.Variant = p.Rungs[len(p.Rungs)-1].Variant
		}
		return NewFixed(p, s.Variant)
	}
	if s.Name != StepwiseName {
		return policy, checkLadder(p)
	}
	return policy, nil
}
