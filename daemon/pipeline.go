package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/daemon/events"
	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// PipelineConfig is what a pipeline is made of.
type PipelineConfig struct {
	Source     camera.Source
	Engine     Engine
	Watches    *Watches
	Monitor    *Monitor
	Viewfinder *Viewfinder
	Threads    int
	// FramePeriod holds until the first decision.
	FramePeriod time.Duration
	// Escalate takes the share of the frames that may be looked at twice; nil where the engine does not do that.
	Escalate func(share float64) error
	// Observe is told of every inference.
	Observe func(governor.Observation)
	// Busy is told how long each inference kept the processor busy; nil where nobody asks.
	Busy func(time.Duration)
	// Predicted is told of every classified frame; nil where nobody asks. The scores are valid during the call only.
	Predicted func(camera.Frame, engine.Result)
	// Happened is told of every event with the frame that made it, which is valid during the call only.
	Happened func(events.Event, *camera.Frame)
}

// Pipeline takes frames from the camera to a label. It needs no queue: a
// camera.Source drops what nobody asks for, and the pipeline asks for the
// newest frame when the next one is due. Where it has time, it takes a frame as it
// comes instead of one that has waited; see waitingIsFree.
type Pipeline struct {
	config PipelineConfig

	mu     sync.Mutex
	period time.Duration
	paused bool
	turn   turn
	wake   chan struct{} // has one element after the period or the pause changed
}

// cameraPause keeps a camera that fails at once from being asked in a tight loop.
const cameraPause = 200 * time.Millisecond

// NewPipeline returns a pipeline that is ready to run.
func NewPipeline(c PipelineConfig) *Pipeline {
	return &Pipeline{config: c, period: c.FramePeriod, wake: make(chan struct{}, 1)}
}

// Apply makes a decision true: the variant and its escalation from the next frame on, the period
// at once. Any goroutine may call it.
func (p *Pipeline) Apply(d governor.Decision) error {
	if err := p.config.Engine.SetActive(d.Variant); err != nil {
		return err
	}
	if p.config.Escalate != nil {
		if err := p.config.Escalate(d.Escalation); err != nil {
			return err
		}
	}
	p.mu.Lock()
	changed := p.period != d.FramePeriod
	p.period = d.FramePeriod
	p.mu.Unlock()
	if changed {
		p.look()
	}
	return nil
}

// Pause takes no more frames from the camera, or goes on. Any goroutine may call it.
func (p *Pipeline) Pause(paused bool) {
	p.mu.Lock()
	p.paused = paused
	p.mu.Unlock()
	p.look()
}

// look lets wait see what has changed.
func (p *Pipeline) look() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run classifies until ctx ends or the source does, and returns nil for both.
// An error means that the source has failed for good.
func (p *Pipeline) Run(ctx context.Context) error {
	defer p.config.Viewfinder.Release()
	last := time.Now().Add(-time.Hour) // the first frame is due at once
	var work time.Duration             // of the last frame, from its last byte or the asking for it on
	for {
		paced := p.untilDue(last) > 0 // by the period, not by the work
		if paced && !p.wait(ctx, last) {
			return nil
		}
		p.config.Viewfinder.Release()
		asked, period := time.Now(), p.currentPeriod()
		p.turn.begin(asked)
		next := scheduled(last, asked, period)
		if s, ok := p.config.Source.(visits); ok && paced {
			spare := next.Add(period).Sub(asked)
			s.Leave(func(age, period time.Duration) bool { return waitingIsFree(age, period, work, spare) })
		}
		frame, err := p.config.Source.Next(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, camera.ErrTemporary):
			p.turn.end() // a camera that is away is told, and asked again
			p.config.Monitor.CameraFailed(err)
			last = time.Now().Add(cameraPause - p.currentPeriod())
			continue
		case err != nil:
			return fmt.Errorf("camera: %s: %w", p.config.Source.Name(), err)
		}
		last = next
		if p.classify(frame) {
			p.turn.end()
		}
		if work = time.Since(asked); frame.Captured.After(asked) {
			work = time.Since(frame.Captured)
		}
	}
}

// wait blocks until the next frame is due, and reports whether it is still wanted.
func (p *Pipeline) wait(ctx context.Context, last time.Time) bool {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(p.untilDue(last))
		select {
		case <-ctx.Done():
			return false
		case <-p.wake:
		case <-timer.C:
			return true
		}
	}
}

// untilDue is how long until the next frame is due; for ever, nearly, while paused.
func (p *Pipeline) untilDue(last time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused {
		return math.MaxInt64
	}
	return time.Until(last.Add(p.period))
}

func (p *Pipeline) currentPeriod() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.period
}

// classify reports whether the frame could be classified, or needed not to be.
func (p *Pipeline) classify(frame camera.Frame) bool {
	c := p.config
	now := time.Now()
	watch, picture := c.Watches.next(now, frame.Image)
	if watch == nil {
		c.Monitor.Unchanged(frame)
		return true
	}
	result, busy, err := inferMetered(c.Engine, picture)
	if err != nil {
		c.Monitor.InferenceFailed(err)
		return false
	}
	if c.Busy != nil {
		c.Busy(busy)
	}
	if c.Predicted != nil {
		c.Predicted(frame, result)
	}
	smoothed := watch.smoother.Add(frame.Captured, picture, result.Scores)
	answer := c.Monitor.Classified(frame, watch.region.Name, picture.Bounds(), result, smoothed)
	c.Viewfinder.Put(frame, answer)
	for _, e := range c.Watches.seen(watch, now, result.Variant, smoothed) {
		e.Frame = answer.ID
		c.Happened(e, &frame)
	}
	c.Observe(observed(result, c.Threads))
	return true
}
