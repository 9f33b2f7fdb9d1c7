package daemon

import "time"

// accuracyWindow is how far back the rolling accuracy looks.
const accuracyWindow = time.Minute

// rolling counts right answers over accuracyWindow. Its owner locks.
type rolling struct {
	at    []time.Time
	right []bool
	tally Tally
}

func (r *rolling) add(at time.Time, right bool) {
	r.at, r.right = append(r.at, at), append(r.right, right)
	r.tally.Of++
	if right {
		r.tally.Right++
	}
	r.forget(at)
}

// forget drops what is older than the window.
func (r *rolling) forget(now time.Time) {
	n := 0
	for n < len(r.at) && now.Sub(r.at[n]) > accuracyWindow {
		if r.right[n] {
			r.tally.Right--
		}
		r.tally.Of--
		n++
	}
	if n == 0 {
		return
	}
	r.at, r.right = append(r.at[:0], r.at[n:]...), append(r.right[:0], r.right[n:]...)
}
