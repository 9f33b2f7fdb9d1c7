package engine

import (
	"errors"
	"fmt"
	"time"
)

// Deepen runs the frame of the last inference at another variant, and gives the
// result that this variant would have given alone. What both paths begin with is
// not run again. The result names the variant before as First, and its Latency
// covers both.
func (e *Engine) Deepen(variant string) (Result, error) {
	e.frames.Lock()
	defer e.frames.Unlock()
	if e.frame.ran == nil {
		return Result{}, errors.New("engine: no frame to go deeper on: infer first")
	}
	v, err := e.frame.network.variant(variant)
	if err != nil {
		return Result{}, err
	}
	return e.deepen(v)
}

// SetEscalation lets Infer deepen by itself, as the manifest says: an answer
// whose margin is below the calibrated one is followed by the deeper variant, for
// at most the given share of all frames, in [0, 1], and some frames in a row more
// after calm ones. With a deadline it does so only where the deeper variant fits
// too. Share 0, as at first, turns it off; a bundle that was not calibrated never
// escalates.
func (e *Engine) SetEscalation(share float64) error {
	if !(share >= 0 && share <= 1) {
		return fmt.Errorf("engine: escalation of a share of %v of the frames: must be in [0, 1]", share)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.share = share
	return nil
}

// deepen needs e.frames and a frame that ran.
func (e *Engine) deepen(v *variant) (Result, error) {
	f := &e.frame
	before, took := f.ran, f.latency
	first := before.shared(v)
	f.ran = nil
	start := time.Now()
	if err := v.run(f.in, first); err != nil {
		return Result{}, err
	}
	f.latency += time.Since(start)
	f.ran = v
	res, err := f.result()
	if err != nil {
		return Result{}, err
	}
	res.First, res.FirstLatency = before.name, took
	return res, nil
}

// shared is how many segments of v need not run after those of ran: both begin
// with them, and the last of them still holds its output for this frame.
func (ran *variant) shared(v *variant) int {
	n := 0
	for n < len(v.path) && n < len(ran.path) && v.path[n] == ran.path[n] {
		n++
	}
	for n > 0 && ran.runsFrom(n, ran.path[n-1]) {
		n-- // it ran again further on, on something else
	}
	return n
}

// runsFrom says whether a segment is on the path from place n on.
func (v *variant) runsFrom(n int, s *segment) bool {
	for _, t := range v.path[n:] {
		if t == s {
			return true
		}
	}
	return false
}

// doubts says whether the answer of the frame is to be deepened, and takes it
// from the budget. It needs e.frames.
func (e *Engine) doubts(margin float32) bool {
	f := &e.frame
	v := f.ran.next
	if e.bucket.tokens < 1 || v == nil || margin >= f.ran.doubt {
		return false
	}
	if !f.deadline.IsZero() {
		ahead := v.steps[f.ran.shared(v)]
		if !f.network.pace.within(0, 0).fits(ahead, time.Until(f.deadline)) {
			return false
		}
	}
	e.bucket.tokens--
	return true
}

// bucket holds the escalations that may be made at once: each frame adds its
// share of one.
type bucket struct{ tokens float64 }

// burst is how many frames in a row may escalate after calm ones.
const burst = 8

func (b *bucket) fill(share float64) {
	if share == 0 {
		b.tokens = 0
		return
	}
	b.tokens = min(b.tokens+share, burst)
}
