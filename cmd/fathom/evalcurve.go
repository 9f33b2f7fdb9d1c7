package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// answers are what one variant said to all samples of a data set.
type answers struct {
	variant string
	correct []bool
	margin  []float32
}

// costs are what paths of a bundle cost, in one unit.
type costs struct {
	manifest *bundle.Manifest
	unit     string
	segment  map[string]float64
}

// macCosts are in millions of multiply-accumulates.
func macCosts(m *bundle.Manifest) *costs {
	c := &costs{m, "MMAC", map[string]float64{}}
	for _, s := range m.Segments {
		c.segment[s.ID] = float64(s.MACs) / 1e6
	}
	return c
}

// measuredCosts are in milliseconds on the board that the profile was measured on.
func measuredCosts(m *bundle.Manifest, file string, threads int) (*costs, error) {
	p, err := profile.Read(file)
	if err != nil {
		return nil, err
	}
	measured := p.SegmentCosts(threads)
	c := &costs{m, "ms", map[string]float64{}}
	for _, s := range m.Segments {
		cost, ok := measured[s.ID]
		if !ok {
			return nil, fmt.Errorf("eval: %s has no cost of segment %s with %d threads: measure this bundle with fathom bench --threads %[3]d -o FILE", file, s.ID, threads)
		}
		c.segment[s.ID] = float64(cost.Latency) / 1e6
	}
	return c, nil
}

func (c *costs) path(variant string) []string { return c.manifest.Variant(variant).Path }

func (c *costs) of(path []string) float64 {
	var sum float64
	for _, id := range path {
		sum += c.segment[id]
	}
	return sum
}

// beyond is what a variant costs after another one on the same frame: the
// segments with which both paths begin are not run again.
func (c *costs) beyond(first, second string) float64 { return c.of(c.manifest.Beyond(first, second)) }

// point is what costs so much and is right so often.
type point struct {
	// Cost is that of the mean frame.
	Cost float64 `json:"cost"`
	Top1 float64 `json:"top1"`
}

// single is one variant by itself.
type single struct {
	Variant string `json:"variant"`
	point
}

// singles are the points of all variants, and the upper hull of them: what a
// fixed mixture of depths reaches.
func singles(all []answers, c *costs) (list, hull []single) {
	for _, a := range all {
		list = append(list, single{a.variant, point{c.of(c.path(a.variant)), share(a.correct)}})
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b single) int { return cmp.Or(cmp.Compare(a.Cost, b.Cost), cmp.Compare(b.Top1, a.Top1)) })
	for _, s := range sorted {
		if n := len(hull); n > 0 && s.Top1 <= hull[n-1].Top1 {
			continue
		}
		for n := len(hull); n > 1 && slope(hull[n-2], hull[n-1]) <= slope(hull[n-1], s); n = len(hull) {
			hull = hull[:n-1]
		}
		hull = append(hull, s)
	}
	return list, hull
}

func slope(a, b single) float64 { return (b.Top1 - a.Top1) / (b.Cost - a.Cost) }

// bestSingle is the most accurate variant that costs no more; all are too dear below the cheapest.
func bestSingle(list []single, cost float64) (single, bool) {
	best, ok := single{point: point{Top1: math.Inf(-1)}}, false
	for _, s := range list {
		if s.Cost <= cost && s.Top1 > best.Top1 {
			best, ok = s, true
		}
	}
	return best, ok
}

// mixture is the mixture of two variants of the hull that costs as much: the share
// of frames that the second one gets.
func mixture(hull []single, cost float64) (a, b single, second float64) {
	for i := range hull[:len(hull)-1] {
		if a, b := hull[i], hull[i+1]; cost <= b.Cost {
			return a, b, max(0, (cost-a.Cost)/(b.Cost-a.Cost))
		}
	}
	last := hull[len(hull)-1]
	return last, last, 0
}

func share(right []bool) float64 {
	n := 0
	for _, r := range right {
		if r {
			n++
		}
	}
	return float64(n) / float64(len(right))
}

// doubt is one point of the curve of a pair.
type doubt struct {
	// Margin: frames whose two highest probabilities differ by less go on to the deeper variant.
	Margin float64 `json:"margin"`
	Share  float64 `json:"share"`
	point
	// OverMixture is by how much it is more often right than a fixed mixture of
	// depths of the same cost.
	OverMixture float64 `json:"over_mixture"`
}

// pair is a shallow variant and a deeper one.
type pair struct {
	From   string  `json:"from"`
	To     string  `json:"to"`
	Points []doubt `json:"points"`
}

