package profile

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Measurement is what one variant took on this board with a number of threads.
type Measurement struct {
	Rung
	Threads int `json:"threads"`
	// Watts is what the board drew while it inferred without a pause, and
	// ExtraJoules what one inference took above the idle board; nil where the board
	// cannot measure it.
	Watts       *float64 `json:"watts,omitempty"`
	ExtraJoules *float64 `json:"extra_joules,omitempty"`
}

// FromMeasurements is the profile of the given measurements and segments, whose ladder
// is that at the fewest threads.
func FromMeasurements(board string, measurements []Measurement, segments []Segment) (Profile, error) {
	if len(measurements) == 0 {
		return Profile{}, fmt.Errorf("profile: no measurements")
	}
	p := Profile{Board: board, Segments: segments, Measurements: measurements}
	fewest := slices.MinFunc(measurements, func(a, b Measurement) int { return cmp.Compare(a.Threads, b.Threads) })
	p.Rungs = p.ladder(fewest.Threads)
	if err := p.Validate(); err != nil {
		return Profile{}, err
	}
	return p, nil
}

func (p Profile) ladder(threads int) []Rung {
	var rungs []Rung
	for _, m := range p.Measurements {
		if m.Threads == threads {
			rungs = append(rungs, m.Rung)
		}
	}
	return Ladder(rungs)
}

// At is the profile at a number of threads, for a bundle with the given segments
// on the named board. An error says why the measurements are of no use there.
func (p Profile) At(board string, segments []string, threads int) (Profile, error) {
	if p.Board != board {
		return Profile{}, fmt.Errorf("profile: measured on %s, and this is %s", p.Board, board)
	}
	at := Profile{Board: board, Rungs: p.ladder(threads)}
	if len(at.Rungs) == 0 {
		return Profile{}, fmt.Errorf("profile: nothing was measured with %d threads", threads)
	}
	for _, s := range p.Segments {
		if s.Threads == threads && slices.Contains(segments, s.ID) {
			at.Segments = append(at.Segments, s)
		}
	}
	costs := at.SegmentCosts(threads)
	for _, id := range segments {
		if _, ok := costs[id]; !ok {
			return Profile{}, fmt.Errorf("profile: segment %s of the bundle was not measured with %d threads: the bundle is another one by now", id, threads)
		}
	}
	if err := at.Validate(); err != nil {
		return Profile{}, err
	}
	return at, nil
}

func validateMeasurements(list []Measurement) error {
	type key struct {
		variant string
		threads int
	}
	seen := make(map[key]bool, len(list))
	for _, m := range list {
		if err := m.Rung.validate(); err != nil {
			return err
		}
		if m.Threads < 1 {
			return fmt.Errorf("profile: %s: %d threads, want at least 1", m.Variant, m.Threads)
		}
		for _, v := range []*float64{m.Watts, m.ExtraJoules} {
			if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
				return fmt.Errorf("profile: %s: a power of %g cannot be", m.Variant, *v)
			}
		}
		k := key{m.Variant, m.Threads}
		if seen[k] {
			return fmt.Errorf("profile: %s was measured twice with %d threads", m.Variant, m.Threads)
		}
		seen[k] = true
	}
	return nil
}
