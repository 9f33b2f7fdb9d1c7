package boards

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// keepFor is how long the last answer of a sensor that does not answer in time
	// is given on, with the time at which it was read.
	keepFor = 5 * time.Second
	// A sensor that fails is asked again after retryFirst, then after twice that, up to retryMost.
	retryFirst = time.Second
	retryMost  = 16 * time.Second
)

// asker calls sensors that may hang in a driver, each on its own goroutine, and
// never has more than one call to the same sensor under way. So a sensor that
// never returns costs one goroutine, not one for every snapshot.
//
//	sensor        this snapshot                       the next ones
//	answers       the answer                          is asked
//	fails         unknown                             asked after 1, 2, 4, 8, 16, 16 … s, unknown until then
//	late          last answer if 5 s old at most,     is asked, and no longer waited for until it is
//	              or unknown                          quick again: what came since is given
//	hangs         the same                            not asked until it answers
type asker struct {
	now func() time.Time

	mu      sync.Mutex
	sensors map[string]*sensor
}

// sensor is what is known of one sensor's manners.
type sensor struct {
	began    time.Time // when the call that is under way began; zero if none is
	late     bool      // the last call took longer than the snapshot waited
	last     any       // the last answer
	lastAt   time.Time // when it came
	failures int       // since the last answer
	failure  error
	retryAt  time.Time
}

func newAsker(now func() time.Time) *asker {
	return &asker{now: now, sensors: make(map[string]*sensor)}
}

// pending is an answer on its way.
type pending[T any] struct {
	answer    chan answer[T] // holds one
	last      answer[T]      // what is given if none comes in time
	hasLast   bool
	impatient bool // do not wait for longer than for the others
}

type answer[T any] struct {
	value T
	err   error
}

// begin asks the sensor called key, unless its last call is still under way or it
// is left alone for a while after a failure. ask must not touch what the caller
// changes meanwhile. An answer says itself when it was read.
func begin[T any](a *asker, w *waiter, key string, ask func() (T, error)) pending[T] {
	p := pending[T]{answer: make(chan answer[T], 1)}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sensors[key]
	if s == nil {
		s = &sensor{}
		a.sensors[key] = s
	}
	now := a.now()
	if value, ok := s.last.(T); ok && now.Sub(s.lastAt) <= keepFor {
		p.last, p.hasLast = answer[T]{value: value}, true
	}
	switch {
	case !s.began.IsZero():
		if p.hasLast {
			p.answer <- p.last
			return p
		}
		p.answer <- answer[T]{err: fmt.Errorf("%s hangs: it was asked %s ago and is not asked again until it answers",
			key, time.Since(s.began).Round(time.Second))}
		return p
	case now.Before(s.retryAt):
		times := "once"
		if s.failures > 1 {
			times = fmt.Sprintf("%d times", s.failures)
		}
		p.answer <- answer[T]{err: fmt.Errorf("%w (failed %s, is asked again in %s)", s.failure, times, s.retryAt.Sub(now).Round(time.Second))}
		return p
	}
	p.impatient = s.late && p.hasLast
	s.began = time.Now()
	go func() {
		v, err := ask()
		a.mu.Lock()
		s.late = time.Since(s.began) > w.patience
		s.began = time.Time{}
		s.note(a.now(), v, err)
		a.mu.Unlock()
		p.answer <- answer[T]{v, err}
	}()
	return p
}

// note keeps an answer or a failure.
func (s *sensor) note(now time.Time, value any, err error) {
	if err == nil {
		s.last, s.lastAt = value, now
		s.failures, s.failure, s.retryAt = 0, nil, time.Time{}
		return
	}
	s.last = nil
	wait := retryMost
	if s.failures < 4 {
		wait = min(retryFirst<<s.failures, retryMost)
	}
	s.failures++
	s.failure, s.retryAt = err, now.Add(wait)
}

// waiter bounds the waiting of one snapshot.
type waiter struct {
	ctx      context.Context
	patience time.Duration // from the beginning of the snapshot
}

// wait returns the answer; when the context ends first, the last one, or an error.
func wait[T any](w *waiter, p pending[T]) (T, error) {
	select {
	case a := <-p.answer:
		return a.value, a.err
	default:
	}
	if p.impatient {
		return p.last.value, nil
	}
	select {
	case a := <-p.answer:
		return a.value, a.err
	case <-w.ctx.Done():
	}
	if p.hasLast {
		return p.last.value, nil
	}
	var zero T
	return zero, fmt.Errorf("did not answer within %s", w.patience.Round(time.Millisecond))
}
