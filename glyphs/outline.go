package glyphs

import (
	"math"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// point is a vertex of a flattened outline. x and y are in cap heights, y
// down, relative to the centre of the glyph's box. mx and my say how the
// vertex moves where the ink grows by 1 on each side (a mitre, limited).
type point struct{ x, y, mx, my float64 }

// outline is one glyph as closed polygons, filled by the non-zero rule.
type outline struct {
	points []point
	ends   []int   // end of each contour in points
	halfW  float64 // half the width of the box, cap heights
	halfH  float64
	stroke float64 // mean width of the strokes, cap heights
	thin   float64 // width of the thinnest strokes
	gap    float64 // width of the narrowest counters and notches
}

const (
	flatness   = 3 // how far a chord may be from its curve, units of outlines.UnitsPerEm
	mitreLimit = 1.6
)

// flatten turns font segments into polygons.
func flatten(segments sfnt.Segments) *outline {
	o := &outline{}
	var pen point
	start := 0
	add := func(p point) {
		if n := len(o.points); n > start && o.points[n-1] == p {
			return
		}
		o.points = append(o.points, p)
	}
	closeContour := func() {
		if n := len(o.points); n > start && o.points[n-1] == o.points[start] {
			o.points = o.points[:n-1]
		}
		if len(o.points)-start < 3 {
			o.points = o.points[:start]
			return
		}
		start = len(o.points)
		o.ends = append(o.ends, start)
	}
	at := func(p fixed.Point26_6) point { return point{x: float64(p.X) / 64, y: float64(p.Y) / 64} }
	for _, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			closeContour()
			pen = at(s.Args[0])
			add(pen)
		case sfnt.SegmentOpLineTo:
			pen = at(s.Args[0])
			add(pen)
		case sfnt.SegmentOpQuadTo:
			a, b, c := pen, at(s.Args[0]), at(s.Args[1])
			n := chords(bend(a, b, c) / 4)
			for i := 1; i <= n; i++ {
				t := float64(i) / float64(n)
				u := 1 - t
				add(point{
					x: float64(u*u*a.x) + float64(2*u*t*b.x) + float64(t*t*c.x),
					y: float64(u*u*a.y) + float64(2*u*t*b.y) + float64(t*t*c.y),
				})
			}
			pen = c
		case sfnt.SegmentOpCubeTo:
			a, b, c, d := pen, at(s.Args[0]), at(s.Args[1]), at(s.Args[2])
			n := chords(max(bend(a, b, c), bend(b, c, d)) * 3 / 4)
			for i := 1; i <= n; i++ {
				t := float64(i) / float64(n)
				u := 1 - t
				add(point{
					x: float64(u*u*u*a.x) + float64(3*u*u*t*b.x) + float64(3*u*t*t*c.x) + float64(t*t*t*d.x),
					y: float64(u*u*u*a.y) + float64(3*u*u*t*b.y) + float64(3*u*t*t*c.y) + float64(t*t*t*d.y),
				})
			}
			pen = d
		}
	}
	closeContour()
	return o
}

// bend returns the length of the second difference of three control points. A
// curve's second derivative is 2 of it (quadratic), or at most 6 (cubic), and
// a chord is an eighth of that away from its curve.
func bend(a, b, c point) float64 {
	return hypot(a.x-2*b.x+c.x, a.y-2*b.y+c.y)
}

// chords returns how many chords flatten a curve that one chord would miss by
// the given units.
func chords(miss float64) int {
	return min(max(int(math.Ceil(math.Sqrt(miss/flatness))), 1), 16)
}

// box returns the bounds of the outline.
func (o *outline) box() (x0, y0, x1, y1 float64) {
	x0, y0, x1, y1 = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range o.points {
		x0, x1 = min(x0, p.x), max(x1, p.x)
		y0, y1 = min(y0, p.y), max(y1, p.y)
	}
	return
}

// normalize scales the outline, moves the centre of its box to the origin, and
// measures strokes and mitres.
func (o *outline) normalize(scale float64) {
	x0, y0, x1, y1 := o.box()
	cx, cy := (x0+x1)/2, (y0+y1)/2
	o.halfW, o.halfH = float64((x1-x0)*scale)/2, float64((y1-y0)*scale)/2
	for i, p := range o.points {
		o.points[i] = point{x: float64((p.x - cx) * scale), y: float64((p.y - cy) * scale)}
	}
	area, length := 0.0, 0.0
	o.edges(func(a, b int) {
		p, q := o.points[a], o.points[b]
		area += float64(p.x*q.y) - float64(q.x*p.y)
		length += hypot(q.x-p.x, q.y-p.y)
	})
	area /= 2
	o.stroke = 2 * math.Abs(area) / length
	side := 1.0 // turns an edge's normal (dy, -dx) away from the ink
	if area < 0 {
		side = -1
	}
	o.mitres(side)
	o.measure(side)
}

// edges calls f with the ends of every edge.
func (o *outline) edges(f func(a, b int)) {
	start := 0
	for _, end := range o.ends {
		for i := start; i < end; i++ {
			j := i + 1
			if j == end {
				j = start
			}
			f(i, j)
		}
		start = end
	}
}
