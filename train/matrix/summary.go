package matrix

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Truncated is the method of the deepest net trained alone and cut to other depths.
const Truncated = "truncated"

// Point is what one method gives at one depth of one net.
type Point struct {
	Method string
	Path   string // the variant's name
	Depth  string
	MACs   int64
	// Top1 is the accuracy for each seed, in percent; Seeds says which.
	Top1  []float64
	Seeds []uint64
}

// Mean of the seeds, in percent.
func (p Point) Mean() float64 {
	sum := 0.0
	for _, v := range p.Top1 {
		sum += v
	}
	return sum / float64(len(p.Top1))
}

// SD is the standard deviation of a single seed, in points; 0 for one.
func (p Point) SD() float64 {
	if len(p.Top1) < 2 {
		return 0
	}
	mean, sum := p.Mean(), 0.0
	for _, v := range p.Top1 {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(p.Top1)-1))
}

// String is "mean ± sd".
func (p Point) String() string { return fmt.Sprintf("%.2f ± %.2f", p.Mean(), p.SD()) }

// Points gathers the results of equal method, net and depth on a split, methods in the order of the results and deep
// before shallow. What alone-D gives besides D is the method [Truncated].
func Points(results []*Result, split string) []Point {
	var points []Point
	for _, r := range results {
		for _, m := range r.Paths {
			top1, ok := m.Top1[split]
			if !ok {
				continue
			}
			method := r.Method
			if !m.Trained && strings.HasPrefix(method, Alone) {
				method = Truncated
			}
			_, depth, _ := strings.Cut(m.Path, "-")
			i := slices.IndexFunc(points, func(p Point) bool { return p.Method == method && p.Path == m.Path })
			if i < 0 {
				i = len(points)
				points = append(points, Point{Method: method, Path: m.Path, Depth: depth, MACs: m.MACs})
			}
			points[i].Top1 = append(points[i].Top1, 100*top1)
			points[i].Seeds = append(points[i].Seeds, r.Seed)
		}
	}
	first := map[string]int{}
	for i, p := range points {
		if _, ok := first[p.Method]; !ok {
			first[p.Method] = i
		}
	}
	slices.SortStableFunc(points, func(a, b Point) int {
		return cmp.Or(cmp.Compare(first[a.Method], first[b.Method]), cmp.Compare(b.MACs, a.MACs))
	})
	return points
}

// Deployed keeps the points of depths that would be deployed: not the Leader's.
func Deployed(points []Point) []Point {
	return slices.DeleteFunc(slices.Clone(points), func(p Point) bool { return strings.HasPrefix(p.Path, "l-") })
}

// Differences returns a minus b for each seed that both have, in points.
func Differences(a, b Point) []float64 {
	var d []float64
	for i, seed := range a.Seeds {
		if j := slices.Index(b.Seeds, seed); j >= 0 {
			d = append(d, a.Top1[i]-b.Top1[j])
		}
	}
	return d
}

// Table is a Markdown table of depths, deep to shallow, by methods: mean ± sd over seeds, in percent. The depths trained
// alone are one method.
func Table(points []Point) string {
	var methods []string
	type depth struct {
		name string
		macs int64
	}
	var depths []depth
	cells := map[[2]string]string{}
	for _, p := range points {
		method, name := p.Method, p.Depth
		if strings.HasPrefix(method, Alone) {
			method = strings.TrimSuffix(Alone, "-")
		}
		if strings.HasPrefix(p.Path, "l-") {
			name += " (Leader)"
		}
		if !slices.Contains(methods, method) {
			methods = append(methods, method)
		}
		if !slices.Contains(depths, depth{name, p.MACs}) {
			depths = append(depths, depth{name, p.MACs})
		}
		cells[[2]string{name, method}] = p.String()
	}
	slices.SortStableFunc(depths, func(a, b depth) int { return cmp.Compare(b.macs, a.macs) })
	var b strings.Builder
	fmt.Fprintf(&b, "| depth | million MACs | %s |\n|---|---:|%s\n", strings.Join(methods, " | "), strings.Repeat("---:|", len(methods)))
	for _, d := range depths {
		fmt.Fprintf(&b, "| %s | %.2f |", d.name, float64(d.macs)/1e6)
		for _, m := range methods {
			fmt.Fprintf(&b, " %s |", cmp.Or(cells[[2]string{d.name, m}], "–"))
		}
		b.WriteString("\n")
	}
	return b.String()
}
