// Package engine runs the active variant of a bundle through TensorFlow Lite.
//
// All segments of the bundle are loaded and run once when the engine is
// opened, so that a switch between variants costs nothing at the frame where
// it happens. One XNNPACK delegate is shared by all segments. A variant is a
// path of segments: the output of each is copied to the input of the next.
// Where the first segment takes int8, the frame is quantized on its way in;
// where the last one gives int8, logits are dequantized on their way out.
//
// Goroutines: one at a time may infer; any may call SetActive and Active, also
// meanwhile. A switch takes effect at the next inference. Close must not be
// called by a goroutine that still reads a Result.
//
// The package needs cgo. Built without it, everything compiles, and Open and
// RunPath return ErrNoInference.
package engine

import (
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// ErrNoInference is returned by a binary that was built without cgo.
var ErrNoInference = errors.New("engine: this binary was built without TensorFlow Lite: build it with cgo (make build)")

// ErrClosed is returned by an engine after Close.
var ErrClosed = errors.New("engine: closed")

// maxThreads is more than any board has; the limit catches mistaken units.
const maxThreads = 256

// Options are fixed for the life of an engine.
type Options struct {
	// Threads per inference; 0 means 1. On small networks one thread costs the
	// least energy, and more gain little.
	Threads int
	// WithoutXNNPACK runs TFLite's own kernels, which take several times as
	// long: they show what XNNPACK changes.
	WithoutXNNPACK bool
}

// Result is one classification.
type Result struct {
	Variant string
	// Scores are softmax probabilities by label; valid until the next inference.
	Scores []float32
	// Best is the index of the highest score, the lowest such index on a tie.
	Best int
	// Latency is the inference alone, Preprocess the way from frame to tensor.
	Latency, Preprocess time.Duration
}

// Engine is an opened bundle that can infer.
type Engine struct {
	names    []string
	variants map[string]*variant
	active   atomic.Pointer[variant]
	closed   atomic.Bool

	opts Options

	mu       sync.Mutex // held while inferring and closing
	runtime  *runtime
	segments []*segment
	prep     *preprocess.Preprocessor
	input    []float32 // the preprocessed frame
	logits   []float32
	scores   []float32
}

// variant is one path through the loaded segments.
type variant struct {
	name string
	path []*segment
}

// Open loads every segment of the bundle, compares it with the manifest, and
// runs each variant once on zeros.
func Open(b *bundle.Bundle, opts Options) (*Engine, error) {
	m := b.Manifest
	prep, err := preprocess.New(m.Preprocess)
	if err != nil {
		return nil, err
	}
	if opts.Threads == 0 {
		opts.Threads = 1
	}
	if opts.Threads < 1 || opts.Threads > maxThreads {
		return nil, fmt.Errorf("engine: %d threads: must be 1 to %d", opts.Threads, maxThreads)
	}
	rt, err := newRuntime(opts)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		variants: make(map[string]*variant, len(m.Variants)),
		opts:     opts,
		runtime:  rt,
		prep:     prep,
		input:    make([]float32, m.Preprocess.Len()),
		logits:   make([]float32, len(m.Labels)),
		scores:   make([]float32, len(m.Labels)),
	}
	if err := e.load(b); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *Engine) load(b *bundle.Bundle) error {
	loaded := make(map[string]*segment, len(b.Manifest.Segments))
	for _, s := range b.Manifest.Segments {
		seg, err := e.runtime.load(b.SegmentPath(s.ID))
		if err != nil {
			return err
		}
		e.segments = append(e.segments, seg)
		if err := seg.check(s, e.opts); err != nil {
			return err
		}
		loaded[s.ID] = seg
	}
	for _, mv := range b.Manifest.Variants {
		v := &variant{name: mv.Name}
		for _, id := range mv.Path {
			v.path = append(v.path, loaded[id])
		}
		e.names = append(e.names, v.name)
		e.variants[v.name] = v
		if err := v.run(e.logits, e.input); err != nil {
			return err
		}
		for _, s := range v.path {
			if err := s.settled(); err != nil {
				return err
			}
		}
	}
	e.active.Store(e.variants[e.names[0]])
	return nil
}

