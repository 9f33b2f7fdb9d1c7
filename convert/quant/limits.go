package quant

import (
	"github.com/fathom-edge/fathom/convert/graph"
)

// XNNPACK refuses a whole network if the scales of one operator lie outside of
// these, so ranges are widened until none does. An input that would lose more
// than a factor of coarser by that keeps its operator in float32 instead. The
// margin is for the rounding of scales.
const (
	coarser      = 4
	margin       = 1.01
	leastAddend  = margin / (1 << 10) // input scale / output scale of a sum
	leastProduct = margin / (1 << 16) // product of input scales / output scale
	leastOutput  = margin / (1 << 8)  // output scale / input scale, or product of these
)

// limit widens classes until every node is within XNNPACK's limits. A class that
// is both input and output of a product may never get there, hence the bound. It
// stops at the first node that must stay float32, and says that there is one.
func (p *plan) limit() bool {
	changed := true
	for round := 0; changed && round < 64; round++ {
		changed = false
		for _, piece := range p.net.Pieces {
			for _, n := range piece.Nodes {
				if p.int8[n] && p.limitNode(n) {
					changed = true
				}
				if p.unfit[n] && p.int8[n] {
					return true
				}
			}
		}
	}
	return false
}

// limitNode says whether it widened anything.
func (p *plan) limitNode(n *graph.Node) bool {
	scale := func(n *graph.Node) float64 { return float64(p.classes.scale(n).Scale) }
	changed := false
	widen := func(m *graph.Node, least float64) {
		if m != n && least > scale(m)*coarser {
			p.unfit[n] = true
			return
		}
		changed = p.classes.widen(m, least) || changed
	}
	switch n.Op {
	case graph.OpAdd, graph.OpShift:
		for _, in := range n.Inputs {
			widen(in, scale(n)*leastAddend)
			widen(n, scale(in)*leastOutput)
		}
		if n.Op == graph.OpShift {
			widen(n, float64(constant(n.Weights[0].Data, 0).Scales[0])*leastOutput)
		}
	case graph.OpMul, graph.OpScale:
		a, other := n.Inputs[0], 0.0
		if n.Op == graph.OpScale {
			other = float64(constant(n.Weights[0].Data, 0).Scales[0])
		} else {
			if b := n.Inputs[1]; p.classes.fixed[p.classes.find(a)] != nil {
				a, other = b, scale(a)
			} else {
				other = scale(b)
			}
		}
		widen(a, scale(n)*leastProduct/other)
		widen(n, scale(a)*other*leastOutput)
	case graph.OpMean:
		widen(n, scale(n.Inputs[0])*leastOutput)
	case graph.OpHardSwish: // the sum within it has a scale of 1/255
		widen(n.Inputs[0], 6./codes*leastAddend)
		widen(n, scale(n.Inputs[0])/codes*leastOutput)
	}
	return changed
}

// widen makes the scale of a tensor's class at least as large as told, if it is
// not fixed, and says whether it changed.
func (c *classes) widen(n *graph.Node, least float64) bool {
	at := c.find(n)
	r := c.ranges[at]
	if c.fixed[at] != nil || float64(r.scale().Scale) >= least {
		return false
	}
	c.ranges[at] = r.widened(least)
	return true
}

// widened keeps the proportion of the range's ends.
func (i interval) widened(least float64) interval {
	factor := least * codes / i.width() * margin
	return interval{i.low * factor, i.high * factor}
}
