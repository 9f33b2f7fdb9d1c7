// Package profile holds what the variants of a bundle are worth and what they
// cost on one board: the ladder. It is pure Go and shared by governor, engine
// and commands.
//
// A rung is a variant; rungs are ordered from the cheapest to the dearest, and
// each is more accurate than the one below it. Latencies are wall-clock time
// of one inference, without preprocessing.
package profile

import "time"

// Source says where a latency comes from.
type Source string

const (
	// Estimated latencies are scaled from MACs and have a wide spread.
	Estimated Source = "estimated"
	// Measured latencies were timed on this board.
	Measured Source = "measured"
)

// Cost is what one inference of a variant takes.
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
}
