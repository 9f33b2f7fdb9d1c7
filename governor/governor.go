// Package governor picks the depth that the board can afford. Heat and charge
// follow busy time, which is rate times latency, so a decision is always a
// variant and a frame period.
//
// A Policy is a pure step from a state and what was observed to a new state and
// a decision; the Loop calls it at 1 Hz with a snapshot of the board. Time is
// an argument, the state is a plain serializable value, and a decision carries
// every term that led to it: a log of records explains each switch and can be
// replayed exactly.
package governor

import (
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// Objectives are what the user wants of the board.
type Objectives struct {
	// FramePeriod is the time between two frames that are classified, e.g. 200 ms for 5 frames/s.
	FramePeriod time.Duration `json:"frame_period_ns"`
	// CeilingCelsius is the temperature to stay below; 0 takes the default: 5 K
	// below where the board throttles, or 70 where that is unknown.
	CeilingCelsius float64 `json:"ceiling_celsius"`
	// MinChargePercent is the state of charge under which the shallowest variant runs; 0 ignores charge.
	MinChargePercent float64 `json:"min_charge_percent"`
}

// Observation is one classified frame.
type Observation struct {
	Time    time.Time     `json:"time"`
	Variant string        `json:"variant"`
	Threads int           `json:"threads"`
	Latency time.Duration `json:"latency_ns"` // of the inference alone
}

// Input is all that a policy may look at.
type Input struct {
	Now          time.Time
	Snapshot     telemetry.Snapshot
	Observations []Observation // since the last step, oldest first
	Objectives   Objectives
	Profile      profile.Profile
}

// Term is one quantity that a decision depended on.
type Term struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
}

// Decision is what is to run from now on, and why.
type Decision struct {
	Variant     string        `json:"variant"`
	FramePeriod time.Duration `json:"frame_period_ns"`
	Reason      string        `json:"reason"` // one short sentence
	Terms       []Term        `json:"terms"`
}

// State is what a policy remembers between two steps: a plain value that can be
// written as JSON. The zero State is the first start.
type State struct {
	Started bool `json:"started"`
	// Rung is the index in the profile's ladder that is active.
	Rung int `json:"rung"`
	// ChangedAt is when Rung last changed.
	ChangedAt time.Time `json:"changed_at"`
	// LastCelsius is the hottest reading of the last step, for the trend; nil if it was unknown.
	LastCelsius *float64 `json:"last_celsius,omitempty"`
}

// Policy decides. Implementations hold configuration only; all memory is in the State.
type Policy interface {
	Name() string
	Step(State, Input) (State, Decision)
}