// curve goes over all shares of frames, in steps of one per cent, that can go on
// to the deeper variant: always those of the smallest margins.
func curve(from, to answers, c *costs, hull []single) pair {
	const steps = 100
	order := make([]int, len(from.margin))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(from.margin[i], from.margin[j]) })
	first, beyond := c.of(c.path(from.variant)), c.beyond(from.variant, to.variant)
	p := pair{From: from.variant, To: to.variant}
	right, n, gone := 0, len(order), 0
	for _, r := range from.correct {
		if r {
			right++
		}
	}
	for step := 1; step < steps; step++ {
		for ; gone < n*step/steps; gone++ {
			i := order[gone]
			right += count(to.correct[i]) - count(from.correct[i])
		}
		margin := float64(from.margin[order[min(gone, n-1)]]) // frames below it have gone on
		if gone == 0 || margin <= 0 || margin > 1 || float64(from.margin[order[gone-1]]) == margin {
			continue // no threshold parts these frames
		}
		d := doubt{Margin: margin, Share: float64(gone) / float64(n)}
		d.point = point{first + d.Share*beyond, float64(right) / float64(n)}
		a, b, second := mixture(hull, d.Cost)
		d.OverMixture = d.Top1 - (a.Top1 + second*(b.Top1-a.Top1))
		p.Points = append(p.Points, d)
	}
	return p
}

func count(right bool) int {
	if right {
		return 1
	}
	return 0
}

// chooseSteps takes for each variant the deeper one and the margin that gain most
// over a mixture of the same cost, and none where nothing gains.
func chooseSteps(pairs []pair) []bundle.EscalationStep {
	var steps []bundle.EscalationStep
	best := map[string]float64{}
	for _, p := range pairs {
		for _, d := range p.Points {
			if d.OverMixture <= best[p.From] {
				continue
			}
			best[p.From] = d.OverMixture
			s := bundle.EscalationStep{From: p.From, To: p.To, Margin: d.Margin, Share: d.Share, Top1: d.Top1}
			if n := len(steps); n > 0 && steps[n-1].From == p.From {
				steps[n-1] = s
			} else {
				steps = append(steps, s)
			}
		}
	}
	return steps
}

// difference is a mean of paired differences and its 95 % interval (normal approximation).
type difference struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

func differenceOf(values []float64) difference {
	var sum, squares float64
	for _, v := range values {
		sum += v
	}
	n := float64(len(values))
	mean := sum / n
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	half := 1.959964 * math.Sqrt(squares/max(1, n-1)/n)
	return difference{mean, mean - half, mean + half}
}

// escalated is what calibrated steps give on other samples.
type escalated struct {
	From   string  `json:"from"`
	To     string  `json:"to"`
	Margin float64 `json:"margin"`
	Share  float64 `json:"share"`
	point
	// Single is the best variant that costs no more, OverSingle by how much the
	// steps are more often right.
	Single     single     `json:"single"`
	OverSingle difference `json:"over_single"`
	// OverMixture compares with the fixed mixture of depths that costs the same.
	OverMixture difference `json:"over_mixture"`
}

// apply judges a step on samples that it was not chosen by.
func apply(s bundle.EscalationStep, all []answers, c *costs) escalated {
	find := func(name string) answers {
		return all[slices.IndexFunc(all, func(a answers) bool { return a.variant == name })]
	}
	list, hull := singles(all, c)
	from, to := find(s.From), find(s.To)
	right := make([]bool, len(from.correct))
	gone := 0
	for i, m := range from.margin {
		if right[i] = from.correct[i]; float64(m) < s.Margin {
			right[i] = to.correct[i]
			gone++
		}
	}
	e := escalated{From: s.From, To: s.To, Margin: s.Margin, Share: float64(gone) / float64(len(right))}
	e.point = point{c.of(c.path(s.From)) + e.Share*c.beyond(s.From, s.To), share(right)}
	e.Single, _ = bestSingle(list, e.Cost) // there is one: the first costs less than both
	a, b, second := mixture(hull, e.Cost)
	alone, low, high := find(e.Single.Variant), find(a.Variant), find(b.Variant)
	overSingle, overMixture := make([]float64, len(right)), make([]float64, len(right))
	for i, r := range right {
		overSingle[i] = float64(count(r) - count(alone.correct[i]))
		overMixture[i] = float64(count(r)) - (1-second)*float64(count(low.correct[i])) - second*float64(count(high.correct[i]))
	}
	e.OverSingle, e.OverMixture = differenceOf(overSingle), differenceOf(overMixture)
	return e
}
