package daemon

import "time"

// setClock notices when the wall clock is set: by somebody, by the network's time, or by waking up after sleep.
type setClock struct{ last time.Time }

// by is by how much it was set since the last call, about; 0 for less than a second. now carries Go's monotonic clock.
func (c *setClock) by(now time.Time) time.Duration {
	last := c.last
	c.last = now
	if last.IsZero() {
		return 0
	}
	if set := off(last, now); set.Abs() >= time.Second {
		return set.Round(time.Second)
	}
	return 0
}

// off is by how much the wall clock was set between two times.
func off(then, now time.Time) time.Duration { return now.Round(0).Sub(then.Round(0)) - now.Sub(then) }

// dated gives a state the times that its moments have by the clock as it is set now: a board without a clock of its own starts with
// a wrong one, which is set once it has a network.
func dated(s State) State {
	s.Started = timeNow(s.Started, s.Now)
	for i := range s.Recent {
		s.Recent[i].Since = timeNow(s.Recent[i].Since, s.Now)
	}
	return s
}

// timeNow is when a moment was by the clock that says now. Both carry Go's monotonic clock. One that the clock was not set after
// by more than a second stays as it is, so that nothing on the page flickers.
func timeNow(moment, now time.Time) time.Time {
	if off(moment, now).Abs() < time.Second {
		return moment
	}
	return now.Round(0).Add(-now.Sub(moment)).Round(time.Second)
}
