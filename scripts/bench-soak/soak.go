package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// counts of what happened.
type counts struct {
	frames, switches, swaps, threads, refused      atomic.Int64
	deadlines, left, late, past, escalated, deepen atomic.Int64
	wrong                                          atomic.Int64
}

// trial is one run.
type trial struct {
	engine   *engine.Engine
	subjects []*subject
	counts   counts
	limited  bool // memory may be refused

	loads sync.Mutex // held while a bundle is loaded, or memory is compared

	mu    sync.Mutex
	first error
}

// fail keeps the first error.
func (t *trial) fail(err error) {
	t.counts.wrong.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.first == nil {
		t.first = err
	}
}

// soak returns the rows and the log.
func soak(ctx context.Context, o options) ([]results.Row, []byte, error) {
	dir, remove, err := scratch()
	if err != nil {
		return nil, nil, err
	}
	defer remove()
	t := &trial{limited: o.memory > 0}
	if t.subjects, err = subjects(dir); err != nil {
		return nil, nil, err
	}
	if err := confine(o.memory); err != nil {
		return nil, nil, err
	}
	if t.engine, err = engine.Open(t.subjects[0].bundle, engine.Options{Profile: t.subjects[0].profile}); err != nil {
		return nil, nil, err
	}
	began := time.Now()
	watch := newWatch(o.length)
	t.run(ctx, o, watch)
	if err := t.engine.Close(); err != nil {
		t.fail(err)
	}
	if ctx.Err() != nil {
		return nil, nil, errors.New("interrupted: nothing was written")
	}
	return t.rows(o, watch, time.Since(began)), watch.log.Bytes(), t.first
}

// run ends after the time, with all goroutines.
func (t *trial) run(ctx context.Context, o options, watch *watch) {
	ctx, cancel := context.WithTimeout(ctx, o.length)
	defer cancel()
	var wg sync.WaitGroup
	for i, actor := range []struct {
		pause time.Duration // about
		act   func(*rand.Rand) error
	}{
		{3 * time.Millisecond, t.switchVariant},
		{7 * time.Millisecond, t.switchVariant},
		{20 * time.Millisecond, t.escalation},
		{300 * time.Millisecond, t.swap},
		{500 * time.Millisecond, t.setThreads},
	} {
		rng := rand.New(rand.NewPCG(o.seed, uint64(i)))
		wg.Go(func() {
			for sleep(ctx, time.Duration(rng.ExpFloat64()*float64(actor.pause))) {
				if err := actor.act(rng); err != nil {
					t.fail(err)
				}
				watch.alive(i + 1)
			}
		})
	}
	wg.Go(func() {
		rng := rand.New(rand.NewPCG(o.seed, 100))
		for ctx.Err() == nil {
			t.infer(rng)
			watch.alive(0)
			if o.rate > 0 {
				sleep(ctx, time.Duration(float64(time.Second)/o.rate))
			}
		}
	})
	wg.Go(func() { watch.run(ctx, t) })
	wg.Wait()
}

// sleep reports whether there is still something to do.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// infer classifies a frame in one of the ways there are, and often goes deeper.
func (t *trial) infer(rng *rand.Rand) {
	i := rng.IntN(frames)
	var deadline time.Time
	if rng.IntN(2) == 0 {
		deadline = time.Now().Add(time.Duration(rng.Int64N(int64(6*time.Millisecond))) - 300*time.Microsecond)
	}
	active := t.engine.Active()
	res, err := t.engine.InferBy(pictures()[i], deadline)
	if !deadline.IsZero() {
		t.counts.deadlines.Add(1)
	}
	switch {
	case errors.Is(err, engine.ErrDeadline) && !deadline.IsZero():
		t.counts.past.Add(1)
		return
	case err != nil:
		t.fail(err)
		return
	}
	t.checked(i, res)
	if res.First != "" {
		t.counts.escalated.Add(1)
	}
	if res.Late {
		t.counts.late.Add(1)
	}
	if !deadline.IsZero() && res.First == "" && res.Variant != active {
		t.counts.left.Add(1) // or it was switched meanwhile
	}
	if rng.IntN(3) > 0 {
		return
	}
	names := t.engine.Variants()
	res, err = t.engine.Deepen(names[rng.IntN(len(names))])
	if err != nil {
		return // a swap gave it other variants; those of the frame are checked when they fit
	}
	t.counts.deepen.Add(1)
	t.checked(i, res)
}

