package governor

import (
	"fmt"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// Spec describes a policy: what a configuration file, a page or a log line says of it.
type Spec struct {
	Name string `json:"name"` // "fixed" or "step-wise"
	// Variant is for fixed: the variant that runs; empty means the deepest.
	Variant string `json:"variant,omitempty"`
	// Stepwise is for step-wise; nil takes the defaults.
	Stepwise *StepwiseConfig `json:"step_wise,omitempty"`
}

// New builds the policy that a spec describes for a ladder.
func New(spec Spec, p profile.Profile) (Policy, error) {
	switch spec.Name {
	case FixedName:
		if spec.Variant == "" && len(p.Rungs) > 0 {
			spec.Variant = p.Rungs[len(p.Rungs)-1].Variant
		}
		return NewFixed(p, spec.Variant)
	case StepwiseName:
		if spec.Stepwise == nil {
			return NewStepwise(StepwiseConfig{})
		}
		return NewStepwise(*spec.Stepwise)
	}
	return nil, fmt.Errorf("governor: policy %q is unknown (choose %s or %s)", spec.Name, FixedName, StepwiseName)
}
