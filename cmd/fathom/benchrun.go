package main

import (
	"context"
	"errors"
	"image"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

const (
	blockTime = 25 * time.Millisecond // what the runs of a block take, about
	mostRuns  = 200                   // of a block
	minRounds = 5                     // however long they take
	// XNNPACK's threads spin for a while after their last work. With more threads
	// than one, a block begins only after those of the block before have gone to sleep.
	settleTime = 60 * time.Millisecond
	warmRuns   = 2 // of a block, not counted
)

// contender is one way to run one variant. Its runs are timed from a preprocessed
// frame to logits, or to probabilities where the engine runs it.
type contender struct {
	variant, layout string
	loop            func(took []time.Duration) error
	runs            int // of a block
	took            []time.Duration
	blocks          []time.Duration // the median of each
}

// stage is everything loaded that takes turns at one number of threads.
type stage struct {
	layouts    []layout // those that are wanted; the last is of single files where the bare loop is
	threads    int
	frame      image.Image
	input      []float32                 // the frame, preprocessed
	engines    map[string]*engine.Engine // by layout
	bare       map[string]*engine.Bare   // by variant; empty where it is not wanted
	files      map[string]string         // of the bare loop, by variant
	contenders []*contender
}

// newStage loads the layouts that are wanted.
func newStage(layouts []layout, threads int, wanted func(layout string) bool) (*stage, error) {
	first, last := layouts[0].bundle.Manifest, layouts[len(layouts)-1].bundle
	s := &stage{threads: threads, frame: benchFrame(first.Preprocess), input: make([]float32, first.Preprocess.Len()), files: map[string]string{}}
	prep, err := preprocess.New(first.Preprocess)
	if err != nil {
		return nil, err
	}
	if err := prep.Apply(s.input, s.frame); err != nil {
		return nil, err
	}
	for _, l := range layouts {
		if wanted(l.name) {
			s.layouts = append(s.layouts, l)
		}
	}
	for i, v := range first.Variants {
		for _, l := range s.layouts {
			s.contenders = append(s.contenders, &contender{variant: v.Name, layout: l.name, loop: s.engineLoop(l.name, v.Name)})
		}
		if path := last.Manifest.Variants[i].Path; len(path) == 1 && wanted(layoutBare) {
			s.files[v.Name] = last.SegmentPath(path[0])
			s.contenders = append(s.contenders, &contender{variant: v.Name, layout: layoutBare,
				loop: func(took []time.Duration) error { return s.bare[v.Name].Loop(s.input, took) }})
		}
	}
	if len(s.contenders) == 0 {
		return nil, errors.New("bench: nothing to measure: there is no monolithic model (fathom convert --layout both makes one)")
	}
	if err := s.load(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// load loads everything, anew where it is loaded. Where in memory it then lies
// moves its latency by some percent, for as long as it lies there.
func (s *stage) load() error {
	s.close()
	s.engines, s.bare = map[string]*engine.Engine{}, map[string]*engine.Bare{}
	for _, l := range s.layouts {
		e, err := engine.Open(l.bundle, engine.Options{Threads: s.threads})
		if err != nil {
			return err
		}
		s.engines[l.name] = e
	}
	for variant, file := range s.files {
		b, err := engine.OpenBare(file, s.threads)
		if err != nil {
			return err
		}
		s.bare[variant] = b
	}
	return nil
}

// benchFrame is noise of the network's size.
func benchFrame(spec preprocess.Spec) *image.RGBA {
	random := rand.New(rand.NewPCG(1, 1))
	frame := image.NewRGBA(image.Rect(0, 0, spec.Width, spec.Height))
	for i := range frame.Pix {
		if frame.Pix[i] = byte(random.Uint32()); i%4 == 3 {
			frame.Pix[i] = 255
		}
	}
	return frame
}

// engineLoop gives the engine what the bare loop is given: a frame that is already a tensor. Preprocessing between the
// runs would leave the engine, and only it, with other data in the caches.
func (s *stage) engineLoop(layout, variant string) func([]time.Duration) error {
	return func(took []time.Duration) error {
		e := s.engines[layout]
		if err := e.SetActive(variant); err != nil {
			return err
		}
		for i := range took {
			// A daemon waits for its next frame. From a goroutine that never waits, Go's monitor takes the processor
			// away at each run and polls every 20 us: with 2 threads on 2 cores, 67 context switches a run instead of 12.
			runtime.Gosched()
			start := time.Now()
			result, err := e.InferTensor(s.input)
			if err != nil {
				return err
			}
			took[i] = time.Since(start) - result.Preprocess
		}
		return nil
	}
}

func (s *stage) close() {
	for _, e := range s.engines {
		e.Close()
	}
	for _, b := range s.bare {
		b.Close()
	}
	s.engines, s.bare = nil, nil
}

// settle waits for the threads of whoever ran before.
func (s *stage) settle() {
	if s.threads > 1 {
		time.Sleep(settleTime)
	}
}

// steady lets the contenders take turns for the given time, those of one variant
// next to each other and in random order, and loads them anew for each round.
// between is called after each round.
func (s *stage) steady(ctx context.Context, limit time.Duration, between func(share float64)) error {
	random := rand.New(rand.NewPCG(2, uint64(s.threads)))
	var groups [][]*contender
	for _, c := range s.contenders {
		if n := len(groups); n == 0 || groups[n-1][0].variant != c.variant {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], c)
	}
	start := time.Now()
	for round := 0; round < minRounds || time.Since(start) < limit; round++ {
		if round > 0 {
			if err := s.load(); err != nil {
				return err
			}
		}
		random.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
		for _, g := range groups {
			random.Shuffle(len(g), func(i, j int) { g[i], g[j] = g[j], g[i] })
			for _, c := range g {
				s.settle()
				if err := c.block(); err != nil {
					return err
				}
				if ctx.Err() != nil {
					return ctx.Err()
				}
			}
		}
		between(min(1, float64(time.Since(start))/float64(limit), float64(round+1)/minRounds))
	}
	return nil
}

// block is some runs in a row. The first block finds out how many.
func (c *contender) block() error {
	if c.runs == 0 {
		took := make([]time.Duration, 3)
		if err := c.loop(took); err != nil {
			return err
		}
		c.runs = min(max(int(blockTime/max(slices.Min(took), 1)), 3), mostRuns)
	}
	took := make([]time.Duration, warmRuns+c.runs)
	if err := c.loop(took); err != nil {
		return err
	}
	took = took[warmRuns:]
	c.took = append(c.took, took...)
	c.blocks = append(c.blocks, medianTime(took))
	return nil
}

// switches times the first inference after a switch to each variant from any
// other one, and the steady ones that follow. The result is by variant.
func (s *stage) switches(ctx context.Context, limit time.Duration, layout string, variants []bundle.Variant) (map[string]*contender, error) {
	const (
		mostRounds = 100
		before     = 2 // runs of the variant that is left
		after      = 6
	)
	random := rand.New(rand.NewPCG(3, uint64(s.threads)))
	found := map[string]*contender{}
	s.settle()
	start := time.Now()
	for round := 0; round < minRounds || round < mostRounds && time.Since(start) < limit; round++ {
		for _, to := range random.Perm(len(variants)) {
			from := random.IntN(len(variants) - 1)
			if from >= to {
				from++
			}
			if err := s.engineLoop(layout, variants[from].Name)(make([]time.Duration, before)); err != nil {
				return nil, err
			}
			took := make([]time.Duration, 1+after)
			if err := s.engineLoop(layout, variants[to].Name)(took); err != nil {
				return nil, err
			}
			c := found[variants[to].Name]
			if c == nil {
				c = &contender{}
				found[variants[to].Name] = c
			}
			c.took = append(c.took, took[0])
			c.blocks = append(c.blocks, medianTime(took[2:]))
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
	return found, nil
}
