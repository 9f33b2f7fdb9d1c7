package engine

import "time"

// pace is how the last frames with a deadline went against the profile. A board
// that is slower than it was takes longer for everything, by a factor that shows
// in each frame. A program that takes the processor for a moment delays one frame
// in many, by a time that has nothing to do with its depth, and more likely the
// longer it runs: only a longer memory sees that.
type pace struct {
	// slowdown is measured time over profiled time: it rises at once and falls by a
	// quarter of the way with each frame. 0 before the first frame.
	slowdown float64
	// delays are by how much each of the last frames took longer than profiled, the
	// oldest at next, and longest is the greatest of them.
	delays  [remembered]time.Duration
	next    int
	longest time.Duration
}

const (
	slowdownFall = 0.25
	// remembered is of how many frames one may be late.
	remembered = 100
)

func (p *pace) observe(took, profiled time.Duration) {
	p.delays[p.next] = max(took-profiled, 0)
	p.next = (p.next + 1) % remembered
	p.longest = 0
	for _, d := range p.delays {
		p.longest = max(p.longest, d)
	}
	if ratio := float64(took) / float64(profiled); p.slowdown < ratio {
		p.slowdown = ratio
	} else {
		p.slowdown += slowdownFall * (ratio - p.slowdown)
	}
}

// outlook is what the rest of a frame has to reckon with.
type outlook struct {
	slowdown float64
	delay    time.Duration
}

// within is the outlook in the middle of a frame: the slowdown is the worse of
// what the frames before and this one until now say, and what has already
// delayed it is not expected again.
func (p *pace) within(elapsed, profiled time.Duration) outlook {
	o := outlook{p.slowdown, max(p.longest-max(elapsed-profiled, 0), 0)}
	if o.slowdown == 0 {
		o.slowdown = 1
	}
	if profiled > 0 {
		o.slowdown = max(o.slowdown, float64(elapsed)/float64(profiled))
	}
	return o
}

// fits says whether what lies ahead ends in the time left.
func (o outlook) fits(ahead step, left time.Duration) bool {
	time := float64(max(left, 0))
	return o.slowdown*float64(ahead.rest) <= time && min(o.slowdown, 1)*float64(ahead.mean)+float64(o.delay) <= time
}
