package governor

import (
	"math"
	"time"
)

// Split is where on the ladder a budget of drive is spent: time is split between
// two neighbouring rungs so that the budget is met exactly, and below the
// shallowest the frame period grows.
//
//	drive ▲        ╱ share 1: the upper rung all the time
//	      │      ╱
//	      │    ╱     pair (i, i+1)
//	      │  ╱
//	      │╱ share 0: the lower rung all the time
//
// A pair is left to the deeper side when the budget exceeds its upper rung by
// pairRise of the next rung's step, and the dwell has passed; to the shallower
// side at once when the budget falls below its lower rung by pairFall of a step.
type Split struct {
	Pair int `json:"pair"` // the lower of the two rungs
	// On is set while the upper rung runs, and Owed the seconds for which it should have run and did not.
	On    bool    `json:"on,omitempty"`
	Owed  float64 `json:"owed,omitempty"`
	Share float64 `json:"share,omitempty"` // of time that the upper rung is to have
	// Slower is by how many steps of 4 % the frame period is longer than wanted.
	Slower int `json:"slower,omitempty"`
	// PairAt and SlowerAt are when those last changed, and DeeperAt when the pair last became deeper.
	PairAt   time.Time `json:"pair_at,omitzero"`
	DeeperAt time.Time `json:"deeper_at,omitzero"`
	SlowerAt time.Time `json:"slower_at,omitzero"`
	// Dwell is the least time from a change of the pair to a deeper one. It doubles
	// with every change back, up to mostDwell, and starts again after a quiet time of that length.
	Dwell time.Duration `json:"dwell_ns,omitempty"`
}

const (
	pairRise     = 0.15
	pairFall     = 0.05
	mostDwell    = 5 * time.Minute
	slowerStep   = 1.04
	mostSlower   = 256
	longestSlice = 10 // s
)

// spend is what a step may do on the ladder.
type spend struct {
	// depthDrive and rateDrive are the budgets for inference that depth and rate follow,
	// and cost is what one frame a second of each rung drives.
	depthDrive, rateDrive float64
	peak                  float64 // the most that the upper rung may drive now
	cost                  perRung
	// least and top are the rungs between which it may go.
	least, top int
	fps        float64 // wanted
	leastFPS   float64
	// rateFirst lowers the rate before the depth.
	rateFirst bool
	// switching is what one switch drives, in seconds of full drive.
	switching float64
	slice     float64
	// lateSwitch is the probability that the first frame of the upper rung of a pair is late, and lateShare how many frames may be.
	lateSwitch perRung
	lateShare  float64
	// again is the second look that doubtful frames of the rung below an upper one may have,
	// instead of turns by the clock.
	again [maxRungs]Escalation
	// overLate says that more frames were late of late than may be.
	overLate bool
	dwell    time.Duration
	now      time.Time
	seconds  float64 // since the last step
}

// spend moves along the ladder and returns the rung to run and the frames a second.
func (s *Split) spend(w *spend, first bool) (rung int, fps float64) {
	s.settle(w, first)
	fps = w.fps
	for range s.Slower {
		fps /= slowerStep
	}
	fps = max(fps, w.leastFPS)

	at := s.position(w, fps)
	pair := w.pairOf(at)
	top := max(w.top-1, w.least)
	current := min(max(s.Pair, w.least), top)
	switch {
	case first:
		s.move(w, pair)
	case current != s.Pair: // the range became narrower
		s.move(w, min(current, pair))
	case at < float64(s.Pair)-pairFall && pair < s.Pair:
		s.fell(w)
		s.move(w, pair)
	case pair > s.Pair && at >= float64(s.Pair+1)+pairRise && s.mayDeepen(w, pair):
		s.DeeperAt = w.now
		s.move(w, pair)
	}
	s.Share = min(max(s.position(w, fps)-float64(s.Pair), 0), 1)
	if w.top == s.Pair { // a ladder of one rung
		s.Share = 0
	}
	s.Share = s.charged(w, fps)
	s.alternate(w, fps)
	rung = s.Pair
	if s.On {
		rung++
	}
	return rung, fps
}

// position is where on the ladder the budget is, as a rung with a fraction.
func (s *Split) position(w *spend, fps float64) float64 {
	for i := w.least; i < w.top; i++ {
		low, high := float64(w.cost[i]*fps), float64(w.cost[i+1]*fps)
		if w.depthDrive < high {
			return float64(i) + (w.depthDrive-low)/max(high-low, 1e-9)
		}
	}
	return float64(w.top)
}

// pairOf is the lower rung of the pair that holds a position.
func (w *spend) pairOf(at float64) int {
	return min(max(int(math.Floor(at)), w.least), max(w.top-1, w.least))
}

func (s *Split) move(w *spend, pair int) {
	if pair == s.Pair && !s.PairAt.IsZero() {
		return
	}
	s.Pair, s.PairAt, s.On, s.Owed = pair, w.now, false, 0
}

