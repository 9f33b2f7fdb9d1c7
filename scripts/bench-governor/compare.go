package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/governor/sim"
	"github.com/fathom-edge/fathom/internal/results"
)

// lateTolerance is by how much more frames than allowed may be late in one case.
const lateTolerance = 0.001

// judged is the policy that the bars are for.
func judged(f flags) int { return max(slices.Index(f.Policies, "predictive"), 0) }

func compare(ctx context.Context, f flags) ([]results.Row, error) {
	var tuned *governor.StepwiseConfig
	if slices.Contains(f.Policies, governor.StepwiseName) && !f.Table {
		config, err := tune(ctx, f)
		if err != nil {
			return nil, err
		}
		tuned = &config
	}
	list, err := setups(f.Half, 0, f.Seeds, nil)
	if err != nil {
		return nil, err
	}
	all, err := compareAll(ctx, string(f.Half)+" traces", list, specs(f.Policies, tuned), false, f)
	if err != nil {
		return nil, err
	}
	if f.Table {
		return nil, table(all, f.Policies)
	}
	return rows("", all, f.Policies, judged(f)), nil
}

// wrong is the comparison on boards whose thermal resistance and capacity are half
// or one and a half of what anybody expects, with noise, 10 s of lag and 10 % of
// the readings lost.
func wrong(ctx context.Context, f flags) ([]results.Row, error) {
	list, err := setups(f.Half, 0, f.Seeds, func(i int, s *sim.Setup) {
		r := []float64{0.5, 1.5}[i%2]
		c := []float64{0.5, 1.5}[i/2%2]
		s.GainScale, s.TauScale = r, r*c
		sensor := s.Trace.Sensor
		sensor.NoiseKelvin = max(sensor.NoiseKelvin, 0.7)
		sensor.Lag, sensor.Dropout = 10e9, 0.1
		s.Sensor = &sensor
	})
	if err != nil {
		return nil, err
	}
	all, err := compareAll(ctx, "wrong model", list, specs([]string{f.Policies[judged(f)]}, nil), true, f)
	if err != nil {
		return nil, err
	}
	policies := []string{f.Policies[judged(f)]}
	if f.Table {
		return nil, table(all, policies)
	}
	return rows("wrong-", all, policies, 0), nil
}

// group adds up cases.
type group struct {
	name             string
	gained, possible float64
	worst            sim.Account // of each count the greatest
	violations       int
	utility          float64
	cases            int
	pairsPerHour     float64
}

func (g *group) add(c sim.Comparison, a sim.Account) {
	gained, possible := c.Gained(a)
	g.gained += gained
	g.possible += possible
	g.utility += a.Utility()
	g.cases++
	if !a.Meets(c.Limits(lateTolerance)) {
		g.violations++
	}
	g.worst.SecondsThrottled = max(g.worst.SecondsThrottled, a.SecondsThrottled)
	g.worst.AvoidableSeconds = max(g.worst.AvoidableSeconds, a.AvoidableSeconds)
	g.worst.MissedPercent = max(g.worst.MissedPercent, a.MissedPercent)
	g.worst.SecondsAbove = max(g.worst.SecondsAbove, a.SecondsAbove)
	g.pairsPerHour = max(g.pairsPerHour, a.PerHour(a.PairChanges))
}

// points is the mean utility, in per cent.
func (g *group) points() float64 { return 100 * g.utility / float64(g.cases) }

// share is the utility gained of what was possible, in per cent.
func (g *group) share() float64 {
	if g.possible <= 0 {
		return 100
	}
	return 100 * g.gained / g.possible
}

// by groups the accounts that pick returns by a name of each case.
func by(all []sim.Comparison, name func(sim.Comparison) string, pick func(sim.Comparison) sim.Account) []*group {
	var groups []*group
	for _, c := range all {
		n := name(c)
		i := slices.IndexFunc(groups, func(g *group) bool { return g.name == n })
		if i < 0 {
			i = len(groups)
			groups = append(groups, &group{name: n})
		}
		groups[i].add(c, pick(c))
	}
	return groups
}

