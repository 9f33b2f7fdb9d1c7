package governor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// LoopConfig is what a Loop needs.
type LoopConfig struct {
	Policy     Policy
	Profile    profile.Profile
	Objectives Objectives
	// Escalations are those of Input.
	Escalations []Escalation
	// Source is read by NewLoop once and then by every step, never concurrently.
	Source telemetry.Source
	// Apply is given every decision, also one that changes nothing, so that what
	// failed to follow is told again. Called by the stepping goroutine.
	Apply func(Decision)
	// Record is given every step, after Apply; nil for none. Called by the stepping goroutine.
	Record func(Record)
	// Period is the time between two steps; 0 means 1 s.
	Period time.Duration
	// Now is the clock; nil means time.Now. It is also the one of the snapshots and observations.
	Now func() time.Time
}

const (
	// maxObservations are kept between two steps.
	maxObservations = 64
	// profileEvery is after how many records the profile is written again, so that a
	// log that was rotated or cut replays.
	profileEvery = 60
)

// Loop reads the board, steps the policy and hands the decision on.
type Loop struct {
	config LoopConfig

	// Of the stepping goroutine.
	state State
	steps int

	mu         sync.Mutex // guards what is below
	policy     Policy
	objectives Objectives
	limit      telemetry.Reading[float64]
	observed   []Observation // oldest first
	dropped    int
}

// NewLoop refuses a setup that could not work: it validates the ladder, reads
// the board once and checks the objectives against its limit.
func NewLoop(c LoopConfig) (*Loop, error) {
	if c.Policy == nil || c.Source == nil || c.Apply == nil {
		return nil, errors.New("governor: the loop needs a policy, a telemetry source and a receiver of decisions")
	}
	if c.Period < 0 {
		return nil, fmt.Errorf("governor: a step every %v: want a positive time, or 0 for 1 s", c.Period)
	}
	if c.Period == 0 {
		c.Period = time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := c.Profile.Validate(); err != nil {
		return nil, fmt.Errorf("governor: %w", err)
	}
	for i, e := range c.Escalations {
		if e.To != "" && (!(e.Share >= 0 && e.Share <= 1) || !(e.Cost > 0 && e.Cost < math.MaxFloat64)) {
			return nil, fmt.Errorf("governor: escalation %d, to %s: share %v must be in [0, 1] and cost %v above 0", i, e.To, e.Share, e.Cost)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.Period)
	defer cancel()
	l := &Loop{config: c, limit: c.Source.Read(ctx).Heat.LimitCelsius}
	if err := l.SetPolicy(c.Policy); err != nil {
		return nil, err
	}
	if err := l.SetObjectives(c.Objectives); err != nil {
		return nil, err
	}
	return l, nil
}

// SetPolicy changes the policy from the next step on; the state is kept. It
// refuses one that does not fit the ladder. Any goroutine.
func (l *Loop) SetPolicy(p Policy) error {
	if _, err := New(p.Spec(), l.config.Profile); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.policy = p
	return nil
}

// SetObjectives changes the objectives from the next step on. Any goroutine.
func (l *Loop) SetObjectives(o Objectives) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := o.Validate(l.config.Profile, l.limit); err != nil {
		return err
	}
	l.objectives = o
	return nil
}

// Objectives are those of the next step. Any goroutine.
func (l *Loop) Objectives() Objectives {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.objectives
}

// Policy is that of the next step. Any goroutine.
func (l *Loop) Policy() Policy {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.policy
}

// Observe tells of a classified frame. It never blocks for long; of more than 64
// frames between two steps the oldest are dropped and counted. Any goroutine.
func (l *Loop) Observe(o Observation) {
	o.Time = o.Time.Round(0)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.observed) == maxObservations {
		l.observed = append(l.observed[:0], l.observed[1:]...)
		l.dropped++
	}
	l.observed = append(l.observed, o)
}

// Run steps at once and then every period until the context ends, which is not
// an error. One goroutine, and nobody else calls Step.
func (l *Loop) Run(ctx context.Context) error {
	ticker := time.NewTicker(l.config.Period)
	defer ticker.Stop()
	for {
		l.Step(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Step is one step of Run, for simulations that keep their own time. One goroutine.
func (l *Loop) Step(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, l.config.Period)
	defer cancel()
	snapshot := essential(l.config.Source.Read(ctx))

	l.mu.Lock()
	policy := l.policy
	in := Input{
		Now:          l.config.Now().Round(0),
		Snapshot:     snapshot,
		Observations: l.observed,
		Objectives:   l.objectives,
		Escalations:  l.config.Escalations,
		Profile:      l.config.Profile,
	}
	dropped := l.dropped
	l.observed, l.dropped = nil, 0
	if _, known := limitCelsius(snapshot.Heat.LimitCelsius); known {
		l.limit = snapshot.Heat.LimitCelsius
	}
	l.mu.Unlock()

	before := l.state
	after, decision := policy.Step(before, in)
	l.state = after
	l.config.Apply(decision)

	if l.config.Record != nil {
		record := Record{
			Time: in.Now, Policy: policy.Spec(), Before: &before, Input: in,
			Dropped: dropped, Decision: decision, After: after,
		}
		if l.steps%profileEvery == 0 {
			record.Profile = &l.config.Profile
		}
		l.config.Record(record)
	}
	l.steps++
}
