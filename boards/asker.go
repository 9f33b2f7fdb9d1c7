package boards

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// asker calls sensors that may hang in a driver, each on its own goroutine, and
// never has more than one call to the same sensor under way. So a sensor that
// never returns costs one goroutine, not one for every snapshot.
type asker struct {
	mu   sync.Mutex
	busy map[string]time.Time // when the call that is under way began
}

func newAsker() *asker { return &asker{busy: make(map[string]time.Time)} }

// pending is an answer on its way.
type pending[T any] struct {
	answer chan answer[T] // holds one
}

type answer[T any] struct {
	value T
	err   error
}

// begin asks the sensor called key, unless its last call is still under way.
// ask must not touch what the caller changes meanwhile.
func begin[T any](a *asker, key string, ask func() (T, error)) pending[T] {
	p := pending[T]{make(chan answer[T], 1)}
	a.mu.Lock()
	defer a.mu.Unlock()
	if since, ok := a.busy[key]; ok {
		p.answer <- answer[T]{err: fmt.Errorf("%s hangs: it was asked %s ago and is not asked again until it answers",
			key, time.Since(since).Round(time.Second))}
		return p
	}
	a.busy[key] = time.Now()
	go func() {
		v, err := ask()
		a.mu.Lock()
		delete(a.busy, key)
		a.mu.Unlock()
		p.answer <- answer[T]{v, err}
	}()
	return p
}

// waiter bounds the waiting of one snapshot.
type waiter struct {
	ctx      context.Context
	patience time.Duration // from the beginning of the snapshot, for the message
}

// wait returns the answer, or an error when the context ends first.
func wait[T any](w *waiter, p pending[T]) (T, error) {
	select {
	case a := <-p.answer:
		return a.value, a.err
	default:
	}
	select {
	case a := <-p.answer:
		return a.value, a.err
	case <-w.ctx.Done():
		var zero T
		return zero, fmt.Errorf("did not answer within %s", w.patience.Round(time.Millisecond))
	}
}
