package daemon

import (
	"context"
	"sync"
	"time"
)

// Watchdog is somebody who restarts this process when it is not fed.
type Watchdog struct {
	// Every is how often it wants to be fed.
	Every time.Duration
	Feed  func()
}

// feedWatchdog feeds while frames flow: while none is stuck in the camera, in
// the network or on the way for longer than stale_after. Waiting for the next
// frame, a pause and a camera that says that it is away are not stuck: they are
// told, and a restart would not help.
func (d *daemon) feedWatchdog(ctx context.Context) {
	w := d.options.Watchdog
	if w == nil {
		return
	}
	tick := time.NewTicker(w.Every)
	defer tick.Stop()
	stuck := false
	for {
		if took := d.pipeline.turn.took(time.Now()); took <= time.Duration(d.options.Config.StaleAfter) {
			w.Feed()
			stuck = false
		} else if !stuck {
			stuck = true
			d.options.Log.Error("no frame gets through: the watchdog is not fed any more", "for", took.Round(time.Second))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// turn is one way of a frame from the camera to its label. Safe for concurrent use.
type turn struct {
	mu    sync.Mutex
	began time.Time // zero between two turns
}

// begin begins a turn, unless one is still unfinished.
func (t *turn) begin(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.began.IsZero() {
		t.began = now
	}
}

func (t *turn) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.began = time.Time{}
}

// took is for how long the turn has been going on; 0 between two turns.
func (t *turn) took(now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.began.IsZero() {
		return 0
	}
	return now.Sub(t.began)
}
