package journal

import (
	"fmt"
	"time"
)

// quiet is how long no line may have been dropped before all is well again.
const quiet = time.Minute

// teller tells changes of health once.
type teller struct {
	health  func(error)
	dropped uint64
	last    time.Time // when lines were last dropped
	broken  bool
}

// tell takes the outcome of a flush and how many lines were dropped up to now.
func (t *teller) tell(err error, dropped uint64, now time.Time) {
	if dropped > t.dropped {
		t.dropped, t.last = dropped, now
	}
	if err == nil && !t.last.IsZero() && now.Sub(t.last) < quiet {
		err = fmt.Errorf("%d lines dropped so far: more than an hour may have, or than waits for a slow disk", dropped)
	}
	if err != nil || t.broken {
		t.health(err)
	}
	t.broken = err != nil
}