func (t *trial) checked(frame int, res engine.Result) {
	t.counts.frames.Add(1)
	if err := check(t.subjects, frame, res, t.engine.Logits()); err != nil {
		t.fail(err)
	}
}

func (t *trial) switchVariant(rng *rand.Rand) error {
	names := t.engine.Variants()
	// A swap in between may have taken the name away.
	if t.engine.SetActive(names[rng.IntN(len(names))]) == nil {
		t.counts.switches.Add(1)
	}
	return nil
}

func (t *trial) escalation(rng *rand.Rand) error {
	return t.engine.SetEscalation(max(0, rng.Float64()*1.5-0.5))
}

func (t *trial) swap(rng *rand.Rand) error {
	t.loads.Lock()
	defer t.loads.Unlock()
	s := t.subjects[rng.IntN(len(t.subjects))]
	err := t.engine.Swap(s.bundle, engine.Options{Threads: 1 + rng.IntN(maxThreads), Profile: s.profile})
	return t.loaded(&t.counts.swaps, err)
}

func (t *trial) setThreads(rng *rand.Rand) error {
	t.loads.Lock()
	defer t.loads.Unlock()
	return t.loaded(&t.counts.threads, t.engine.SetThreads(1+rng.IntN(maxThreads)))
}

// loaded counts what was loaded. Under a limit of memory a clear refusal is as good.
func (t *trial) loaded(count *atomic.Int64, err error) error {
	if t.limited && err != nil && errors.Is(err, engine.ErrMemory) {
		t.counts.refused.Add(1)
		return nil
	}
	if err == nil {
		count.Add(1)
	}
	return err
}

// comparable calls measure while the first bundle is loaded with one thread and
// nothing else is, so that all measurements are of the same thing.
func (t *trial) comparable(ctx context.Context, measure func()) {
	t.loads.Lock()
	defer t.loads.Unlock()
	s := t.subjects[0]
	swapped := t.engine.Swap(s.bundle, engine.Options{Profile: s.profile})
	if err := t.loaded(&t.counts.swaps, swapped); err != nil {
		t.fail(err)
	}
	if swapped != nil {
		return
	}
	// The bundle before is freed when the next frame begins; two answers may be of the frame before.
	for last := t.counts.frames.Load(); t.counts.frames.Load() < last+3; {
		if !sleep(ctx, time.Millisecond) {
			return
		}
	}
	if sleep(ctx, 100*time.Millisecond) {
		measure()
	}
}

// rows states what happened.
func (t *trial) rows(o options, w *watch, took time.Duration) []results.Row {
	command := o.command(os.Args[1:])
	machine := results.Machine()
	var rows []results.Row
	add := func(id, what string, value float64, unit, op string, limit float64) {
		r := results.One(o.kind()+"/"+id, what, value, unit, op, limit, command)
		r.Machine = machine
		rows = append(rows, r)
	}
	c := &t.counts
	early, late := tenths(w.resident)
	before, after := tenths(w.threads)
	add("length", "length of the run", took.Seconds(), "s", "", 0)
	add("wrong", "errors, and answers that differ from the variant's own", float64(c.wrong.Load()), "", "<=", 0)
	add("memory", "resident memory with the same bundle, median of the last tenth of the samples against that of the second tenth", 100*(late/early-1), "%", "<=", 2)
	add("resident", "resident memory with that bundle, median of the last tenth", late/(1<<20), "MiB", "", 0)
	add("system-threads", "threads of the process, median of the last tenth less that of the second", after-before, "", "<=", 1)
	add("stall", "longest time without a frame", w.stall.Seconds(), "s", "", 0)
	for _, n := range []struct {
		id, what string
		count    *atomic.Int64
	}{
		{"frames", "answers compared", &c.frames}, {"switches", "switches of the variant", &c.switches},
		{"swaps", "bundles swapped", &c.swaps}, {"threads", "changes of the number of threads", &c.threads},
		{"refused", "loads refused for lack of memory", &c.refused},
		{"deadlines", "frames with a deadline", &c.deadlines}, {"past", "of those, refused since it had passed", &c.past},
		{"left", "of those, answered by another variant than the active one", &c.left}, {"late", "of those, answered too late", &c.late},
		{"escalated", "frames escalated by the engine", &c.escalated}, {"deepened", "frames deepened by hand", &c.deepen},
	} {
		add(n.id, n.what, float64(n.count.Load()), "", "", 0)
	}
	return rows
}
