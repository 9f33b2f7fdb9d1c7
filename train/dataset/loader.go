package dataset

import (
	"context"
	"fmt"
	"image"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
)

// Batch is images with what is to be said of them.
type Batch struct {
	Images  []float32 // [n, height, width, 3]
	Targets []float32 // [n, classes]: one where the label is, or shares by mixup; each row sums to 1
	Labels  []int32   // [n], the class with the largest target
	// Number counts the batches of the run, from 0.
	Number int
	// Count is how many of the images count. The last batch of an evaluation is filled up with images that do not.
	Count int
}

// Options of a loader.
type Options struct {
	// Batch is the number of images of a batch.
	Batch int
	// Seed of the order of training images and of their augmentation.
	Seed    uint64
	Augment Augment
	// Workers is the number of goroutines that decode; 0 is one for each core. It does not change what is loaded.
	Workers int
}

// Loader makes batches of a data set. It may be used by any number of goroutines.
type Loader struct {
	data    Dataset
	options Options
}

// NewLoader checks that batches can be made.
func NewLoader(d Dataset, o Options) (*Loader, error) {
	spec := d.Spec()
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	if o.Batch < 1 {
		return nil, fmt.Errorf("dataset: batches of %d images: must be at least 1", o.Batch)
	}
	if field, err := o.Augment.check(min(spec.Width, spec.Height)); err != nil {
		return nil, fmt.Errorf("dataset: augment.%s %w", field, err)
	}
	if o.Workers < 1 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return &Loader{data: d, options: o}, nil
}

// Train yields the training batches from number first on, without end. A batch is valid until the loop goes on. The loop
// ends with an error, also that of the context; goroutines end with the loop.
func (l *Loader) Train(ctx context.Context, first int) iter.Seq2[*Batch, error] {
	n := l.data.Len(Train)
	if n < 0 {
		return failed(fmt.Errorf("dataset: %s has no training split", l.data.Name()))
	}
	order := &order{seed: l.options.Seed, n: n}
	return l.batches(ctx, plan{split: Train, first: first, sample: order.sample, vary: true})
}

// Evaluate yields the first samples of a split in their order, as the board sees them; samples of 0, or more than there
// are, is the whole split. A batch is valid until the loop goes on, which ends as that of Train does.
func (l *Loader) Evaluate(ctx context.Context, split Split, samples int) iter.Seq2[*Batch, error] {
	n := l.data.Len(split)
	switch {
	case n < 0:
		return failed(fmt.Errorf("dataset: %s has no %s split", l.data.Name(), split))
	case n == Endless && samples < 1:
		return failed(fmt.Errorf("dataset: the %s split of %s has no end: say how many samples to evaluate", split, l.data.Name()))
	case n != Endless && (samples < 1 || samples > n):
		samples = n
	}
	return l.batches(ctx, plan{split: split, samples: samples, sample: func(i int) int { return i % samples }})
}

func failed(err error) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) { yield(nil, err) }
}

// plan is what to load.
type plan struct {
	split   Split
	first   int           // batch
	samples int           // to count in all; 0 is without end
	sample  func(int) int // at an ordinal; one goroutine calls it
	vary    bool
}

// buffers is how many batches exist: one in use, the others ready or being filled.
const buffers = 3

// slot is a batch in the making.
type slot struct {
	Batch
	pending atomic.Int32
	done    chan struct{}
	mu      sync.Mutex
	err     error // of the first image that failed
	failed  int   // its place
}

// task is one image of a batch.
type task struct {
	slot                  *slot
	place, ordinal, index int
}