func ofTrace(c sim.Comparison) string { return c.Case.Trace.Name }
func ofAll(sim.Comparison) string     { return "all" }

// ofLimit names what keeps the board from its deepest variant in a trace.
func ofLimit(c sim.Comparison) string {
	switch t := c.Case.Trace; {
	case t.Battery != nil && len(t.Solar) > 0:
		return "battery and panel"
	case t.Battery != nil:
		return "battery"
	case len(t.Load) > 0:
		return "heat beside other programs"
	}
	return "heat"
}

func rows(prefix string, all []sim.Comparison, policies []string, judged int) []results.Row {
	pick := func(i int) func(sim.Comparison) sim.Account {
		return func(c sim.Comparison) sim.Account { return c.Policies[i] }
	}
	name := policies[judged]
	traces := by(all, ofTrace, pick(judged))
	shares := make([]float64, len(traces))
	for i, g := range traces {
		shares[i] = g.share()
	}
	mean := 0.
	for _, s := range shares {
		mean += s / float64(len(shares))
	}
	bar := func(usual float64) float64 {
		if prefix != "" {
			return 80
		}
		return usual
	}
	list := []results.Row{
		{ID: prefix + "gained", What: name + ": utility gained, mean over traces", Value: mean, Unit: "%", Op: ">=", Limit: bar(90), Samples: shares},
		{ID: prefix + "gained-worst", What: name + ": utility gained, worst trace", Value: slices.Min(shares), Unit: "%", Op: ">=", Limit: bar(70), Samples: shares},
	}
	if prefix != "" {
		list[1].Op, list[1].Limit = "", 0
	}
	for i, g := range traces {
		list = append(list, results.Row{ID: prefix + "gained-by-trace/" + g.name, What: name + ": utility gained in " + g.name, Value: shares[i], Unit: "%", Samples: []float64{shares[i]}})
	}
	for _, g := range by(all, ofLimit, pick(judged)) {
		list = append(list, results.Row{ID: prefix + "gained-by-limit/" + strings.ReplaceAll(g.name, " ", "-"), What: name + ": utility gained where the limit is " + g.name, Value: g.share(), Unit: "%", Samples: []float64{g.share()}})
	}
	bound, plan := 0., 0.
	for _, c := range all {
		bound += c.Bound.Utility / float64(len(all))
		plan += c.Bound.Plan / float64(len(all))
	}
	list = append(list,
		results.Row{ID: prefix + "utility/bound", What: "utility that nobody exceeds who knows the trace", Value: 100 * bound, Unit: "%", Samples: []float64{100 * bound}},
		results.Row{ID: prefix + "utility/plan", What: "utility of the best plan found below that bound", Value: 100 * plan, Unit: "%", Samples: []float64{100 * plan}},
	)
	for i, p := range policies {
		g := by(all, ofAll, pick(i))[0]
		list = append(list,
			results.Row{ID: prefix + "utility/" + p, What: "utility of " + p, Value: g.points(), Unit: "%", Samples: []float64{g.points()}},
			results.Row{ID: prefix + "violations/" + p, What: fmt.Sprintf("cases of %d in which %s broke a limit", g.cases, p), Value: float64(g.violations), Unit: "cases", Samples: []float64{float64(g.violations)}},
		)
	}
	g := by(all, ofAll, pick(judged))[0]
	if len(all[0].Fixed) > 1 {
		list = append(list, overFixed(name, all, g, pick(judged))...)
	}
	if i := slices.Index(policies, governor.StepwiseName); i >= 0 && i != judged {
		s := by(all, ofAll, pick(i))[0]
		list = append(list,
			results.Row{ID: prefix + "over-step-wise", What: name + " above step-wise, in points of utility", Value: g.points() - s.points(), Unit: "points", Op: ">=", Limit: 0, Samples: differences(all, pick(judged), pick(i))},
			results.Row{ID: prefix + "violations-over-step-wise", What: "cases in which " + name + " broke a limit, less those of step-wise", Value: float64(g.violations - s.violations), Unit: "cases", Op: "<=", Limit: 0, Samples: []float64{float64(g.violations - s.violations)}},
		)
	}
	var late []float64 // beyond the share allowed
	for _, c := range all {
		late = append(late, 100*(c.Policies[judged].LateShare()-c.Case.Objectives.LateShare()))
	}
	worst := func(id, what, unit string, limit float64, value func(sim.Comparison, sim.Account) float64) results.Row {
		var samples []float64
		for _, c := range all {
			samples = append(samples, value(c, c.Policies[judged]))
		}
		return results.Row{ID: prefix + id, What: name + ": " + what, Value: slices.Max(samples), Unit: unit, Op: "<=", Limit: limit, Samples: samples}
	}
	list = append(list,
		worst("above", "seconds above the ceiling that a rule avoids which goes shallowest at the first reading that shows the disturbance, worst case", "s", 0, func(_ sim.Comparison, a sim.Account) float64 { return a.AvoidableSeconds }),
		worst("throttled", "seconds throttled by firmware that such a rule avoids, worst case", "s", 0, func(_ sim.Comparison, a sim.Account) float64 { return a.AvoidableThrottled }),
		worst("battery", "battery goal missed by more than the least depth and rate miss it, worst case", "% of capacity", 2, func(c sim.Comparison, a sim.Account) float64 { return max(a.MissedPercent-c.Unavoidable, 0) }),
		results.Row{ID: prefix + "late", What: name + ": late frames beyond the share allowed, worst case", Value: slices.Max(late), Unit: "points", Op: "<=", Limit: 0.1, Samples: late},
	)
	if prefix != "" {
		for i := range list {
			list[i].What = "wrong model: " + list[i].What
		}
	}
	return list
}

