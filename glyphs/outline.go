package glyphs

import (
	"fmt"
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

// face is one parsed font: the outlines of all characters of all labels.
type face struct {
	name   string
	glyphs map[rune]*outline
}

const (
	unitsPerEm = 2048
	flatness   = 3 // how far a chord may be from its curve, units
	mitreLimit = 1.6
)

// parseFace reads the characters of all labels out of a font file.
func parseFace(family string, src fontFile) (face, error) {
	f := face{name: family + "/" + src.name, glyphs: map[rune]*outline{}}
	parsed, err := sfnt.Parse(src.data)
	if err != nil {
		return face{}, fmt.Errorf("glyphs: font %s: %w", f.name, err)
	}
	var buf sfnt.Buffer
	capHeight := 0.0
	load := func(r rune) (*outline, error) {
		index, err := parsed.GlyphIndex(&buf, r)
		if err == nil && index == 0 {
			err = fmt.Errorf("no such glyph")
		}
		if err != nil {
			return nil, fmt.Errorf("glyphs: font %s: %q: %w", f.name, r, err)
		}
		segments, err := parsed.LoadGlyph(&buf, index, fixed.I(unitsPerEm), &sfnt.LoadGlyphOptions{})
		if err != nil {
			return nil, fmt.Errorf("glyphs: font %s: %q: %w", f.name, r, err)
		}
		o := flatten(segments)
		if len(o.points) == 0 {
			return nil, fmt.Errorf("glyphs: font %s: %q is empty", f.name, r)
		}
		return o, nil
	}
	h, err := load('H')
	if err != nil {
		return face{}, err
	}
	_, y0, _, y1 := h.box()
	capHeight = y1 - y0
	for label := range Labels {
		for _, r := range runesOf(label) {
			o, err := load(r)
			if err != nil {
				return face{}, err
			}
			o.normalize(1 / capHeight)
			f.glyphs[r] = o
		}
	}
	return f, nil
}

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
