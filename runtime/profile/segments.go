package profile

import "fmt"

// Segment is what one run of a segment of the bundle takes, the copy of its
// input included. Along a path the latencies add up to the rung's, but for
// softmax and the timer.
type Segment struct {
	ID      string `json:"segment"` // as in the manifest of the bundle
	Threads int    `json:"threads"`
	Cost    Cost   `json:"cost"`
}

// SegmentCosts are the costs of segments at a number of threads, by ID; empty
// if none was measured with so many.
func (p Profile) SegmentCosts(threads int) map[string]Cost {
	costs := make(map[string]Cost)
	for _, s := range p.Segments {
		if s.Threads == threads {
			costs[s.ID] = s.Cost
		}
	}
	return costs
}

// validateSegments refuses segments without a name, costs that cannot be, and
// two costs of one segment at one number of threads.
func validateSegments(segments []Segment) error {
	type key struct {
		id      string
		threads int
	}
	seen := make(map[key]bool, len(segments))
	for i, s := range segments {
		if s.ID == "" {
			return fmt.Errorf("profile: segment %d of the list has no ID", i)
		}
		if s.Threads < 1 {
			return fmt.Errorf("profile: segment %s: %d threads, want at least 1", s.ID, s.Threads)
		}
		if k := (key{s.ID, s.Threads}); seen[k] {
			return fmt.Errorf("profile: segment %s stands twice with %d threads", s.ID, s.Threads)
		} else {
			seen[k] = true
		}
		if err := s.Cost.validate("segment " + s.ID); err != nil {
			return err
		}
	}
	return nil
}
