package daemon

import "time"

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
	ago := now.Sub(moment)
	if off := now.Round(0).Sub(moment.Round(0)) - ago; off.Abs() < time.Second {
		return moment
	}
	return now.Round(0).Add(-ago).Round(time.Second)
}
