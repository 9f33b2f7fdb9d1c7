// Package governor picks the depth that the board can afford. Heat and charge
// follow busy time, which is rate times latency, so a decision is always a
// variant and a frame period.
//
// A Policy is a pure step from a state and what was observed to a new state and
// a decision; the Loop calls it at 1 Hz with a snapshot of the board. Time is
// an argument, the state is a plain serializable value, and a decision carries
// every term that led to it: a log of records explains each switch and can be
// replayed exactly, on any machine (no arithmetic here may be fused, so
// products that are summed are written float64(a*b) + c).
//
// Words: a rung is the index of a variant in the profile's ladder; shallower is
// a lower rung or, below rung 0, a longer frame period; hot, in the band and
// cool are where the temperature is relative to the ceiling (see Stepwise).
// Temperatures are in degrees Celsius, differences in kelvin.
//
// Policies are values without memory and safe for any goroutine. The Loop says
// for each method which goroutine may call it.
package governor

import (
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// Observation is one classified frame.
type Observation struct {
	Time    time.Time     `json:"time"`
	Variant string        `json:"variant"`
	Threads int           `json:"threads"`
	Latency time.Duration `json:"latency_ns"` // of the inference alone
	// Again is what a second look at the frame took on top, by a deeper variant and
	// without what the two share: busy time that says nothing about either by itself.
	Again time.Duration `json:"again_ns,omitempty"`
}

// Escalation is what the bundle knows of the doubt of one rung.
type Escalation struct {
	// To is the variant that looks again; empty where none does.
	To string `json:"to,omitempty"`
	// Share of the rung's frames are in so much doubt that a second look is worth its cost.
	Share float64 `json:"share,omitempty"`
	// Cost of a second look, over what the next rung takes by itself.
	Cost float64 `json:"cost,omitempty"`
}

// Input is all that a policy may look at.
type Input struct {
	Now time.Time `json:"now"`
	// Snapshot is without zones, supplies and probes: policies see the sums only.
	Snapshot     telemetry.Snapshot `json:"snapshot"`
	Observations []Observation      `json:"observations,omitempty"` // since the last step, oldest first
	Objectives   Objectives         `json:"objectives"`
	// Escalations are those of each rung, the shallowest first; empty where none is worth a second look.
	Escalations []Escalation `json:"escalations,omitempty"`
	// Profile is valid (profile.Validate); a Record holds it apart, as it rarely changes.
	Profile profile.Profile `json:"-"`
}

// Decision is what is to run from now on, and why.
type Decision struct {
	Variant     string        `json:"variant"`
	FramePeriod time.Duration `json:"frame_period_ns"`
	// Pair are the rungs that time is split between, the shallower first; both are
	// the same where one runs all the time.
	Pair [2]int `json:"pair"`
	// Escalation is the share of the frames, in [0, 1], that may be run again at a deeper
	// variant, which Input.Escalations names; 0 where none is to be.
	Escalation float64 `json:"escalation,omitempty"`
	// Cause names in a word what keeps the decision from being deeper or faster:
	// a Concern, a fault, or empty for nothing.
	Cause  Cause  `json:"cause,omitempty"`
	Reason Reason `json:"reason"` // one short sentence
	Terms  Terms  `json:"terms"`
	// Warning is what the user ought to look at, whatever is decided; zero for nothing.
	Warning Reason `json:"warning,omitzero"`
}

// State is what a policy remembers between two steps: a plain value that can be
// written as JSON. The zero State is the first start. All policies share it, so
// that one can take over from another.
type State struct {
	Started bool `json:"started"`
	// Rung is the index in the profile's ladder that is active.
	Rung int `json:"rung"`
	// Stretches is how many times the frame period is stretched.
	Stretches int `json:"stretches"`
	// ChangedAt is when Rung or Stretches last changed.
	ChangedAt time.Time `json:"changed_at,omitzero"`

	// LastCelsius is the last known hottest reading, and LastHeatAt when it was used, zero if there never was one.
	LastCelsius float64   `json:"last_celsius,omitempty"`
	LastHeatAt  time.Time `json:"last_heat_at,omitzero"`
	// HeatLostAt is since when the temperature is unknown; zero while it is known.
	HeatLostAt time.Time `json:"heat_lost_at,omitzero"`

	// ThrottledSeen and UnderVoltageSeen say that the board once told that flag; FlaggedAt is when one was last set.
	ThrottledSeen    bool      `json:"throttled_seen,omitempty"`
	UnderVoltageSeen bool      `json:"under_voltage_seen,omitempty"`
	FlaggedAt        time.Time `json:"flagged_at,omitzero"`
	// ChargeLow is set below MinChargePercent and cleared some way above it.
	ChargeLow bool `json:"charge_low,omitempty"`

	// Slowdown is measured over profiled latency, smoothed; 0 before the first frame.
	Slowdown float64 `json:"slowdown,omitempty"`

	// What the policies that plan have learned, and where on the ladder they are.
	SteppedAt time.Time `json:"stepped_at,omitzero"`
	Work      Work      `json:"work,omitzero"`
	Latency   Latency   `json:"latency,omitzero"`
	Thermal   Thermal   `json:"thermal,omitzero"`
	Energy    Energy    `json:"energy,omitzero"`
	Split     Split     `json:"split,omitzero"`
	PID       PID       `json:"pid,omitzero"`
	// LateTop is the deepest rung that was in time at the last step.
	LateTop int `json:"late_top,omitempty"`
	// FlagDrive is the drive that a flag left, 0 for any, and FlagFellAt when it last fell.
	FlagDrive  float64   `json:"flag_drive,omitempty"`
	FlagFellAt time.Time `json:"flag_fell_at,omitzero"`
}

// Policy decides. Implementations hold configuration only; all memory is in the State.
type Policy interface {
	Name() string
	// Spec describes the policy so that New builds it again.
	Spec() Spec
	// Step is pure: the same arguments give the same results, and nothing that
	// they point to is changed.
	Step(State, Input) (State, Decision)
}
