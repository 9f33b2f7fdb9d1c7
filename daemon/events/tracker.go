// Package events turns the probabilities of successive frames into what a person
// wants to be told: that a class appeared, is still there, and is gone.
//
// For each class on its own, with p its smoothed probability:
//
//	          p ≥ enter for appear_after            p < leave for gone_after
//	absent ─────────────────────────────► present ─────────────────────────────► absent
//	                "appeared"              │  ▲              "gone"
//	                                        └──┘ every present_every: "present"
//
// A class that is present when nothing has been looked at for a while (camera
// away, paused) is gone too, with a cause. Frames that a motion gate skipped
// count as unchanged.
//
// A Tracker is used by one goroutine. Times carry Go's monotonic clock, so that
// setting the wall clock moves no event; Event.Time is for people.
package events

import (
	"fmt"
	"time"
)

// Kind is what happened.
type Kind string

// The kinds of events.
const (
	Appeared Kind = "appeared"
	Present  Kind = "present"
	Gone     Kind = "gone"
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{Appeared, Present, Gone} }

// Event is something to tell: the line of the event log, the body of a webhook,
// the payload of MQTT.
type Event struct {
	// ID is the same from the appearance of a class to its end, and never given twice.
	ID   string `json:"id"`
	Kind Kind   `json:"event_type"`
	// Time is when the frame was looked at that made the event.
	Time   time.Time `json:"time"`
	Class  string    `json:"class"`
	Region string    `json:"region,omitempty"`
	// Confidence is the smoothed probability now, Peak the highest since the appearance.
	Confidence float64 `json:"confidence"`
	Peak       float64 `json:"peak_confidence"`
	// Seconds is how long the class has been there.
	Seconds float64 `json:"seconds"`
	// Variant is the depth that saw it.
	Variant string `json:"variant"`
	// Frame is the ID of the frame that made the event; empty where none did.
	Frame string `json:"frame,omitempty"`
	// Snapshot is the name of the picture in the folder of snapshots; empty if there is none.
	Snapshot string `json:"snapshot,omitempty"`
	// Cause says why a class is gone that was not seen to go.
	Cause string `json:"cause,omitempty"`
}

// Blind is after how long without a frame what was present counts as gone.
const Blind = 30 * time.Second

// Tracker follows the classes of one region.
type Tracker struct {
	config  Config
	region  string
	newID   func(time.Time) string
	classes []class
	looked  time.Time // when a frame was last seen, classified or not
	variant string
}

// class is what is known of one class.
type class struct {
	label string
	Thresholds
	off     bool      // makes no events
	above   time.Time // since when p ≥ enter while absent; zero if it is not
	below   time.Time // since when p < leave while present; zero if it is not
	present bool
	id      string
	since   time.Time
	told    time.Time
	p, peak float64
}

// NewTracker follows the labels in a region, whose name may be empty. newID makes
// the IDs of events. Classes that the configuration names must be labels.
func NewTracker(c Config, labels []string, region string, newID func(time.Time) string) (*Tracker, error) {
	t := &Tracker{region: region, newID: newID}
	for _, l := range labels {
		t.classes = append(t.classes, class{label: l})
	}
	if err := t.Configure(c); err != nil {
		return nil, err
	}
	return t, nil
}

// Configure changes what counts as an event from the next frame on. A class that is present stays so until it is gone, also where
// it makes no events from now on. On an error nothing has changed.
func (t *Tracker) Configure(c Config) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	var labels []string
	for _, x := range t.classes {
		labels = append(labels, x.label)
	}
	if err := c.known(labels); err != nil {
		return err
	}
	t.config = c
	for i := range t.classes {
		x := &t.classes[i]
		x.Thresholds, x.off = c.thresholds(c.Classes[x.label]), !c.wanted(x.label)
	}
	return nil
}

// Add takes the smoothed probabilities of a frame, one per label, and returns
// what is to be told, if anything: what is gone first.
func (t *Tracker) Add(now time.Time, variant string, probabilities []float64) []Event {
	if len(probabilities) != len(t.classes) {
		return nil
	}
	gone := t.Tick(now) // after a long gap, nothing of before still holds
	t.looked, t.variant = now, variant
	var came []Event
	for i := range t.classes {
		c := &t.classes[i]
		if c.off && !c.present {
			continue
		}
		c.p = probabilities[i]
		if !c.present {
			if c.arrived(now, t.config.AppearAfter) {
				c.id, c.since, c.told, c.peak = t.newID(now), now, now, c.p
				came = append(came, t.event(c, Appeared, now))
			}
			continue
		}
		c.peak = max(c.peak, c.p)
		switch {
		case c.left(now, t.config.GoneAfter):
			gone = append(gone, t.event(c, Gone, now))
		case t.config.PresentEvery > 0 && c.below.IsZero() && now.Sub(c.told) >= t.config.PresentEvery:
			c.told = now
			came = append(came, t.event(c, Present, now))
		}
	}
	return append(gone, came...)
}

// arrived notes a probability while absent.
func (c *class) arrived(now time.Time, after time.Duration) bool {
	if !(c.p >= c.Enter) {
		c.above = time.Time{}
		return false
	}
	if c.above.IsZero() {
		c.above = now
	}
	if now.Sub(c.above) < after {
		return false
	}
	c.present, c.above, c.below = true, time.Time{}, time.Time{}
	return true
}

// left notes a probability while present.
func (c *class) left(now time.Time, after time.Duration) bool {
	if c.p >= c.Leave {
		c.below = time.Time{}
		return false
	}
	if c.below.IsZero() {
		c.below = now
	}
	if now.Sub(c.below) < after {
		return false
	}
	c.present = false
	return true
}

func (t *Tracker) event(c *class, kind Kind, now time.Time) Event {
	return Event{ID: c.id, Kind: kind, Time: now.Round(0), Class: c.label, Region: t.region, Confidence: c.p, Peak: c.peak,
		Seconds: now.Sub(c.since).Seconds(), Variant: t.variant}
}

// Unchanged notes a frame that shows what the last classified one showed.
func (t *Tracker) Unchanged(now time.Time) { t.looked = now }

// Tick lets time pass without a frame: it returns the end of what was present
// when nothing has been looked at for longer than Blind.
func (t *Tracker) Tick(now time.Time) []Event {
	if t.looked.IsZero() || now.Sub(t.looked) <= Blind {
		return nil
	}
	var gone []Event
	for i := range t.classes {
		c := &t.classes[i]
		c.above = time.Time{}
		if c.present {
			c.present = false
			e := t.event(c, Gone, now)
			e.Cause = fmt.Sprintf("no frame for %v", now.Sub(t.looked).Round(time.Second))
			gone = append(gone, e)
		}
	}
	return gone
}

// Present lists the classes that are there now.
func (t *Tracker) Present() []string {
	var names []string
	for i := range t.classes {
		if t.classes[i].present {
			names = append(names, t.classes[i].label)
		}
	}
	return names
}
