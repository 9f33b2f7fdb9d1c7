package sim

import (
	"cmp"
	"math"
	"slices"
)

// curve is the utility of one requested frame by the busy share that is spent on
// it: concave, piecewise linear, from (0, 0) on.
type curve struct{ points []curvePoint }

type curvePoint struct{ busy, utility float64 }

// stretches are frame periods to consider, as multiples of the shortest one: at a
// longer one fewer frames are right, and fewer of them late.
var stretches = []float64{1, 1.02, 1.05, 1.1, 1.15, 1.25}

// curve is the hull of what the rungs reach beside a load.
func (c *Case) curve(slow, load float64, quiet bool) curve {
	o := c.Objectives
	period := o.FramePeriod().Seconds()
	least, greatest := o.Range(c.Profile)
	points := []curvePoint{{0, 0}}
	if quiet {
		longest := o.LongestPeriod().Seconds()
		latency := c.Latencies[least].Seconds() * slow
		points = append(points, curvePoint{latency / longest, c.Ladder[least].Accuracy * period / longest})
		return curve{hull(points)}
	}
	share := min((1-o.LeaveCPUPercent/100)/(1-contention*load), 1)
	for i := least; i <= greatest; i++ {
		latency := c.Latencies[i].Seconds() * slow
		for _, stretch := range stretches {
			p := max(period, latency) * stretch
			deadline := p
			if o.Deadline > 0 {
				deadline = min(p, o.Deadline.Seconds())
			}
			point := curvePoint{min(latency/p, 1), c.Ladder[i].Accuracy * inTime(latency, deadline) * period / p}
			if point.busy > share { // as often as the user's share of the processor allows
				point = curvePoint{share, point.utility * share / point.busy}
			}
			points = append(points, point)
		}
	}
	return curve{hull(points)}
}

// inTime is the probability that a frame meets its deadline.
func inTime(latency, deadline float64) float64 {
	below := func(x float64) float64 { return 0.5 * math.Erfc(-math.Log(x)/frameSpread/math.Sqrt2) }
	return (1-interruptedShare)*below(deadline/latency) + interruptedShare*below(deadline/latency/interruptedBy)
}

// hull keeps the points of the least concave curve above all of them, up to the highest.
func hull(points []curvePoint) []curvePoint {
	slices.SortFunc(points, func(a, b curvePoint) int {
		return cmp.Or(cmp.Compare(a.busy, b.busy), cmp.Compare(a.utility, b.utility))
	})
	var kept []curvePoint
	for _, p := range points {
		if len(kept) > 0 && p.utility <= kept[len(kept)-1].utility {
			continue
		}
		for len(kept) > 0 {
			last := kept[len(kept)-1]
			if last.busy == p.busy {
				kept = kept[:len(kept)-1]
				continue
			}
			if len(kept) > 1 {
				before := kept[len(kept)-2]
				if (last.utility-before.utility)*(p.busy-before.busy) <= (p.utility-before.utility)*(last.busy-before.busy) {
					kept = kept[:len(kept)-1]
					continue
				}
			}
			break
		}
		kept = append(kept, p)
	}
	return kept
}

// at is the utility at a busy share; beyond the last point it stays.
func (f curve) at(busy float64) float64 {
	for i := 1; i < len(f.points); i++ {
		if b := f.points[i]; busy < b.busy {
			a := f.points[i-1]
			return a.utility + (b.utility-a.utility)*(busy-a.busy)/(b.busy-a.busy)
		}
	}
	return f.points[len(f.points)-1].utility
}

// slope is what a little more than a busy share is worth, per busy share.
func (f curve) slope(busy float64) float64 {
	for i := 1; i < len(f.points); i++ {
		if b := f.points[i]; busy < b.busy {
			a := f.points[i-1]
			return (b.utility - a.utility) / (b.busy - a.busy)
		}
	}
	return 0
}

// best is the busy share that is worth most at a price.
func (f curve) best(price float64) float64 {
	for i := 1; i < len(f.points); i++ {
		a, b := f.points[i-1], f.points[i]
		if b.utility-a.utility <= price*(b.busy-a.busy) {
			return a.busy
		}
	}
	return f.points[len(f.points)-1].busy
}
