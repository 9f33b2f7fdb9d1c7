package engine

import (
	"fmt"
	"image"
	"strings"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// network is a bundle in TFLite's memory, with the options it was loaded with.
type network struct {
	bundle   *bundle.Bundle
	opts     Options
	labels   []string
	names    []string // of the variants, from the cheapest to the dearest
	variants map[string]*variant
	runtime  *runtime
	segments []*segment

	active *variant // guarded by Engine.mu
	users  int      // guarded by Engine.mu: the engine that has it as its current one, and its last frame

	// What follows belongs to the inference.
	prep   *preprocess.Preprocessor
	input  tensor // the preprocessed frame, in Go's memory
	logits []float32
	scores []float32
	pace   pace
}

// variant is one path through the loaded segments.
type variant struct {
	name string
	path []*segment
	// What deadlines need, set where there is a profile: the place in the manifest, whether the variant
	// is on the ladder, and what lies ahead at each segment and at the end.
	order int
	worth bool
	steps []step
	// next is what a margin below doubt leads to; nil if nothing does.
	next  *variant
	doubt float32
}

// load reads, checks and warms a whole bundle.
func load(b *bundle.Bundle, opts Options) (*network, error) {
	m := b.Manifest
	prep, err := preprocess.New(m.Preprocess)
	if err != nil {
		return nil, err
	}
	if opts.Threads == 0 {
		opts.Threads = 1
	}
	if opts.Threads < 1 || opts.Threads > maxThreads {
		return nil, errThreads(opts.Threads)
	}
	rt, err := newRuntime(opts)
	if err != nil {
		return nil, err
	}
	n := &network{
		bundle:   b,
		opts:     opts,
		labels:   m.Labels,
		variants: make(map[string]*variant, len(m.Variants)),
		runtime:  rt,
		prep:     prep,
		input:    newInput(m),
		logits:   make([]float32, len(m.Labels)),
		scores:   make([]float32, len(m.Labels)),
	}
	var failed error
	onOwnThread(func() { failed = n.load() })
	if failed != nil {
		n.close()
		return nil, failed
	}
	return n, nil
}

// newInput is int8 where all variants take the frame as the same int8, and float32 otherwise.
func newInput(m *bundle.Manifest) tensor {
	scales := make(map[string]*preprocess.Quantization, len(m.Segments))
	for _, s := range m.Segments {
		scales[s.ID] = s.InputQuantization
	}
	first := scales[m.Variants[0].Path[0]]
	for _, v := range m.Variants {
		if q := scales[v.Path[0]]; first == nil || q == nil || *q != *first {
			return tensor{floats: make([]float32, m.Preprocess.Len())}
		}
	}
	return tensor{codes: make([]int8, m.Preprocess.Len()), scale: *first}
}

func errThreads(threads int) error {
	return fmt.Errorf("engine: %d threads: must be 1 to %d", threads, maxThreads)
}

func (n *network) load() error {
	m := n.bundle.Manifest
	loaded := make(map[string]*segment, len(m.Segments))
	for i, s := range m.Segments {
		if err := enoughMemory(m, i); err != nil {
			return err
		}
		seg, err := n.runtime.loadVerified(n.bundle, &s)
		if err != nil {
			return err
		}
		n.segments = append(n.segments, seg)
		if err := seg.check(s, n.opts); err != nil {
			return err
		}
		loaded[s.ID] = seg
	}
	for _, mv := range m.Variants {
		v := &variant{name: mv.Name}
		for _, id := range mv.Path {
			v.path = append(v.path, loaded[id])
		}
		n.names = append(n.names, v.name)
		n.variants[v.name] = v
		if err := v.warm(n.input); err != nil {
			return err
		}
	}
	for _, v := range n.variants {
		if s := m.Escalation.Step(v.name); s != nil {
			v.next, v.doubt = n.variants[s.To], float32(s.Margin)
		}
	}
	n.active = n.variants[n.names[0]]
	return n.plan(n.opts.Profile)
}

// variant looks a name up.
func (n *network) variant(name string) (*variant, error) {
	if v := n.variants[name]; v != nil {
		return v, nil
	}
	return nil, fmt.Errorf("engine: no variant %q: the bundle has %s", name, strings.Join(n.names, ", "))
}

// preprocess makes the input of a frame.
func (n *network) preprocess(img image.Image) error {
	if n.input.codes != nil {
		return n.prep.ApplyInt8(n.input.codes, n.input.scale, img)
	}
	return n.prep.Apply(n.input.floats, img)
}

// warm runs the variant once.
func (v *variant) warm(in tensor) error {
	if err := v.run(in, 0); err != nil {
		return err
	}
	for _, s := range v.path {
		if err := s.settled(); err != nil {
			return err
		}
	}
	return nil
}

// run infers from segment first of the path on. Where that is not 0, the
// segment before it holds its output for the same frame.
func (v *variant) run(in tensor, first int) error {
	for i := first; i < len(v.path); i++ {
		if err := v.invoke(i, in); err != nil {
			return err
		}
	}
	return nil
}

// invoke runs segment i of the path.
func (v *variant) invoke(i int, in tensor) error {
	s := v.path[i]
	if i == 0 {
		s.point(s.in)
		s.in.copyFrom(in)
	} else {
		s.point(v.path[i-1].out)
	}
	return s.invoke()
}

// close frees what TFLite holds.
func (n *network) close() {
	onOwnThread(func() {
		for _, s := range n.segments {
			s.close()
		}
		n.runtime.close() // the delegate goes after all who use it
	})
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