// check compares what TFLite found in the file with the manifest.
func (s *segment) check(want bundle.Segment, opts Options) error {
	if err := s.in.check(want.Input, want.InputQuantization); err != nil {
		return fmt.Errorf("engine: %s: its input %w: convert the family again", want.File, err)
	}
	if err := s.out.check(want.Output, want.OutputQuantization); err != nil {
		return fmt.Errorf("engine: %s: its output %w: convert the family again", want.File, err)
	}
	if !opts.WithoutXNNPACK && want.MACs > 0 && s.delegated == 0 {
		return fmt.Errorf("engine: %s: XNNPACK took none of its %d operators, so it would run several times slower: link a TensorFlow Lite library that has XNNPACK",
			want.File, s.operators)
	}
	return nil
}

// run is one inference, from a preprocessed frame to logits.
func (v *variant) run(logits, in []float32) error {
	v.path[0].in.set(in)
	for i, s := range v.path {
		if i > 0 {
			s.in.copyFrom(v.path[i-1].out)
		}
		if err := s.invoke(); err != nil {
			return err
		}
	}
	v.path[len(v.path)-1].out.get(logits)
	return nil
}

// Variants lists the names from the cheapest to the dearest.
func (e *Engine) Variants() []string { return slices.Clone(e.names) }

// Operators counts the operators of all segments, and how many of them XNNPACK runs.
func (e *Engine) Operators() (delegated, all int) {
	for _, s := range e.segments {
		delegated += s.delegated
		all += s.operators
	}
	return delegated, all
}

// SetActive chooses the variant of the next inference.
func (e *Engine) SetActive(name string) error {
	if e.closed.Load() {
		return ErrClosed
	}
	v := e.variants[name]
	if v == nil {
		return fmt.Errorf("engine: no variant %q: the bundle has %s", name, strings.Join(e.names, ", "))
	}
	e.active.Store(v)
	return nil
}

// Active is the variant of the next inference; at first the cheapest.
func (e *Engine) Active() string { return e.active.Load().name }

// Infer classifies one frame with the active variant, without allocating.
func (e *Engine) Infer(img image.Image) (Result, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	start := time.Now()
	if err := e.prep.Apply(e.input, img); err != nil {
		return Result{}, err
	}
	took := time.Since(start)
	res, err := e.infer(e.input)
	res.Preprocess = took
	return res, err
}

// InferTensor classifies one preprocessed frame: Height x Width x 3 values.
func (e *Engine) InferTensor(in []float32) (Result, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(in) != len(e.input) {
		return Result{}, fmt.Errorf("engine: tensor of %d values: the bundle takes %d", len(in), len(e.input))
	}
	return e.infer(in)
}

// infer needs e.mu.
func (e *Engine) infer(in []float32) (Result, error) {
	if e.closed.Load() {
		return Result{}, ErrClosed
	}
	v := e.active.Load()
	start := time.Now()
	err := v.run(e.logits, in)
	took := time.Since(start)
	if err != nil {
		return Result{}, err
	}
	best, ok := softmax(e.scores, e.logits)
	if !ok {
		return Result{}, fmt.Errorf("engine: variant %s gave a score that is no finite number (broken weights, or a tensor with such values)", v.name)
	}
	return Result{Variant: v.name, Scores: e.scores, Best: best, Latency: took}, nil
}

// Logits are the outputs of the last inference before softmax; valid until the next.
func (e *Engine) Logits() []float32 { return e.logits }

// Close frees everything. Further calls do nothing.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed.Swap(true) {
		return nil
	}
	for _, s := range e.segments {
		s.close()
	}
	e.runtime.close() // the delegate goes after all who use it
	return nil
}

// RunPath loads the given segment files, runs them one after the other on
// input, and returns the output of the last. Int8 tensors are quantized and
// dequantized with the scales that stand in the files.
func RunPath(files []string, input []float32, opts Options) ([]float32, error) {
	if len(files) == 0 {
		return nil, errors.New("engine: an empty path")
	}
	opts.Threads = max(1, opts.Threads)
	rt, err := newRuntime(opts)
	if err != nil {
		return nil, err
	}
	defer rt.close()
	at := input
	for _, file := range files {
		at, err = rt.runOnce(file, at)
		if err != nil {
			return nil, err
		}
	}
	return at, nil
}

func (rt *runtime) runOnce(file string, input []float32) ([]float32, error) {
	s, err := rt.load(file)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if len(input) != s.in.len() {
		return nil, fmt.Errorf("engine: %s takes %d values %v, but is given %d", file, s.in.len(), s.in.shape, len(input))
	}
	s.in.set(input)
	if err := s.invoke(); err != nil {
		return nil, err
	}
	if err := s.settled(); err != nil {
		return nil, err
	}
	out := make([]float32, s.out.len())
	s.out.get(out)
	return out, nil
}
