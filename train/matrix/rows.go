package matrix

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fathom-edge/fathom/internal/results"
)

const (
	maxBelowAlone    = 1.0 // points by which a depth may be below the same trained alone
	maxShallowestPct = 25  // share of the deepest rung's MACs that the shallowest may cost
)

// Rows are the statements of a comparison, from the accuracies on the test split. Differences are paired by seed; the
// samples are those of the seeds.
func Rows(list []*Result, command, machine string) []results.Row {
	var rows []results.Row
	add := func(id, what string, samples []float64, unit, op string, limit float64) {
		if len(samples) > 0 {
			rows = append(rows, results.Row{ID: id, What: what, Value: average(samples), Unit: unit, Op: op, Limit: limit, Samples: samples,
				Command: command, Machine: machine})
		}
	}
	points := Deployed(Points(list, "test"))
	of := func(method string) []Point {
		return slices.DeleteFunc(slices.Clone(points), func(p Point) bool { return p.Method != method })
	}
	offered := of(Cooperative)
	if len(offered) == 0 {
		return nil
	}
	slices.SortStableFunc(offered, func(a, b Point) int { return int(b.MACs - a.MACs) })
	full, least := offered[0], offered[len(offered)-1]
	at := func(method, depth string) (Point, bool) {
		for _, p := range of(method) {
			if p.Depth == depth {
				return p, true
			}
		}
		return Point{}, false
	}
	for _, p := range offered {
		add("cooperative/"+p.Path, fmt.Sprintf("cooperative, %s: top-1", p.Path), p.Top1, "%", "", 0)
	}
	for _, p := range offered {
		limit := -maxBelowAlone
		if p.Path == full.Path {
			limit = 0
		}
		if q, ok := at(Alone+p.Depth, p.Depth); ok {
			add("above-alone/"+p.Path, fmt.Sprintf("%s: cooperative above the same depth trained alone (%s %%)", p.Path, q), Differences(p, q), "points", ">=", limit)
		}
	}
	for _, p := range offered {
		if p.Path == full.Path {
			continue
		}
		if q, ok := at(Embedded, p.Depth); ok {
			add("above-embedded/"+p.Path, fmt.Sprintf("%s: cooperative above embedded distillation (%s %%)", p.Path, q), Differences(p, q), "points", ">=", 0)
		}
	}
	for _, p := range offered {
		if q, ok := at(Extremes, p.Depth); ok {
			add("above-extremes/"+p.Path, fmt.Sprintf("%s: cooperative above the two-extremes recipe (%s %%)", p.Path, q), Differences(p, q), "points", "", 0)
		}
	}
	for _, p := range offered {
		if q, ok := at(Truncated, p.Depth); ok {
			add("above-truncated/"+p.Path, fmt.Sprintf("%s: cooperative above the deepest net truncated (%s %%)", p.Path, q), Differences(p, q), "points", "", 0)
		}
	}
	add("shallowest-macs", fmt.Sprintf("MACs of %s against %s", least.Path, full.Path), []float64{100 * float64(least.MACs) / float64(full.MACs)}, "%", "<=", maxShallowestPct)
	for i := len(offered) - 1; i > 0; i-- {
		add("rise/"+offered[i-1].Path, fmt.Sprintf("%s above %s, the next shallower", offered[i-1].Path, offered[i].Path), Differences(offered[i-1], offered[i]), "points", ">=", 0)
	}
	var together, alone int64
	for _, r := range list {
		switch {
		case r.Seed != list[0].Seed:
		case r.Method == Cooperative:
			together = r.TrainingMACs
		case strings.HasPrefix(r.Method, Alone):
			alone += r.TrainingMACs
		}
	}
	if alone > 0 {
		add("training-macs", "MACs of a cooperative run against those of training each offered depth alone", []float64{float64(together) / float64(alone)}, "x", "<=", 1)
	}
	return rows
}

// AblationRows say for each variation by how much its accuracy on the validation split, which choices are made from, is
// above the unchanged method's, as a mean over deployed depths, paired by seed.
func AblationRows(list []*Result, command, machine string) []results.Row {
	points := Deployed(Points(list, "validation"))
	var rows []results.Row
	var methods []string
	for _, p := range points {
		if p.Method != Cooperative && !slices.Contains(methods, p.Method) {
			methods = append(methods, p.Method)
		}
	}
	for _, m := range methods {
		var sums []float64
		paths := 0
		for _, p := range points {
			i := slices.IndexFunc(points, func(q Point) bool { return q.Method == Cooperative && q.Path == p.Path })
			if p.Method != m || i < 0 {
				continue
			}
			d := Differences(p, points[i])
			if sums == nil {
				sums = make([]float64, len(d))
			}
			for k := range d {
				sums[k] += d[k]
			}
			paths++
		}
		for k := range sums {
			sums[k] /= float64(paths)
		}
		if len(sums) > 0 {
			rows = append(rows, results.Row{ID: "ablation/" + m, What: fmt.Sprintf("%s: above the defaults on the validation split, mean over depths", m),
				Value: average(sums), Unit: "points", Samples: sums, Command: command, Machine: machine})
		}
	}
	return rows
}

func average(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
