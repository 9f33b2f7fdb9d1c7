package daemon

import (
	"testing"
	"time"
)

func TestMedianFollowsTheLastFrames(t *testing.T) {
	var r recent
	if got := r.median(); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	for _, d := range []time.Duration{5, 1, 900} {
		r.add(d)
	}
	if got := r.median(); got != 5 {
		t.Errorf("of 5, 1, 900: %v", got)
	}
	for range medianOf/2 + 1 {
		r.add(7)
	}
	if got := r.median(); got != 7 {
		t.Errorf("of mostly 7: %v", got)
	}
	for range medianOf {
		r.add(3)
	}
	if got := r.median(); got != 3 {
		t.Errorf("after %d times 3: %v", medianOf, got)
	}
}
