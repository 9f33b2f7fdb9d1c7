// Package profile holds what the variants of a bundle are worth and what they
// cost on one board: the ladder. It is pure Go and shared by governor, engine
// and commands.
//
// A rung is a variant; rungs are ordered from the cheapest to the dearest, and
// each is more accurate than the one below it. Latencies are wall-clock time
// of one inference, without preprocessing.
//
// A profile starts as an estimate (FromVariants) and is replaced by a measured
// one, which is kept as a file (Write, Read). All functions are pure but for
// those two; a Profile is a value that nobody changes once it is shared.
package profile

import (
	"errors"
	"fmt"
	"time"
)

// Source says where a latency comes from.
type Source string

const (
	// Estimated latencies are scaled from MACs and have a wide spread.
	Estimated Source = "estimated"
	// Measured latencies were timed on this board.
	Measured Source = "measured"
)

// Cost is what one inference of a variant takes, or one run of a segment.
type Cost struct {
	Latency time.Duration `json:"latency_ns"`
	StdDev  time.Duration `json:"stddev_ns"`
	Source  Source        `json:"source"`
}

// Rung is one step of the ladder.
type Rung struct {
	Variant string `json:"variant"`
	MACs    int64  `json:"macs"`
	// Accuracy is top-1 on validation data, in [0, 1]; nil if the bundle does not state it.
	Accuracy *float64 `json:"accuracy,omitempty"`
	Cost     Cost     `json:"cost"`
}

// Profile is the ladder of one bundle on one board.
type Profile struct {
	Board string `json:"board"`
	Rungs []Rung `json:"rungs"`
	// Segments are what deadlines within an inference are kept by; empty if they were not measured.
	Segments []Segment `json:"segments,omitempty"`
	// Measurements are what the ladders of At follow from; empty in an estimate.
	Measurements []Measurement `json:"measurements,omitempty"`
}

// longestLatency is beyond anything that a frame is worth.
const longestLatency = 24 * time.Hour

// Index returns the rung of a variant; ok is false if the ladder has none.
func (p Profile) Index(variant string) (index int, ok bool) {
	for i := range p.Rungs {
		if p.Rungs[i].Variant == variant {
			return i, true
		}
	}
	return 0, false
}

// Validate says what is wrong with a profile: an empty ladder, unnamed or
// repeated variants, costs that are not positive, latencies that fall along the
// ladder, accuracies (where known) that do not rise, or segments or measurements that
// stand twice.
func (p Profile) Validate() error {
	if len(p.Rungs) == 0 {
		return errors.New("profile: the ladder is empty (a bundle needs at least one variant)")
	}
	var best *float64
	for i, r := range p.Rungs {
		if err := r.validate(); err != nil {
			return err
		}
		if first, _ := p.Index(r.Variant); first != i {
			return fmt.Errorf("profile: variant %s stands on rungs %d and %d", r.Variant, first, i)
		}
		if i > 0 && r.Cost.Latency < p.Rungs[i-1].Cost.Latency {
			return fmt.Errorf("profile: %s (%v) is faster than %s below it (%v): sort the ladder with profile.Ladder",
				r.Variant, r.Cost.Latency, p.Rungs[i-1].Variant, p.Rungs[i-1].Cost.Latency)
		}
		if r.Accuracy != nil {
			if best != nil && *r.Accuracy <= *best {
				return fmt.Errorf("profile: %s costs more than a cheaper rung and is no more accurate (%g, before %g): drop it with profile.Ladder",
					r.Variant, *r.Accuracy, *best)
			}
			best = r.Accuracy
		}
	}
	if err := validateSegments(p.Segments); err != nil {
		return err
	}
	return validateMeasurements(p.Measurements)
}

// validate refuses a rung that cannot be, wherever it stands.
func (r Rung) validate() error {
	if r.Variant == "" {
		return errors.New("profile: a rung has no variant name")
	}
	if r.MACs <= 0 {
		return fmt.Errorf("profile: %s: %d MACs, want more than 0", r.Variant, r.MACs)
	}
	if err := r.Cost.validate(r.Variant); err != nil {
		return err
	}
	return checkAccuracy(r.Variant, r.Accuracy)
}

// validate refuses what no run can take; what names whose cost it is.
func (c Cost) validate(what string) error {
	if c.Latency <= 0 || c.Latency > longestLatency || c.StdDev < 0 || c.StdDev > longestLatency {
		return fmt.Errorf("profile: %s: latency %v ± %v, want a positive latency of at most %v", what, c.Latency, c.StdDev, longestLatency)
	}
	if c.Source != Estimated && c.Source != Measured {
		return fmt.Errorf("profile: %s: source %q, want %q or %q", what, c.Source, Estimated, Measured)
	}
	return nil
}

// checkAccuracy accepts nil (unknown) and values in [0, 1]; NaN is refused.
func checkAccuracy(variant string, a *float64) error {
	if a != nil && !(*a >= 0 && *a <= 1) {
		return fmt.Errorf("profile: %s: accuracy %g is not in [0, 1]", variant, *a)
	}
	return nil
}
