package daemon

import (
	"image"
	"slices"
	"sync"
	"time"

	"github.com/fathom-edge/fathom/daemon/events"
	"github.com/fathom-edge/fathom/daemon/scene"
)

// Watches are the regions of the picture, each with what is known of it. They take
// turns: a frame goes to the next region in which something moved, or to none. Of
// the goroutine of the pipeline, but for the exported methods, which may be called
// from any.
type Watches struct {
	list []*watch
	turn int

	mu sync.Mutex // guards the trackers
}

// watch is one region.
type watch struct {
	region   scene.Region // zero for the whole picture
	gate     *scene.Gate
	smoother *Smoother
	tracker  *events.Tracker
}

// NewWatches watches the regions of a configuration for the labels of a bundle.
func NewWatches(c Config, labels []string) (*Watches, error) {
	regions := c.Regions
	if len(regions) == 0 {
		regions = []scene.Region{{}}
	}
	w := &Watches{}
	var ids events.IDs
	for _, r := range regions {
		tracker, err := events.NewTracker(c.Events, labels, r.Name, ids.New)
		if err != nil {
			return nil, err
		}
		w.list = append(w.list, &watch{region: r, gate: scene.NewGate(c.Motion), smoother: NewSmoother(time.Duration(c.Smoothing)), tracker: tracker})
	}
	return w, nil
}

// SetTimeConstant changes the smoothing from the next frame on.
func (w *Watches) SetTimeConstant(tau time.Duration) {
	for _, x := range w.list {
		x.smoother.SetTimeConstant(tau)
	}
}

// Configure changes what counts as an event from the next frame on, or nothing on an error.
func (w *Watches) Configure(c events.Config) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.list {
		if err := x.tracker.Configure(c); err != nil {
			return err // the first one refuses, or none: they know the same labels
		}
	}
	return nil
}

// next is the region whose turn it is, and its part of the picture; nil where nothing moved in any.
func (w *Watches) next(now time.Time, picture image.Image) (*watch, image.Image) {
	for i := range w.list {
		at := (w.turn + i) % len(w.list)
		x := w.list[at]
		part := x.region.Crop(picture)
		if x.gate.Pass(now, part) {
			w.turn = at + 1
			return x, part
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.list {
		x.tracker.Unchanged(now)
	}
	return nil, nil
}

// seen is what happened in a region.
func (w *Watches) seen(x *watch, now time.Time, variant string, smoothed []float64) []events.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, other := range w.list {
		other.tracker.Unchanged(now) // the others had no turn, or nothing moved in them
	}
	return x.tracker.Add(now, variant, smoothed)
}

// Tick lets time pass without a frame; see events.Tracker.
func (w *Watches) Tick(now time.Time) (happened []events.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.list {
		happened = append(happened, x.tracker.Tick(now)...)
	}
	return happened
}

// Present lists the classes that are there now, in any region, sorted.
func (w *Watches) Present() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := []string{}
	for _, x := range w.list {
		names = append(names, x.tracker.Present()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