// overFixed compares with the best fixed depth of each case.
func overFixed(name string, all []sim.Comparison, g *group, pick func(sim.Comparison) sim.Account) []results.Row {
	best := func(c sim.Comparison) sim.Account { return c.Fixed[c.Best] }
	fixed := by(all, ofAll, best)[0]
	return []results.Row{
		{ID: "utility/best-fixed", What: "utility of the best fixed depth within the limits, with hindsight", Value: fixed.points(), Unit: "%", Samples: []float64{fixed.points()}},
		{ID: "violations/best-fixed", What: fmt.Sprintf("cases of %d in which no fixed depth keeps the limits", len(all)), Value: float64(fixed.violations), Unit: "cases", Samples: []float64{float64(fixed.violations)}},
		{ID: "over-fixed", What: name + " above the best fixed depth, in points of utility", Value: g.points() - fixed.points(), Unit: "points", Op: ">=", Limit: 0, Samples: differences(all, pick, best)},
	}
}

func differences(all []sim.Comparison, a, b func(sim.Comparison) sim.Account) []float64 {
	var list []float64
	for _, c := range all {
		list = append(list, 100*(a(c).Utility()-b(c).Utility()))
	}
	return list
}

// table is for tuning: one line per trace and board.
func table(all []sim.Comparison, policies []string) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "trace\tboard\tpolicy\tutility\tgained %\tbound\tviolations\tthrottled s\tabove s\tavoidable s\tmissed %\tpairs/h\t")
	cell := func(c sim.Comparison) string { return c.Case.Trace.Name + "\t" + c.Case.Board.Name }
	var bound float64
	for i, p := range policies {
		groups := by(all, cell, func(c sim.Comparison) sim.Account { return c.Policies[i] })
		slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(a.share(), b.share()) })
		total := by(all, ofAll, func(c sim.Comparison) sim.Account { return c.Policies[i] })[0]
		total.name = "all\t"
		for _, g := range append(groups, total) {
			bound = g.utility/float64(g.cases) + (g.possible-g.gained)/float64(g.cases)
			fmt.Fprintf(w, "%s\t%s\t%.4f\t%.1f\t%.4f\t%d/%d\t%.0f\t%.0f\t%.0f\t%.1f\t%.0f\t\n", g.name, p, g.utility/float64(g.cases), g.share(), bound,
				g.violations, g.cases, g.worst.SecondsThrottled, g.worst.SecondsAbove, g.worst.AvoidableSeconds, g.worst.MissedPercent, g.pairsPerHour)
		}
	}
	return w.Flush()
}
