package glyphs

import (
	"math"
)

// normal returns the unit normal of an edge that points away from the ink.
func (o *outline) normal(a, b int, side float64) (nx, ny float64) {
	dx, dy := o.points[b].x-o.points[a].x, o.points[b].y-o.points[a].y
	l := float64(side / hypot(dx, dy))
	return float64(dy * l), -float64(dx * l)
}

// mitres sets the movement of each vertex.
func (o *outline) mitres(side float64) {
	start := 0
	for _, end := range o.ends {
		for i := start; i < end; i++ {
			prev, next := i-1, i+1
			if prev < start {
				prev = end - 1
			}
			if next == end {
				next = start
			}
			ax, ay := o.normal(prev, i, side)
			bx, by := o.normal(i, next, side)
			// The mitre is (a+b) / (1 + a·b); its length is sqrt(2 / (1 + a·b)).
			k := 1 / max(1+float64(ax*bx)+float64(ay*by), 2/(mitreLimit*mitreLimit))
			o.points[i].mx, o.points[i].my = float64((ax+bx)*k), float64((ay+by)*k)
		}
		start = end
	}
}

// measure finds the thinnest strokes and the narrowest gaps: from the middle
// of each edge, the way to the next edge inwards and outwards. A tenth of the
// outline's length may be narrower, so that spikes of serifs do not count.
func (o *outline) measure(side float64) {
	const bins, reach = 200, 1.0
	var inward, outward [bins]float64
	total := 0.0
	o.edges(func(a, b int) {
		nx, ny := o.normal(a, b, side)
		p, q := o.points[a], o.points[b]
		mx, my := (p.x+q.x)/2, (p.y+q.y)/2
		l := hypot(q.x-p.x, q.y-p.y)
		total += l
		in, out := reach, reach
		o.edges(func(c, d int) {
			if c == a {
				return
			}
			// Where the line through the middle along the normal meets edge c-d.
			e, f := o.points[c], o.points[d]
			u := float64((e.x-mx)*ny) - float64((e.y-my)*nx)
			v := float64((f.x-mx)*ny) - float64((f.y-my)*nx)
			if (u > 0) == (v > 0) {
				return
			}
			t := u / (u - v)
			ix, iy := e.x+float64((f.x-e.x)*t)-mx, e.y+float64((f.y-e.y)*t)-my
			along := float64(ix*nx) + float64(iy*ny)
			switch {
			case along > 1e-6:
				out = min(out, along)
			case along < -1e-6:
				in = min(in, -along)
			}
		})
		inward[min(int(in*bins), bins-1)] += l
		outward[min(int(out*bins), bins-1)] += l
	})
	tenth := func(h *[bins]float64) float64 {
		sum := 0.0
		for i, l := range h {
			if sum += l; sum >= 0.1*total {
				return (float64(i) + 0.5) / bins
			}
		}
		return reach
	}
	o.thin, o.gap = tenth(&inward), tenth(&outward)
}

// growth turns a Pose.Weight into the movement of the outline on each side, in
// cap heights, and keeps thin strokes and narrow gaps open.
func (o *outline) growth(weight float64) float64 {
	g := float64(weight*o.stroke) / 2
	return min(max(g, -0.3*o.thin), 0.3*o.gap)
}

// hypot is math.Hypot for lengths far from overflow, the same on every machine.
func hypot(x, y float64) float64 { return math.Sqrt(float64(x*x) + float64(y*y)) }
