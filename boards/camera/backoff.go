package camera

import "time"

// backoff returns how long to wait after the given number of failures in a row
// (1, 2, …): twice as long each time, from lower up to upper, less up to a half
// by chance (in [0, 1)), so that many clients do not come back all at once.
func backoff(failures int, lower, upper time.Duration, chance float64) time.Duration {
	delay := lower
	for i := 1; i < failures && delay < upper; i++ {
		delay *= 2
	}
	delay = min(delay, upper)
	return delay - time.Duration(chance*float64(delay)/2)
}
