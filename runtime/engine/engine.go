// Package engine runs the active variant of a bundle through TensorFlow Lite.
//
// All segments of the bundle are loaded and run once when the engine is
// opened, so that a switch between variants costs nothing at the frame where
// it happens. One XNNPACK delegate is shared by all segments. A variant is a
// path of segments: each reads its input where the one before it wrote its output.
// Where the first segment takes int8, the frame is quantized on its way in;
// where the last one gives int8, logits are dequantized on their way out.
//
// An inference can be given a deadline (InferBy), by which it leaves the path of
// the active variant for a shallower one where time runs out. A frame whose
// answer is in doubt can be run on at a deeper variant, from where the two paths
// part (Deepen, SetEscalation). The whole bundle, or the number of threads, can
// be replaced while frames flow (Swap, SetThreads). docs/engine.md explains all
// three.
//
// Goroutines: Infer, InferBy, InferTensor, InferTensorBy, Deepen and Logits
// belong to one goroutine. Any may call the others at any time; what they
// change takes effect at the next inference. Close waits for the inference
// that runs.
//
// The package needs cgo. Built without it, everything compiles, and Open and
// RunPath return ErrNoInference.
package engine

import (
	"errors"
	"fmt"
	"image"
	"slices"
	"sync"
	"time"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// ErrNoInference is returned by a binary that was built without cgo.
var ErrNoInference = errors.New("engine: this binary was built without TensorFlow Lite: build it with cgo (make build)")

// ErrClosed is returned by an engine after Close.
var ErrClosed = errors.New("engine: closed")

// maxThreads is more than any board has; the limit catches mistaken units.
const maxThreads = 256

// Options hold for a bundle as it is loaded.
type Options struct {
	// Threads per inference; 0 means 1. On small networks one thread costs the
	// least energy, and more gain little.
	Threads int
	// WithoutXNNPACK runs TFLite's own kernels, which take several times as
	// long: they show what XNNPACK changes.
	WithoutXNNPACK bool
	// Profile is what deadlines are kept by; nil where none are given. It holds
	// the cost of every segment of the bundle at this number of threads.
	Profile *profile.Profile
}

// Result is one classification.
type Result struct {
	// Variant is the one that gave the scores.
	Variant string
	// Labels are those of the bundle, shared by all results: not to be changed.
	Labels []string
	// Scores are softmax probabilities by label; valid until the next inference.
	Scores []float32
	// Best is the index of the highest score, the lowest such index on a tie.
	Best int
	// Margin is by how much the highest score exceeds the second, in [0, 1].
	Margin float32
	// Latency is the inference alone, Preprocess the way from frame to tensor; of a tensor, its check and quantization.
	Latency, Preprocess time.Duration
	// Late says that the deadline passed before the scores were there.
	Late bool
	// First is the variant whose doubtful answer was deepened into this one, and
	// FirstLatency the part of Latency that it took; empty and 0 where nothing was.
	First        string
	FirstLatency time.Duration
}

// Engine is an opened bundle that can infer.
type Engine struct {
	frames sync.Mutex // held for one inference
	frame  frame      // the last one
	bucket bucket     // of escalations

	loading sync.Mutex // held while a bundle is loaded beside the current one

	mu      sync.Mutex // held for moments; guards the fields below, and the users and active variant of all networks
	current *network
	closed  bool
	share   float64 // of frames that may escalate
	freeing sync.WaitGroup
}

// frame is what was inferred last. It keeps its network loaded until the next.
type frame struct {
	network    *network
	in         tensor
	deadline   time.Time
	ran        *variant // whose activations are in memory; nil after a failure
	latency    time.Duration
	preprocess time.Duration
}

// Open loads every segment of the bundle, compares it with the manifest, and
// runs each variant once on zeros. The cheapest variant is active at first.
func Open(b *bundle.Bundle, opts Options) (*Engine, error) {
	n, err := load(b, opts)
	if err != nil {
		return nil, err
	}
	n.users = 1
	return &Engine{current: n}, nil
}

// Variants lists the names from the cheapest to the dearest.
func (e *Engine) Variants() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.current.names)
}

// Operators counts the operators of all segments, and how many of them XNNPACK runs.
func (e *Engine) Operators() (delegated, all int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.current.segments {
		delegated += s.delegated
		all += s.operators
	}
	return delegated, all
}

