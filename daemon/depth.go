package daemon

import (
	"errors"
	"fmt"
	"image"
	"time"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// flexible is an Engine that may leave the active variant for a frame, as
// *engine.Engine can.
type flexible interface {
	Engine
	InferBy(picture image.Image, deadline time.Time) (engine.Result, error)
	SetProfile(*profile.Profile) error
	SetEscalation(share float64) error
}

// The values of Config.Escalation.
const (
	escalationAuto = "auto"
	escalationOff  = "off"
)

// escalations tell the governor what the bundle knows of doubt, for each rung of
// the ladder; nil where that is not to be used.
func escalations(e Engine, c Config, m *bundle.Manifest, ladder profile.Profile) []governor.Escalation {
	if _, ok := e.(flexible); !ok || c.Escalation == escalationOff || m.Escalation == nil {
		return nil
	}
	measured := ladder.SegmentCosts(c.Threads) // of all segments, or of none
	segment := map[string]float64{}
	for _, s := range m.Segments {
		segment[s.ID] = float64(s.MACs)
		if cost, ok := measured[s.ID]; ok {
			segment[s.ID] = float64(cost.Latency)
		}
	}
	cost := func(path []string) (sum float64) {
		for _, id := range path {
			sum += segment[id]
		}
		return sum
	}
	list := make([]governor.Escalation, len(ladder.Rungs)-1)
	for i := range list {
		step := m.Escalation.Step(ladder.Rungs[i].Variant)
		if step == nil {
			continue
		}
		next := m.Variant(ladder.Rungs[i+1].Variant)
		if to, ok := ladder.Index(step.To); ok && to > i && cost(next.Path) > 0 {
			list[i] = governor.Escalation{To: step.To, Share: step.Share, Cost: cost(m.Beyond(step.From, step.To)) / cost(next.Path)}
		}
	}
	return list
}

// flex gives an engine the deadline of the configuration. limit is how long an
// inference may take now.
func flex(e Engine, c Config, ladder profile.Profile, limit func() time.Duration) (Engine, error) {
	if !c.KeepDeadline {
		return e, nil
	}
	f, ok := e.(flexible)
	if !ok {
		return nil, errors.New("keep_deadline: this engine runs one variant a frame")
	}
	if err := f.SetProfile(&ladder); err != nil {
		return nil, fmt.Errorf("keep_deadline: %w", err)
	}
	return punctual{f, limit}, nil
}

// punctual gives every inference its deadline.
type punctual struct {
	flexible
	limit func() time.Duration
}

// Infer implements Engine.
func (p punctual) Infer(picture image.Image) (engine.Result, error) {
	return p.InferBy(picture, time.Now().Add(p.limit()))
}

// inferenceLimit is how long an inference may take.
func inferenceLimit(o governor.Objectives) time.Duration {
	if o.Deadline > 0 {
		return o.Deadline
	}
	return o.FramePeriod()
}

// observed is what the governor learns from: how long one variant took by itself,
// and a second look on top.
func observed(r engine.Result, threads int) governor.Observation {
	o := governor.Observation{Time: time.Now(), Variant: r.Variant, Threads: threads, Latency: r.Latency}
	if r.First != "" {
		o.Variant, o.Latency, o.Again = r.First, r.FirstLatency, r.Latency-r.FirstLatency
	}
	return o
}
