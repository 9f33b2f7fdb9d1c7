package quant

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/fathom-edge/fathom/convert/evaluate"
	"github.com/fathom-edge/fathom/convert/graph"
)

// noiseImages is how many calibration images the order of nodes is taken from.
const noiseImages = 32

// mix keeps nodes in float32 until no variant drops by more than
// Options.MaxDrop. Candidates stand in the order of the noise that each adds by
// itself; their number is doubled until it suffices, and then those are taken
// back, from the least noisy on, without which it still does.
func (j *judge) mix(p *plan, all map[*graph.Node]*stats) (*plan, []Score, error) {
	scores, err := j.scores(p, j.opts.Eval.Len(), "evaluating int8")
	if err != nil || worst(scores) <= j.opts.MaxDrop {
		return p, scores, err
	}
	order, err := j.noisiest(p)
	if err != nil {
		return nil, nil, err
	}
	attempt := func(nodes []*graph.Node) (*plan, []Score, error) {
		float := map[*graph.Node]bool{}
		for _, n := range nodes {
			float[n] = true
		}
		q, err := newPlan(p.net, j.opts, all, p.method, p.correct, float)
		if err != nil {
			return nil, nil, err
		}
		scores, err := j.scores(q, j.opts.Eval.Len(), "evaluating with nodes in float32")
		return q, scores, err
	}
	for count := 1; ; count *= 2 {
		nodes := slices.Clone(order[:min(count, len(order))])
		q, scores, err := attempt(nodes)
		if err != nil {
			return nil, nil, err
		}
		if worst(scores) > j.opts.MaxDrop && count < len(order) {
			continue
		}
		for i := len(nodes) - 1; i >= 0 && len(nodes) > 1 && len(nodes) <= 16; i-- {
			fewer := slices.Delete(slices.Clone(nodes), i, i+1)
			r, s, err := attempt(fewer)
			if err != nil {
				return nil, nil, err
			}
			if worst(s) <= j.opts.MaxDrop {
				nodes, q, scores = fewer, r, s
			}
		}
		return q, scores, nil
	}
}

// noisiest orders the nodes that compute something in int8 by the noise that each
// adds to exact inputs, relative to its output: evaluated in int8, every node
// reads what float32 gave, rounded to the scale of the tensor.
func (j *judge) noisiest(p *plan) ([]*graph.Node, error) {
	exact, err := newFamily(p.net)
	if err != nil {
		return nil, err
	}
	rounded, err := newFamily(p.result)
	if err != nil {
		return nil, err
	}
	back := map[*graph.Node]*graph.Node{}
	for _, m := range p.origin {
		maps.Copy(back, m)
	}
	type sum struct{ noise, signal float64 }
	count := min(noiseImages, j.opts.Calibration.Len())
	found := make([]map[*graph.Node]sum, count)
	var mu sync.Mutex
	err = each(j.opts.Calibration, count, j.values(), func(i int, input []float32, _ int) error {
		local := map[*graph.Node]sum{}
		for v := range p.net.Words { // by variant: both families take the same path
			want := map[*graph.Node][]float32{}
			one := &family{programs: exact.programs, trie: newTrie(p.net.Words[v : v+1])}
			err := one.run(start(p.net, input), func(n *graph.Node, v evaluate.Value) evaluate.Value {
				want[n] = v.Floats
				return v
			}, func(int, []float32) {})
			if err != nil {
				return err
			}
			one = &family{programs: rounded.programs, trie: newTrie(p.result.Words[v : v+1])}
			err = one.run(start(p.result, input), func(n *graph.Node, got evaluate.Value) evaluate.Value {
				of := back[n]
				if of == nil {
					return got
				}
				noise, signal := power(want[of], got.Real())
				s := local[of]
				local[of] = sum{s.noise + noise, s.signal + signal}
				return evaluate.XNNPACK.Quantize(got.Shape, want[of], got.Scale)
			}, func(int, []float32) {})
			if err != nil {
				return err
			}
		}
		mu.Lock()
		found[i] = local
		mu.Unlock()
		return nil
	}, j.opts.notify("looking for noisy nodes", count))
	if err != nil {
		return nil, err
	}
	noise := map[*graph.Node]float64{}
	var order []*graph.Node
	for _, piece := range p.net.Pieces {
		for _, n := range piece.Nodes {
			if !p.int8[n] || !computes(n) {
				continue
			}
			var s sum
			for _, local := range found {
				s = sum{s.noise + local[n].noise, s.signal + local[n].signal}
			}
			noise[n] = s.noise / max(s.signal, 1e-30)
			order = append(order, n)
		}
	}
	slices.SortStableFunc(order, func(a, b *graph.Node) int {
		switch {
		case noise[a] > noise[b]:
			return -1
		case noise[a] < noise[b]:
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return order, nil
}