// SetActive chooses the variant of the next inference.
func (e *Engine) SetActive(name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	v, err := e.current.variant(name)
	if err != nil {
		return err
	}
	e.current.active = v
	return nil
}

// Active is the variant of the next inference.
func (e *Engine) Active() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current.active.name
}

// Infer classifies one frame with the active variant, without allocating.
func (e *Engine) Infer(img image.Image) (Result, error) { return e.InferBy(img, time.Time{}) }

// InferBy is Infer with a deadline, which preprocessing counts towards; see
// ErrDeadline. The zero time is none.
func (e *Engine) InferBy(img image.Image, deadline time.Time) (Result, error) {
	e.frames.Lock()
	defer e.frames.Unlock()
	start := time.Now()
	v, err := e.begin(deadline, start)
	if err != nil {
		return Result{}, err
	}
	f := &e.frame
	if err := f.network.preprocess(img); err != nil {
		return Result{}, err
	}
	f.in = f.network.input
	f.preprocess = time.Since(start)
	return e.answer(v)
}

// InferTensor classifies one preprocessed frame: Height x Width x 3 finite
// values, which must not change before the next inference if Deepen is called.
func (e *Engine) InferTensor(in []float32) (Result, error) {
	return e.InferTensorBy(in, time.Time{})
}

// InferTensorBy is InferTensor with a deadline, as InferBy is Infer with one.
func (e *Engine) InferTensorBy(in []float32, deadline time.Time) (Result, error) {
	e.frames.Lock()
	defer e.frames.Unlock()
	start := time.Now()
	v, err := e.begin(deadline, start)
	if err != nil {
		return Result{}, err
	}
	f := &e.frame
	if want := f.network.input.len(); len(in) != want {
		return Result{}, fmt.Errorf("engine: tensor of %d values: the bundle takes %d", len(in), want)
	}
	if i := notFinite(in); i >= 0 {
		return Result{}, fmt.Errorf("engine: value %d of the tensor is %v: a frame has finite values (broken preprocessing?)", i, in[i])
	}
	f.in = tensor{floats: in}
	if f.network.input.codes != nil {
		f.in = f.network.input
		f.in.set(in)
	}
	f.preprocess = time.Since(start)
	return e.answer(v)
}

// begin starts a frame with the network and the variant that are now current.
func (e *Engine) begin(deadline, now time.Time) (*variant, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	n := e.current
	if e.frame.network != n {
		n.users++
		e.release(e.frame.network)
	}
	e.frame = frame{network: n, deadline: deadline}
	e.bucket.fill(e.share)
	if deadline.IsZero() {
		return n.active, nil
	}
	return n.active, n.checkDeadline(deadline, now)
}

// answer runs a frame that begin started; it needs e.frames.
func (e *Engine) answer(v *variant) (Result, error) {
	f := &e.frame
	start := time.Now()
	var err error
	if f.deadline.IsZero() {
		err = v.run(f.in, 0)
	} else {
		v, err = f.network.runBy(v, f.in, start, f.deadline)
	}
	if err != nil {
		return Result{}, err
	}
	f.latency = time.Since(start)
	f.ran = v
	res, err := f.result()
	if err != nil || !e.doubts(res.Margin) {
		return res, err
	}
	return e.deepen(v.next)
}

// result reads the scores of the variant that ran.
func (f *frame) result() (Result, error) {
	n := f.network
	f.ran.path[len(f.ran.path)-1].out.get(n.logits)
	best, margin, ok := softmax(n.scores, n.logits)
	if !ok {
		return Result{}, fmt.Errorf("engine: variant %s gave a score that is no finite number (broken weights?)", f.ran.name)
	}
	return Result{
		Variant: f.ran.name, Labels: n.labels, Scores: n.scores, Best: best, Margin: margin,
		Latency: f.latency, Preprocess: f.preprocess, Late: f.late(),
	}, nil
}

func (f *frame) late() bool { return !f.deadline.IsZero() && time.Now().After(f.deadline) }

// Logits are the outputs of the last inference before softmax; valid until the next.
func (e *Engine) Logits() []float32 {
	if e.frame.network == nil {
		return nil
	}
	return e.frame.network.logits
}

// Close frees everything. Further calls do nothing.
func (e *Engine) Close() error {
	e.frames.Lock()
	defer e.frames.Unlock()
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		e.release(e.frame.network)
		e.release(e.current)
		e.frame = frame{}
	}
	e.mu.Unlock()
	e.freeing.Wait()
	return nil
}
