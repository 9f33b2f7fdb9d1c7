package main

import (
	"context"
	"fmt"
	"image"
	"slices"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/preprocess"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// benchReport is what bench prints.
type benchReport struct {
	Bundle     string            `json:"bundle"`
	Precision  string            `json:"precision"`
	Arch       string            `json:"arch"`
	Begin      conditions        `json:"begin"`
	End        conditions        `json:"end"`
	Warnings   []string          `json:"warnings"`
	Preprocess []benchPreprocess `json:"preprocess"`
	Loading    []benchLoading    `json:"loading"`
	Steady     []benchSteady     `json:"steady"`
	Switches   []benchSwitch     `json:"switches"`
	Segments   []profile.Segment `json:"segments"`
	// Power is nil where the board measures none; NoPower says why.
	Power   []benchPower `json:"power"`
	NoPower string       `json:"no_power,omitempty"`
}

// benchPreprocess is the way from a camera's frame to a tensor.
type benchPreprocess struct {
	Frame string `json:"frame"`
	quantiles
}

// benchLoading is what a fresh process takes to load what Variants names. All
// values are medians of Processes.
type benchLoading struct {
	Layout    string    `json:"layout"`
	Threads   int       `json:"threads"`
	Variants  []string  `json:"variants"`
	All       bool      `json:"all"` // the whole bundle
	Median    loading   `json:"median"`
	Processes []loading `json:"processes"`
}

// benchSteady is the steady latency of one variant, from a preprocessed frame to
// its result.
type benchSteady struct {
	Variant string `json:"variant"`
	Layout  string `json:"layout"`
	Threads int    `json:"threads"`
	quantiles
	Deviation time.Duration `json:"stddev_ns"`
	// OverBare and OverMonolithic are the latency over that of the bare loop and of
	// the engine on the monolithic model, block by block.
	OverBare       *results.Interval `json:"over_bare,omitempty"`
	OverMonolithic *results.Interval `json:"over_monolithic,omitempty"`
}

// benchSwitch is the first inference after a switch to a variant.
type benchSwitch struct {
	Variant string `json:"variant"`
	Layout  string `json:"layout"`
	Threads int    `json:"threads"`
	quantiles
	// OverSteady is its latency over that of the inferences that followed, pair by pair.
	OverSteady results.Interval `json:"over_steady"`
}

// benchPower is what the board drew while one variant inferred without a pause.
type benchPower struct {
	Variant string  `json:"variant"`
	Threads int     `json:"threads"`
	Watts   float64 `json:"watts"`
	// IdleWatts were drawn just before.
	IdleWatts float64 `json:"idle_watts"`
	// ExtraJoules is what one inference took above that.
	ExtraJoules float64 `json:"extra_joules"`
}

// What switches of one layout and segments may take, as parts of the time for steady inferences.
const (
	switchesPart = 4
	segmentsPart = 4
)

const powerTime = 5 * time.Second // of each variant

// measure fills the report; progress is told the share that is done.
func (c *benchCommand) measure(ctx context.Context, r *benchReport, layouts []layout, watch *boardWatch, progress func(share float64)) error {
	const loadingShare = 0.2 // of the time, about
	own := layouts[0].bundle
	var err error
	if r.Preprocess, err = measurePreprocess(own.Manifest.Preprocess); err != nil {
		return err
	}
	if err := c.measureLoading(ctx, r, layouts, func(share float64) { progress(loadingShare * share) }); err != nil {
		return err
	}
	for i, threads := range c.Threads {
		step := func(share float64) {
			progress(loadingShare + (1-loadingShare)*(float64(i)+share)/float64(len(c.Threads)))
		}
		if err := c.measureThreads(ctx, r, layouts, threads, watch, step); err != nil {
			return err
		}
	}
	return nil
}

func (c *benchCommand) wantsLayout(name string) bool { return slices.Contains(c.Layout, name) }

// measureThreads measures everything that is loaded once at one number of threads.
func (c *benchCommand) measureThreads(ctx context.Context, r *benchReport, layouts []layout, threads int, watch *boardWatch, progress func(share float64)) error {
	s, err := newStage(layouts, threads, c.wantsLayout)
	if err != nil {
		return err
	}
	defer s.close()
	limit := time.Duration(c.Seconds * float64(time.Second))
	err = s.steady(ctx, limit, func(share float64) {
		watch.between(ctx)
		progress(0.9 * share)
	})
	if err != nil {
		return err
	}
	r.Steady = append(r.Steady, s.results()...)
	for _, l := range s.layouts {
		variants := l.bundle.Manifest.Variants
		if len(variants) > 1 {
			found, err := s.switches(ctx, limit/switchesPart, l.name, variants)
			if err != nil {
				return err
			}
			for _, v := range variants {
				f := found[v.Name]
				r.Switches = append(r.Switches, benchSwitch{v.Name, l.name, threads, quantilesOf(f.took), paired(f.took, f.blocks)})
			}
		}
		if l.name == layouts[0].name {
			if err := s.measureSegments(ctx, limit/segmentsPart, r, l.bundle.Manifest); err != nil {
				return err
			}
			if err := s.measurePower(ctx, r, l, watch, powerTime); err != nil {
				return err
			}
		}
	}
	progress(1)
	return nil
}

// results are the steady latencies and their ratios.
func (s *stage) results() []benchSteady {
	blocks := map[[2]string][]time.Duration{}
	for _, c := range s.contenders {
		blocks[[2]string{c.variant, c.layout}] = c.blocks
	}
	over := func(c *contender, layout string) *results.Interval {
		peer := blocks[[2]string{c.variant, layout}]
		if c.layout == layout || peer == nil || c.layout == layoutBare {
			return nil
		}
		i := paired(c.blocks, peer)
		return &i
	}
	var list []benchSteady
	for _, c := range s.contenders {
		list = append(list, benchSteady{c.variant, c.layout, s.threads, quantilesOf(c.took), deviation(c.took),
			over(c, layoutBare), over(c, layoutMonolithic)})
	}
	return list
}

// measureSegments times the segments where they stand in their paths: a segment
// that is run alone finds its weights in the caches.
func (s *stage) measureSegments(ctx context.Context, limit time.Duration, r *benchReport, m *bundle.Manifest) error {
	const (
		mostPasses = 100
		warm       = 2
	)
	took := map[string][]time.Duration{}
	e := s.engines[layoutOf(m)]
	s.settle()
	start := time.Now()
	for pass := 0; pass < minRounds || pass < mostPasses && time.Since(start) < limit; pass++ {
		for _, v := range m.Variants {
			if err := e.SetActive(v.Name); err != nil {
				return err
			}
			var times []time.Duration
			for range 1 + warm {
				var err error
				if times, err = e.SegmentTimes(s.frame, times[:0]); err != nil {
					return err
				}
			}
			for i, id := range v.Path {
				took[id] = append(took[id], times[i])
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	for _, seg := range m.Segments {
		r.Segments = append(r.Segments, profile.Segment{ID: seg.ID, Threads: s.threads, Cost: costOf(took[seg.ID])})
	}
	return nil
}

func costOf(took []time.Duration) profile.Cost {
	return profile.Cost{Latency: max(medianTime(took), 1), StdDev: deviation(took), Source: profile.Measured}
}

// measurePower keeps each variant busy for some time while the board's sensors are
// read, after a time of rest that is a little more than half as long.
func (s *stage) measurePower(ctx context.Context, r *benchReport, l layout, watch *boardWatch, busy time.Duration) error {
	quiet, every := 3*busy/5, busy/20
	if _, ok := watch.begin.Watts.Get(); !ok {
		r.NoPower = watch.begin.Watts.Reason()
		return nil
	}
	var reason string
	watts := func(length time.Duration, work func() error) (float64, error) {
		var read []float64
		for start := time.Now(); time.Since(start) < length; {
			for slice := time.Now(); time.Since(slice) < every; {
				if err := work(); err != nil {
					return 0, err
				}
			}
			now := watch.look(ctx).Watts
			if w, ok := now.Get(); ok {
				read = append(read, w)
			} else {
				reason = now.Reason()
			}
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
		}
		if len(read) == 0 {
			return 0, fmt.Errorf("bench: the power could be read no more: %s", reason)
		}
		return results.Median(read), nil
	}
	for _, v := range l.bundle.Manifest.Variants {
		idle, err := watts(quiet, func() error { sleep(ctx, every); return nil })
		if err != nil {
			return err
		}
		loop, runs := s.engineLoop(l.name, v.Name), 0
		start := time.Now()
		drawn, err := watts(busy, func() error { runs++; return loop(make([]time.Duration, 1)) })
		if err != nil {
			return err
		}
		each := time.Since(start).Seconds() / float64(runs)
		r.Power = append(r.Power, benchPower{v.Name, s.threads, drawn, idle, (drawn - idle) * each})
	}
	return nil
}

// measurePreprocess times frames as cameras deliver them.
func measurePreprocess(spec preprocess.Spec) ([]benchPreprocess, error) {
	const runs, width, height = 60, 640, 480
	prep, err := preprocess.New(spec)
	if err != nil {
		return nil, err
	}
	size := image.Rect(0, 0, width, height)
	rgba, ycbcr := image.NewRGBA(size), image.NewYCbCr(size, image.YCbCrSubsampleRatio420)
	for i := range rgba.Pix {
		rgba.Pix[i] = byte(i * 31)
	}
	for i := range ycbcr.Y {
		ycbcr.Y[i] = byte(i * 31)
	}
	input := make([]float32, spec.Len())
	var list []benchPreprocess
	for _, f := range []struct {
		name  string
		frame image.Image
	}{{"640x480 RGBA", rgba}, {"640x480 YCbCr 4:2:0", ycbcr}} {
		took := make([]time.Duration, runs)
		for i := range took {
			start := time.Now()
			if err := prep.Apply(input, f.frame); err != nil {
				return nil, err
			}
			took[i] = time.Since(start)
		}
		list = append(list, benchPreprocess{f.name, quantilesOf(took)})
	}
	return list, nil
}

// measureLoading starts fresh processes for the whole bundle and for each variant alone.
func (c *benchCommand) measureLoading(ctx context.Context, r *benchReport, layouts []layout, progress func(share float64)) error {
	const processes = 5
	threads := slices.Min(c.Threads)
	type job struct {
		layout   layout
		variants []bundle.Variant
		all      bool
	}
	var jobs []job
	for _, l := range layouts {
		if !c.wantsLayout(l.name) {
			continue
		}
		variants := l.bundle.Manifest.Variants
		jobs = append(jobs, job{l, variants, true})
		for i := range variants {
			jobs = append(jobs, job{l, variants[i : i+1], false})
		}
	}
	found := make([][]loading, len(jobs))
	for p := range processes { // in turns, so that all meet the same moments
		for i, j := range jobs {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			l, err := loadInChild(ctx, j.layout.bundle, j.variants, threads)
			if err != nil {
				return err
			}
			found[i] = append(found[i], l)
			progress(float64(p*len(jobs)+i+1) / float64(processes*len(jobs)))
		}
	}
	for i, j := range jobs {
		var names []string
		for _, v := range j.variants {
			names = append(names, v.Name)
		}
		r.Loading = append(r.Loading, benchLoading{j.layout.name, threads, names, j.all, medianLoading(found[i]), found[i]})
	}
	return nil
}

func medianLoading(list []loading) loading {
	var open, first, bytes []time.Duration
	for _, l := range list {
		open, first, bytes = append(open, l.Open), append(first, l.First), append(bytes, time.Duration(l.Bytes))
	}
	return loading{medianTime(open), medianTime(first), int64(medianTime(bytes))}
}

// writeProfile keeps what the governor and deadlines need.
func (r *benchReport) writeProfile(file string, b *bundle.Bundle) error {
	layout := layoutOf(b.Manifest)
	var list []profile.Measurement
	for _, s := range r.Steady {
		if s.Layout != layout {
			continue
		}
		i := slices.IndexFunc(b.Manifest.Variants, func(v bundle.Variant) bool { return v.Name == s.Variant })
		v := b.Manifest.Variants[i]
		m := profile.Measurement{Threads: s.Threads, Rung: profile.Rung{
			Variant: v.Name, MACs: v.MACs, Accuracy: v.ValidationTop1(),
			Cost: profile.Cost{Latency: s.P50, StdDev: s.Deviation, Source: profile.Measured},
		}}
		for _, p := range r.Power {
			if p.Variant == s.Variant && p.Threads == s.Threads {
				m.Watts, m.ExtraJoules = &p.Watts, &p.ExtraJoules
			}
		}
		list = append(list, m)
	}
	p, err := profile.FromMeasurements(r.Begin.Board, list, r.Segments)
	if err != nil {
		return err
	}
	return profile.Write(file, p)
}
