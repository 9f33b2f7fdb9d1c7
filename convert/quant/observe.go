package quant

import (
	"fmt"
	"math"
	"sync"

	"github.com/fathom-edge/fathom/convert/evaluate"
	"github.com/fathom-edge/fathom/convert/graph"
)

// bins of a histogram between the least and the greatest value seen.
const bins = 2048

// stats is what calibration saw of one tensor, on all paths.
type stats struct {
	low, high float32 // of all values and zero
	histogram []int64
	means     []float64 // per channel, the last axis
}

// observe evaluates the calibration images in float32, once for the ends of all
// ranges and once for what lies between.
func observe(net Net, opts Options) (map[*graph.Node]*stats, error) {
	f, err := newFamily(net)
	if err != nil {
		return nil, err
	}
	all := map[*graph.Node]*stats{}
	for _, p := range net.Pieces {
		for _, n := range p.Nodes {
			all[n] = &stats{}
		}
	}
	values := elements(net.Pieces[net.Words[0][0]].Input().Shape)
	count := opts.Calibration.Len()
	if err := observeEnds(f, all, opts, count, values); err != nil {
		return nil, err
	}
	for _, p := range net.Pieces {
		for _, n := range p.Nodes {
			if err := all[n].check(n); err != nil {
				return nil, err
			}
		}
	}
	return all, observeInside(f, all, opts, count, values)
}

// total is the sum of a tensor's values on one image, per channel.
type total struct {
	sums  []float64
	count int64 // of values per channel
}

func observeEnds(f *family, all map[*graph.Node]*stats, opts Options, count, values int) error {
	var mu sync.Mutex
	totals := make([]map[*graph.Node]*total, count)
	err := each(opts.Calibration, count, values, func(i int, input []float32, _ int) error {
		totals[i] = map[*graph.Node]*total{}
		return f.run(evaluate.Value{Floats: input}, func(n *graph.Node, v evaluate.Value) evaluate.Value {
			low, high := v.Floats[0], v.Floats[0]
			for _, x := range v.Floats {
				low, high = min(low, x), max(high, x) // not a number stays one
			}
			t := totals[i][n]
			if t == nil {
				t = &total{sums: make([]float64, n.Shape[len(n.Shape)-1])}
				totals[i][n] = t
			}
			for k, x := range v.Floats {
				t.sums[k%len(t.sums)] += float64(x)
			}
			t.count += int64(len(v.Floats) / len(t.sums))
			mu.Lock()
			s := all[n]
			s.low, s.high = min(s.low, low), max(s.high, high)
			mu.Unlock()
			return v
		}, func(int, []float32) {})
	}, opts.notify("calibrating: ranges", count))
	if err != nil {
		return err
	}
	for n, s := range all {
		var seen int64
		for _, t := range totals { // in order of the images: the same sum every time
			if t[n] == nil {
				continue
			}
			if s.means == nil {
				s.means = make([]float64, len(t[n].sums))
			}
			seen += t[n].count
			for c, v := range t[n].sums {
				s.means[c] += v
			}
		}
		for c := range s.means {
			s.means[c] /= float64(seen)
		}
	}
	return nil
}

// check refuses ranges that no scale suits.
func (s *stats) check(n *graph.Node) error {
	for _, v := range []float32{s.low, s.high} {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("quant: %s (%s) gives values that are not finite on the calibration images (do the weights fit the preprocessing?)", n.Name, n.Op)
		}
	}
	if s.low == s.high {
		return fmt.Errorf("quant: %s (%s) gives nothing but zeros on the calibration images (are they blank? is the layer dead?); give other images, or use --precision float16", n.Name, n.Op)
	}
	return nil
}

func observeInside(f *family, all map[*graph.Node]*stats, opts Options, count, values int) error {
	for _, s := range all {
		s.histogram = make([]int64, bins)
	}
	var mu sync.Mutex
	return each(opts.Calibration, count, values, func(_ int, input []float32, _ int) error {
		return f.run(evaluate.Value{Floats: input}, func(n *graph.Node, v evaluate.Value) evaluate.Value {
			s := all[n]
			var counts [bins]int64
			width := float64(s.high) - float64(s.low)
			for _, x := range v.Floats {
				counts[min(int((float64(x)-float64(s.low))/width*bins), bins-1)]++
			}
			mu.Lock()
			for i, c := range counts {
				s.histogram[i] += c
			}
			mu.Unlock()
			return v
		}, func(int, []float32) {})
	}, opts.notify("calibrating: histograms", count))
}

func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
