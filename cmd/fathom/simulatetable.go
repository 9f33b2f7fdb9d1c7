package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/governor/chart"
	"github.com/fathom-edge/fathom/governor/sim"
)

// simulationRow is one policy in one draw, or the mean of several.
type simulationRow struct {
	Trace  string `json:"trace"`
	Board  string `json:"board"`
	Seed   uint64 `json:"seed"`
	Policy string `json:"policy"`

	Utility float64 `json:"utility"`
	// Optimum is the bound that nobody exceeds who knows the trace, Regret what is missing to it.
	Optimum          float64 `json:"optimum"`
	Regret           float64 `json:"regret"`
	LateShare        float64 `json:"late_share"`
	DroppedShare     float64 `json:"dropped_share"`
	SecondsThrottled float64 `json:"seconds_throttled"`
	SecondsAbove     float64 `json:"seconds_above_ceiling"`
	// AvoidableSeconds are those above the ceiling that a rule avoids which goes
	// shallowest at the first reading that shows the disturbance.
	AvoidableSeconds float64  `json:"avoidable_seconds_above_ceiling"`
	MaxCelsius       float64  `json:"max_celsius"`
	EndPercent       *float64 `json:"end_percent,omitempty"` // nil without a battery
	MissedPercent    float64  `json:"missed_percent"`
	SwitchesPerHour  float64  `json:"switches_per_hour"`
	PairsPerHour     float64  `json:"pair_changes_per_hour"`
	MeanDepth        float64  `json:"mean_depth"`
}

func simulationRows(all []sim.Comparison, policies []governor.Spec) []simulationRow {
	var rows []simulationRow
	for _, c := range all {
		for i, spec := range policies {
			rows = append(rows, simulationRowOf(c, spec.Name, c.Policies[i]))
		}
		rows = append(rows,
			simulationRowOf(c, "best fixed depth", c.Fixed[c.Best]),
			simulationRowOf(c, "shallowest", c.Fixed[0]),
			simulationRowOf(c, "deepest", c.Fixed[len(c.Fixed)-1]))
	}
	return rows
}

func simulationRowOf(c sim.Comparison, policy string, a sim.Account) simulationRow {
	r := simulationRow{
		Trace: c.Case.Trace.Name, Board: c.Case.Board.Name, Seed: c.Case.Seed, Policy: policy,
		Utility: a.Utility(), Optimum: c.Bound.Utility, Regret: c.Bound.Utility - a.Utility(),
		LateShare: a.LateShare(), DroppedShare: max(1-float64(a.Classified)/float64(max(a.Requested, 1)), 0),
		SecondsThrottled: a.SecondsThrottled, SecondsAbove: a.SecondsAbove, AvoidableSeconds: a.AvoidableSeconds, MaxCelsius: a.MaxCelsius,
		MissedPercent: a.MissedPercent, SwitchesPerHour: a.PerHour(a.Switches), PairsPerHour: a.PerHour(a.PairChanges), MeanDepth: a.MeanDepth,
	}
	if a.HasBattery {
		r.EndPercent = &a.EndPercent
	}
	return r
}

// summarize takes means over all rows of a policy, in the order of their first appearance.
func summarize(rows []simulationRow) []simulationRow {
	var order []string
	sums := map[string]*simulationRow{}
	counts, charged := map[string]float64{}, map[string]float64{}
	for _, r := range rows {
		s := sums[r.Policy]
		if s == nil {
			s = &simulationRow{Policy: r.Policy}
			sums[r.Policy] = s
			order = append(order, r.Policy)
		}
		counts[r.Policy]++
		s.Utility += r.Utility
		s.Optimum += r.Optimum
		s.Regret += r.Regret
		s.LateShare += r.LateShare
		s.DroppedShare += r.DroppedShare
		s.SecondsThrottled += r.SecondsThrottled
		s.SecondsAbove += r.SecondsAbove
		s.AvoidableSeconds += r.AvoidableSeconds
		s.MaxCelsius = max(s.MaxCelsius, r.MaxCelsius)
		s.MissedPercent = max(s.MissedPercent, r.MissedPercent)
		s.SwitchesPerHour += r.SwitchesPerHour
		s.PairsPerHour += r.PairsPerHour
		s.MeanDepth += r.MeanDepth
		if r.EndPercent != nil {
			if s.EndPercent == nil {
				s.EndPercent = new(float64)
			}
			*s.EndPercent += *r.EndPercent
			charged[r.Policy]++
		}
	}
	var means []simulationRow
	for _, name := range order {
		s, n := sums[name], counts[name]
		for _, v := range []*float64{&s.Utility, &s.Optimum, &s.Regret, &s.LateShare, &s.DroppedShare, &s.SecondsThrottled,
			&s.SecondsAbove, &s.AvoidableSeconds, &s.SwitchesPerHour, &s.PairsPerHour, &s.MeanDepth} {
			*v /= n
		}
		if s.EndPercent != nil {
			*s.EndPercent /= charged[name]
		}
		means = append(means, *s)
	}
	return means
}

// simulationTable words rows: means, but the greatest temperature and the worst miss.
func simulationTable(rows []simulationRow) chart.Table {
	t := chart.Table{Left: 1, Head: []string{"policy", "utility %", "regret", "late %", "dropped %", "throttled s", "above ceiling s", "avoidable s", "max °C", "battery end %", "missed %", "switches/h", "pairs/h", "mean depth"}}
	for _, r := range rows {
		end := "–"
		if r.EndPercent != nil {
			end = fmt.Sprintf("%.0f", *r.EndPercent)
		}
		t.Rows = append(t.Rows, []string{
			r.Policy, fmt.Sprintf("%.2f", 100*r.Utility), fmt.Sprintf("%.2f", 100*r.Regret), fmt.Sprintf("%.2f", 100*r.LateShare),
			fmt.Sprintf("%.1f", 100*r.DroppedShare), fmt.Sprintf("%.0f", r.SecondsThrottled), fmt.Sprintf("%.0f", r.SecondsAbove),
			fmt.Sprintf("%.0f", r.AvoidableSeconds), fmt.Sprintf("%.1f", r.MaxCelsius), end, fmt.Sprintf("%.1f", r.MissedPercent),
			fmt.Sprintf("%.0f", r.SwitchesPerHour), fmt.Sprintf("%.1f", r.PairsPerHour), fmt.Sprintf("%.2f", r.MeanDepth),
		})
	}
	return t
}

func printSimulation(w io.Writer, rows []simulationRow) error {
	table := simulationTable(rows)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range append([][]string{table.Head}, table.Rows...) {
		for _, cell := range row {
			fmt.Fprintf(t, "%s\t", cell)
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(rows) > 0 {
		_, err := fmt.Fprintf(w, "\nThe optimum is at most %.2f %%. Means over all runs; the temperature and the miss are the worst.\n", 100*rows[0].Optimum)
		return err
	}
	return nil
}
