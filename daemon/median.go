package daemon

import (
	"slices"
	"time"
)

// medianOf is how many durations a recent keeps: some ten seconds of frames.
const medianOf = 63

// recent keeps the last durations. Its owner locks.
type recent struct {
	ring [medianOf]time.Duration
	n    int // added so far
}

func (r *recent) add(d time.Duration) {
	r.ring[r.n%medianOf] = d
	r.n++
}

// median is what a single disturbed inference does not move. It is 0 before the first.
func (r *recent) median() time.Duration {
	if r.n == 0 {
		return 0
	}
	sorted := r.ring
	kept := sorted[:min(r.n, medianOf)]
	slices.Sort(kept)
	return kept[len(kept)/2]
}
