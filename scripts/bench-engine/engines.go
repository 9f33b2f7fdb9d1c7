package main

import (
	"fmt"
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/internal/results"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// profiled opens a bundle of .cache/engine with a profile of its own, measured here.
func profiled(name string, opts engine.Options) (*engine.Engine, *bundle.Manifest, error) {
	b, err := bundle.Open(cache + name)
	if err != nil {
		return nil, nil, fmt.Errorf("%w (run the part families first)", err)
	}
	plain, err := engine.Open(b, opts)
	if err != nil {
		return nil, nil, err
	}
	p, err := profileOf(plain, b.Manifest)
	plain.Close()
	if err != nil {
		return nil, nil, err
	}
	opts.Profile = &p
	e, err := engine.Open(b, opts)
	return e, b.Manifest, err
}

// profileOf measures segments where they stand in their paths, with one thread.
func profileOf(e *engine.Engine, m *bundle.Manifest) (profile.Profile, error) {
	const passes = 50
	took, whole := map[string][]float64{}, map[string][]float64{}
	picture := noise(m.Preprocess.Width, m.Preprocess.Height)
	var times []time.Duration
	for range passes {
		for _, v := range m.Variants {
			if err := e.SetActive(v.Name); err != nil {
				return profile.Profile{}, err
			}
			var err error
			if times, err = e.SegmentTimes(picture, times[:0]); err != nil {
				return profile.Profile{}, err
			}
			var sum time.Duration
			for i, id := range v.Path {
				took[id] = append(took[id], float64(times[i]))
				sum += times[i]
			}
			whole[v.Name] = append(whole[v.Name], float64(sum))
		}
	}
	cost := func(values []float64) profile.Cost {
		middle := results.Median(values)
		away := make([]float64, len(values))
		for i, v := range values {
			away[i] = max(v-middle, middle-v)
		}
		return profile.Cost{Latency: max(time.Duration(middle), 1), StdDev: time.Duration(1.4826 * results.Median(away)), Source: profile.Measured}
	}
	var segments []profile.Segment
	for _, s := range m.Segments {
		segments = append(segments, profile.Segment{ID: s.ID, Threads: 1, Cost: cost(took[s.ID])})
	}
	var list []profile.Measurement
	for _, v := range m.Variants {
		list = append(list, profile.Measurement{Threads: 1, Rung: profile.Rung{
			Variant: v.Name, MACs: v.MACs, Accuracy: v.ValidationTop1(), Cost: cost(whole[v.Name])}})
	}
	return profile.FromMeasurements("here", list, segments)
}

// noise is a picture.
func noise(width, height int) *image.RGBA {
	random := rand.New(rand.NewPCG(2, 0))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		if img.Pix[i] = byte(random.Uint32()); i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

// allocations of a frame, from a camera's picture to the result.
func allocations() ([]results.Row, error) {
	var rows []results.Row
	for _, name := range []string{"demo-cut", "resnet-int8"} {
		e, m, err := profiled(name, engine.Options{})
		if err != nil {
			return nil, err
		}
		rgba, ycbcr := noise(640, 480), image.NewYCbCr(image.Rect(0, 0, 640, 480), image.YCbCrSubsampleRatio420)
		first, last := m.Variants[0].Name, m.Variants[len(m.Variants)-1].Name
		var failed error
		keep := func(_ engine.Result, err error) {
			if err != nil {
				failed = err
			}
		}
		var samples []float64
		for _, frame := range []func(){
			func() { keep(e.Infer(rgba)) },
			func() { keep(e.Infer(ycbcr)) },
			func() { keep(e.InferBy(rgba, time.Now().Add(time.Hour))) },
			func() {
				keep(engine.Result{}, e.SetActive(last))
				keep(e.Infer(rgba))
				keep(engine.Result{}, e.SetActive(first))
			},
			func() { keep(e.Infer(rgba)); keep(e.Deepen(last)) },
		} {
			samples = append(samples, testing.AllocsPerRun(50, frame))
		}
		e.Close()
		if failed != nil {
			return nil, failed
		}
		most := 0.
		for _, s := range samples {
			most = max(most, s)
		}
		rows = append(rows, results.Row{ID: "allocations-" + name, Value: most, Op: "<=", Limit: 0, Samples: samples,
			What: "allocations per frame of 640x480, preprocessing included, the most of RGBA, YCbCr, with a deadline, with a switch, and deepened: " + name})
	}
	return rows, nil
}

// free is what deadlines cost where none is given, and where one is. One engine
// runs all three ways, in random order: a second copy of the network lies
// elsewhere in memory, which by itself can make more of a difference.
func free() ([]results.Row, error) {
	const (
		rounds = 150
		runs   = 8
		warm   = 2
		name   = "resnet-float32"
	)
	e, m, err := profiled(name, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	p, err := profileOf(e, m)
	if err != nil {
		return nil, err
	}
	if err := e.SetActive(m.Variants[0].Name); err != nil {
		return nil, err
	}
	picture := noise(m.Preprocess.Width, m.Preprocess.Height)
	ways := []struct {
		profile *profile.Profile
		infer   func() (engine.Result, error)
	}{
		{nil, func() (engine.Result, error) { return e.Infer(picture) }},
		{&p, func() (engine.Result, error) { return e.Infer(picture) }},
		{&p, func() (engine.Result, error) { return e.InferBy(picture, time.Now().Add(time.Hour)) }},
	}
	random := rand.New(rand.NewPCG(7, 0))
	var off, far []float64
	for range rounds {
		var block [3]float64
		for _, way := range random.Perm(len(ways)) {
			if err := e.SetProfile(ways[way].profile); err != nil {
				return nil, err
			}
			var took []float64
			for i := range warm + runs {
				start := time.Now()
				res, err := ways[way].infer()
				if err != nil {
					return nil, err
				}
				if i >= warm {
					took = append(took, float64(time.Since(start)-res.Preprocess))
				}
			}
			block[way] = results.Median(took)
		}
		off, far = append(off, block[1]/block[0]), append(far, block[2]/block[1])
	}
	unused, used := results.MedianInterval(off), results.MedianInterval(far)
	return []results.Row{
		upper("deadline-free", fmt.Sprintf("an engine that can keep deadlines, given none, over one that cannot: %s, %s: upper end of the paired 95 %% interval (median %.4f)", name, m.Variants[0].Name, unused.Median), &unused, 1.01),
		upper("deadline-far", fmt.Sprintf("with a deadline that is far away over without: %s, %s: upper end of the paired 95 %% interval (median %.4f)", name, m.Variants[0].Name, used.Median), &used, 0),
	}, nil
}