func (l *Loader) batches(ctx context.Context, p plan) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		var running sync.WaitGroup
		defer running.Wait()
		inner, stop := context.WithCancel(ctx)
		defer stop()

		free, ready, work := make(chan *slot, buffers), make(chan *slot, buffers), make(chan task)
		for range buffers {
			free <- l.newSlot()
		}
		for range l.options.Workers {
			w, err := l.newWorker(p)
			if err != nil {
				yield(nil, err)
				return
			}
			running.Go(func() { w.run(inner, work) })
		}
		running.Go(func() {
			defer close(ready)
			l.deal(inner, p, free, ready, work)
		})
		for s := range ready {
			select {
			case <-s.done:
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				break
			}
			if s.err != nil {
				yield(nil, s.err)
				return
			}
			if !yield(&s.Batch, nil) {
				return
			}
			free <- s
		}
		if err := ctx.Err(); err != nil {
			yield(nil, fmt.Errorf("dataset: %s: %w", l.data.Name(), err))
		}
	}
}

func (l *Loader) newSlot() *slot {
	n := l.options.Batch
	return &slot{Batch: Batch{
		Images:  make([]float32, n*l.data.Spec().Len()),
		Targets: make([]float32, n*len(l.data.Labels())),
		Labels:  make([]int32, n),
	}}
}

// deal hands out the images of batch after batch.
func (l *Loader) deal(ctx context.Context, p plan, free <-chan *slot, ready chan<- *slot, work chan<- task) {
	n := l.options.Batch
	for number := p.first; p.samples == 0 || number*n < p.samples; number++ {
		var s *slot
		select {
		case s = <-free:
		case <-ctx.Done():
			return
		}
		s.Number, s.Count = number, n
		if p.samples > 0 {
			s.Count = min(n, p.samples-number*n)
		}
		s.pending.Store(int32(n))
		s.done, s.err = make(chan struct{}), nil
		clear(s.Targets)
		ready <- s
		for place := range n {
			ordinal := number*n + place
			select {
			case work <- task{s, place, ordinal, p.sample(ordinal)}:
			case <-ctx.Done():
				return
			}
		}
	}
}

// worker decodes images. One goroutine uses it.
type worker struct {
	*Loader
	plan
	view    *viewer
	picture image.RGBA
}

func (l *Loader) newWorker(p plan) (*worker, error) {
	v, err := newViewer(l.data.Spec(), l.options.Augment)
	return &worker{Loader: l, plan: p, view: v}, err
}

func (w *worker) run(ctx context.Context, work <-chan task) {
	for {
		select {
		case t := <-work:
			w.finish(t, w.load(t))
		case <-ctx.Done():
			return
		}
	}
}

// load fills one place of a batch.
func (w *worker) load(t task) error {
	label, err := w.data.Sample(w.split, t.index, &w.picture)
	if err != nil {
		return err
	}
	size, classes := w.view.spec.Len(), len(w.data.Labels())
	if label < 0 || label >= classes {
		return fmt.Errorf("dataset: %s: sample %d of %s has class %d of %d", w.data.Name(), t.index, w.split, label, classes)
	}
	t.slot.Labels[t.place] = int32(label)
	t.slot.Targets[t.place*classes+label] = 1
	tensor := t.slot.Images[t.place*size : (t.place+1)*size]
	if w.vary {
		err = w.view.varied(tensor, &w.picture, w.options.Seed, t.ordinal)
	} else {
		err = w.view.as(tensor, &w.picture)
	}
	if err != nil {
		return fmt.Errorf("dataset: %s: sample %d of %s: %w", w.data.Name(), t.index, w.split, err)
	}
	return nil
}

// finish notes that an image is done; the last of a batch completes it.
func (w *worker) finish(t task, err error) {
	s := t.slot
	if err != nil {
		s.mu.Lock()
		if s.err == nil || t.place < s.failed {
			s.err, s.failed = err, t.place
		}
		s.mu.Unlock()
	}
	if s.pending.Add(-1) > 0 {
		return
	}
	if w.vary && w.options.Augment.Mixup > 0 && s.err == nil {
		s.mixup(w.options.Augment.Mixup, w.options.Seed, s.Number*len(s.Labels))
	}
	close(s.done)
}
