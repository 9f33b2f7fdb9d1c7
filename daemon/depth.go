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

// flex gives an engine the deadline and the escalation of the configuration.
// limit is how long an inference may take now.
func flex(e Engine, c Config, m *bundle.Manifest, ladder profile.Profile, limit func() time.Duration) (Engine, error) {
	if !c.KeepDeadline && c.Escalation == 0 {
		return e, nil
	}
	f, ok := e.(flexible)
	if !ok {
		return nil, errors.New("keep_deadline, escalation: this engine runs one variant a frame")
	}
	if c.Escalation > 0 && m.Escalation == nil {
		return nil, errors.New("escalation: the bundle was not calibrated for it (run fathom eval --escalation, or leave escalation out)")
	}
	if err := f.SetEscalation(c.Escalation); err != nil {
		return nil, fmt.Errorf("escalation: %w", err)
	}
	if !c.KeepDeadline {
		return e, nil
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

// observed is what the governor learns from: how long one variant took by itself.
func observed(r engine.Result, threads int) governor.Observation {
	o := governor.Observation{Time: time.Now(), Variant: r.Variant, Threads: threads, Latency: r.Latency}
	if r.First != "" {
		o.Variant, o.Latency = r.First, r.FirstLatency
	}
	return o
}
