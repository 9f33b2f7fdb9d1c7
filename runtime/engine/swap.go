package engine

import "github.com/fathom-edge/fathom/runtime/bundle"

// Swap replaces the bundle, and its options, while frames flow. The new one is
// loaded and warmed beside the old one, which takes as long as Open and the
// memory of both; meanwhile the old one infers. The next inference after that
// uses the new one. The variant of the same name becomes active, or the
// cheapest if there is none. The old bundle is freed once the frame that it
// inferred last is done with, which is when the next one begins: until then
// Deepen and the results of that frame are the old bundle's.
//
// After an error, the old bundle goes on as if nothing had been asked.
func (e *Engine) Swap(b *bundle.Bundle, opts Options) error {
	e.loading.Lock()
	defer e.loading.Unlock()
	return e.swap(b, opts)
}

// SetThreads sets the number of threads from the next inference on. XNNPACK's
// thread pool and the weights that it packed are bound together, so this loads
// the bundle anew, as Swap does.
func (e *Engine) SetThreads(threads int) error {
	e.loading.Lock()
	defer e.loading.Unlock()
	e.mu.Lock()
	b, opts := e.current.bundle, e.current.opts
	e.mu.Unlock()
	if opts.Threads == threads {
		return nil
	}
	if threads == 0 { // only Options have a default
		return errThreads(threads)
	}
	opts.Threads = threads
	return e.swap(b, opts)
}

// Threads is the number of threads of the next inference.
func (e *Engine) Threads() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current.opts.Threads
}

// swap needs e.loading.
func (e *Engine) swap(b *bundle.Bundle, opts Options) error {
	e.mu.Lock()
	closed := e.closed
	e.mu.Unlock()
	if closed {
		return ErrClosed
	}
	n, err := load(b, opts)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		n.close()
		return ErrClosed
	}
	if v := n.variants[e.current.active.name]; v != nil {
		n.active = v
	}
	n.users = 1
	e.release(e.current)
	e.current = n
	return nil
}

// release ends one use of a network, and frees it after the last, away from the
// inference. It needs e.mu.
func (e *Engine) release(n *network) {
	if n == nil {
		return
	}
	if n.users--; n.users == 0 {
		e.freeing.Go(n.close)
	}
}
