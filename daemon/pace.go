package daemon

import "time"

// visits is a source whose frames come by themselves, and get old where nobody asks for them; *camera.Stream is one.
type visits interface {
	// Leave passes over the frame that Next would return at once if stale says so of its age and the usual time between two.
	Leave(stale func(age, period time.Duration) bool)
}

// fresh is how old a frame may be that is taken in any case.
const fresh = 2 * time.Millisecond

// scheduled is from when the period counts after a frame that was asked for, given from when it counted before: the schedule goes on
// where it was, so that neither a late timer nor waiting for the camera slows the rate down, unless it is more than a period behind.
func scheduled(last, asked time.Time, period time.Duration) time.Time {
	due := last.Add(period)
	if late := asked.Sub(due); late < 0 || late > period {
		return asked
	}
	return due
}

// waitingIsFree tells whether a frame of this age may be left for the next one without a frame less in the end. Frames come every
// period, their work takes so long, and the next one after this is due in spare. A camera whose frame is overdue gets no such trust.
//
//	         age          wait
//	frame ├────────┼──────────────┤ next frame
//	             asked            ├──── work ────┤
//	               ├────────────── spare ──────────────┤ next is due
//
// Where the work takes less than the camera's period the rule is simpler: whatever is taken as it comes is done before the next comes.
func waitingIsFree(age, period, work, spare time.Duration) bool {
	wait := period - age
	return age > fresh && wait > -period/2 && (work < period || wait+work <= spare)
}