// mayDeepen says whether the dwell has passed; a great change need not wait for one that grew.
func (s *Split) mayDeepen(w *spend, pair int) bool {
	dwell := max(s.Dwell, w.dwell)
	if pair > s.Pair+1 {
		dwell = w.dwell
	}
	return w.now.Sub(s.PairAt) >= dwell
}

// fell makes the dwell longer when a change to a deeper pair did not last.
func (s *Split) fell(w *spend) {
	switch since := w.now.Sub(s.DeeperAt); {
	case s.DeeperAt.IsZero() || since > 2*mostDwell:
		s.Dwell = w.dwell
	case since <= mostDwell:
		s.Dwell = min(2*max(s.Dwell, w.dwell), mostDwell)
	}
}

// charged is the share after what switching between the two rungs costs; a share
// that is not worth the switching becomes 0.
func (s *Split) charged(w *spend, fps float64) float64 {
	if s.Share <= 0 || s.Share >= 1 {
		return s.Share
	}
	step := (w.cost[s.Pair+1] - w.cost[s.Pair]) * fps
	slice := s.sliceAt(w, fps)
	cost := w.switching * s.Share * (1 - s.Share) / slice
	if gain := float64(s.Share * step); cost >= gain {
		return 0
	}
	return s.Share - cost/max(step, 1e-9)
}

// sliceAt makes turns longer where each costs a late frame: those are to be less
// than half of what is allowed.
func (s *Split) sliceAt(w *spend, fps float64) float64 {
	upper := min(s.Pair+1, w.top)
	needed := w.lateSwitch[upper] * s.Share * (1 - s.Share) / (w.lateShare * fps)
	return max(w.slice, 1/fps, min(needed, longestSlice))
}

// alternate runs the upper rung for its share, in turns of at least twice the slice.
// Where a turn begins with a late frame, it waits until one is to spare.
func (s *Split) alternate(w *spend, fps float64) {
	slice := s.sliceAt(w, fps)
	on := 0.
	if s.On {
		on = 1
	}
	share := s.turns(w)
	s.Owed = min(max(s.Owed+float64((share-on)*min(w.seconds, 10)), -4*slice), 4*slice)
	upper := min(s.Pair+1, w.top)
	wait := !s.On && w.overLate && w.lateSwitch[upper] > w.lateShare
	switch {
	case share == 0:
		s.On, s.Owed = false, 0
	case wait, w.cost[upper]*fps > w.peak:
		s.On = false
	case s.Share == 1:
		s.On, s.Owed = true, 0
	case s.Owed >= slice:
		s.On = true
	case s.Owed <= -slice:
		s.On = false
	}
}

// escalation is the share of the lower rung's frames that may have a second look.
func (s *Split) escalation(w *spend) float64 {
	if s.Share == 0 || s.Share == 1 {
		return 0
	}
	upper := min(s.Pair+1, w.top)
	again, _ := w.again[upper].Spend(s.Share, w.cost[s.Pair], w.cost[upper])
	return again
}

// turns is the share of time that the upper rung is to have beside second looks.
func (s *Split) turns(w *spend) float64 {
	if s.Share == 0 || s.Share == 1 {
		return s.Share
	}
	upper := min(s.Pair+1, w.top)
	_, turns := w.again[upper].Spend(s.Share, w.cost[s.Pair], w.cost[upper])
	return turns
}

// Spend splits what a share of turns of the upper rung would cost above the lower:
// first into second looks at the frames of the lower rung that are in doubt, and
// what these leave into turns.
func (e Escalation) Spend(share, lower, upper float64) (again, turns float64) {
	step := upper - lower
	look := float64(e.Cost * upper)
	if e.Share == 0 || look <= 0 || step <= 0 {
		return 0, share
	}
	spent, all := float64(share*step), float64(e.Share*look)
	if spent <= all {
		return spent / look, 0
	}
	return e.Share, (spent - all) / (step - all)
}

// settle finds how much slower than wanted the frames have to come.
func (s *Split) settle(w *spend, first bool) {
	from := w.least
	if w.rateFirst {
		from = w.top
	}
	most := 0
	for fps := w.fps; fps > w.leastFPS && most < mostSlower; fps /= slowerStep {
		most++
	}
	need := 0
	for fps := w.fps; need < most && w.cost[from]*fps > w.rateDrive; fps /= slowerStep {
		need++
	}
	s.Slower = min(s.Slower, most)
	switch {
	case first || need > s.Slower:
		s.Slower, s.SlowerAt = need, w.now
	case need < s.Slower && w.now.Sub(s.SlowerAt) >= w.dwell/2 && (need < s.Slower-1 || need == 0):
		s.Slower, s.SlowerAt = need, w.now
	}
}
