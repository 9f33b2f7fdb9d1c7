package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/governor/chart"
	"github.com/fathom-edge/fathom/internal/atomicfile"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// explainCommand renders the decision log of a run.
type explainCommand struct {
	Logs   []string `arg:"" name:"log" help:"Decision log of fathomd (decision_log in its configuration), in parts where it was rotated: the oldest first."`
	Replay bool     `help:"Step through the log again and say where a decision would now come out differently."`
	JSON   bool     `name:"json" help:"Print as JSON."`
	HTML   string   `name:"html" help:"Write a page with the plots and all changes." placeholder:"FILE"`
	PNG    string   `name:"png" help:"Write the plot." placeholder:"FILE"`
	Last   int      `help:"Print only so many of the latest changes; 0 for all." default:"40"`
}

// Help is what --help adds.
func (explainCommand) Help() string {
	return `Says how long each depth ran and what held it back, and why of every change.

  fathom explain /var/log/fathom/decisions.jsonl --html why.html`
}

// explanation is what a log comes to.
type explanation struct {
	Policy    string        `json:"policy"` // the last
	Board     string        `json:"board"`
	Simulated bool          `json:"simulated,omitempty"`
	From      time.Time     `json:"from"`
	To        time.Time     `json:"to"`
	Decisions int           `json:"decisions"`
	Depths    []depthTime   `json:"depths"`
	Causes    []causeTime   `json:"causes"`
	Heat      explainedHeat `json:"heat"`
	Changes   []change      `json:"changes"`
	// Stopped says why not all of the log was read; empty if it was.
	Stopped string `json:"stopped,omitempty"`
	// Replayed says how the replay ended; empty if none was asked for.
	Replayed string `json:"replayed,omitempty"`

	figure  chart.Figure
	ladder  profile.Profile
	longest time.Duration // between two decisions that belong together
}

// depthTime is how long a variant was the decision.
type depthTime struct {
	Variant string  `json:"variant"`
	Seconds float64 `json:"seconds"`
}

// causeTime is how long a cause kept the decision from being deeper or faster.
type causeTime struct {
	Cause   string  `json:"cause"` // empty for nothing
	Seconds float64 `json:"seconds"`
}

// explainedHeat is what the sensors told.
type explainedHeat struct {
	MaxCelsius       *float64 `json:"max_celsius,omitempty"` // nil where it was never known
	SecondsAbove     float64  `json:"seconds_above_ceiling"`
	SecondsThrottled float64  `json:"seconds_throttled"`
	SecondsUnknown   float64  `json:"seconds_unknown"`
}

// change is one change of the pair of rungs or of the frame rate.
type change struct {
	Time   time.Time `json:"time"`
	From   string    `json:"from"`
	To     string    `json:"to"`
	FPS    float64   `json:"fps"`
	Cause  string    `json:"cause,omitempty"`
	Reason string    `json:"reason"`
}

// Run reads the log and prints what it says.
func (c *explainCommand) Run(out *output) error {
	if c.Last < 0 {
		return &usageError{fmt.Errorf("--last %d: want 0 or more", c.Last)}
	}
	e := newExplainer(c.Replay)
	for _, file := range c.Logs {
		if err := e.read(file); err != nil {
			return err
		}
	}
	x := e.finish()
	if x.Decisions == 0 {
		return fmt.Errorf("%s: no decisions in it", strings.Join(c.Logs, ", "))
	}
	if c.PNG != "" {
		if err := writeFile(c.PNG, x.figure.WritePNG); err != nil {
			return err
		}
	}
	if c.HTML != "" {
		if err := writeFile(c.HTML, x.page().WriteHTML); err != nil {
			return err
		}
	}
	if c.JSON {
		return writeJSON(out, x)
	}
	return x.print(out, c.Last)
}

// writeFile writes a file whole.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := write(f); err != nil {
		return err
	}
	return f.Commit()
}

type explainer struct {
	explanation
	log    governor.LogReader
	replay *governor.Replayer
	last   governor.Record
	shown  string
	depths map[string]float64
	causes map[string]float64
	run    chart.Run
}

func newExplainer(replay bool) *explainer {
	e := &explainer{depths: map[string]float64{}, causes: map[string]float64{}}
	e.longest = 5 * time.Second
	if replay {
		e.replay = &governor.Replayer{}
		e.Replayed = "Replayed: every decision comes out as it was logged."
	}
	return e
}

func (e *explainer) read(file string) error {
	if e.Stopped != "" {
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := e.log.Each(f, e.add); err != nil {
		// A power cut leaves half a line: what stands before it is worth reading.
		e.Stopped = fmt.Sprintf("%s: %v", file, err)
	}
	return nil
}

// add takes in one decision.
func (e *explainer) add(r governor.Record) error {
	if r.Profile != nil {
		e.ladder = *r.Profile
	}
	if e.replay != nil {
		if err := e.replay.Step(r); err != nil {
			e.Replayed = err.Error()
			e.replay = nil
		}
	}
	seconds := 0.
	if e.Decisions > 0 {
		// What was decided held until now, but for a gap, in which nothing ran.
		if d := r.Time.Sub(e.last.Time); d > 0 && d <= e.longest {
			seconds = d.Seconds()
		} else {
			e.gap(r.Time)
		}
		e.depths[e.last.Decision.Variant] += seconds
		e.causes[string(e.last.Decision.Cause)] += seconds
	} else {
		e.From = r.Time
	}
	e.heat(r, seconds)
	e.change(r)
	e.sample(r)
	e.last = r
	e.Decisions++
	return nil
}

func (e *explainer) heat(r governor.Record, seconds float64) {
	s := r.Input.Snapshot
	celsius, known := s.Heat.HottestCelsius.Get()
	ceiling := r.Input.Objectives.Ceiling(s.Heat.LimitCelsius)
	e.figure.CeilingCelsius = ceiling
	switch {
	case !known:
		e.Heat.SecondsUnknown += seconds
	default:
		if e.Heat.MaxCelsius == nil || celsius > *e.Heat.MaxCelsius {
			e.Heat.MaxCelsius = &celsius
		}
		if celsius > ceiling {
			e.Heat.SecondsAbove += seconds
		}
	}
	if throttled, _ := s.Throttle.Throttled.Get(); throttled {
		e.Heat.SecondsThrottled += seconds
	}
}

// runs words what a decision runs: one rung, or two between which time is split.
func (e *explainer) runs(d governor.Decision) string {
	name := func(i int) string {
		if i < 0 || i >= len(e.ladder.Rungs) {
			return d.Variant
		}
		return e.ladder.Rungs[i].Variant
	}
	if d.Pair[0] == d.Pair[1] {
		return d.Variant
	}
	return name(d.Pair[0]) + " / " + name(d.Pair[1])
}

// rateChange is by how much the frame rate has to change to be worth a line.
const rateChange = 0.02

func (e *explainer) change(r governor.Record) {
	runs := e.runs(r.Decision)
	before := e.last.Decision.FramePeriod.Seconds()
	now := r.Decision.FramePeriod.Seconds()
	if e.Decisions > 0 && runs == e.shown && math.Abs(now-before) <= rateChange*before {
		return
	}
	c := change{Time: r.Time, From: e.shown, To: runs, Cause: string(r.Decision.Cause), Reason: r.Decision.Reason.String()}
	if now > 0 {
		c.FPS = 1 / now
	}
	e.Changes = append(e.Changes, c)
	e.shown = runs
}

func (e *explainer) sample(r governor.Record) {
	value := func(v float64, known bool) float64 {
		if !known {
			return math.NaN()
		}
		return v
	}
	s := r.Input.Snapshot
	rung, known := e.ladder.Index(r.Decision.Variant)
	e.run.Seconds = append(e.run.Seconds, r.Time.Sub(e.From).Seconds())
	e.run.Celsius = append(e.run.Celsius, value(s.Heat.HottestCelsius.Get()))
	e.run.Depth = append(e.run.Depth, value(float64(rung), known))
	e.run.FPS = append(e.run.FPS, value(1/r.Decision.FramePeriod.Seconds(), r.Decision.FramePeriod > 0))
	e.run.Watts = append(e.run.Watts, value(s.Power.Watts.Get()))
	e.run.Percent = append(e.run.Percent, value(s.Power.ChargePercent.Get()))
}

// gap cuts the lines of the figure before a time.
func (e *explainer) gap(before time.Time) {
	nan := math.NaN()
	e.run.Seconds = append(e.run.Seconds, before.Sub(e.From).Seconds()-1e-3)
	for _, values := range []*[]float64{&e.run.Celsius, &e.run.Depth, &e.run.FPS, &e.run.Watts, &e.run.Percent} {
		*values = append(*values, nan)
	}
}

func (e *explainer) finish() explanation {
	e.To = e.last.Time
	e.Policy = e.last.Policy.Name
	e.Board, e.Simulated = e.last.Input.Snapshot.Board, e.last.Input.Snapshot.Simulated
	for _, r := range e.ladder.Rungs {
		e.figure.Depths = append(e.figure.Depths, r.Variant)
		if seconds, ran := e.depths[r.Variant]; ran {
			e.Depths = append(e.Depths, depthTime{r.Variant, seconds})
		}
	}
	for cause, seconds := range e.causes {
		e.Causes = append(e.Causes, causeTime{cause, seconds})
	}
	slices.SortFunc(e.Causes, func(a, b causeTime) int {
		if a.Seconds != b.Seconds {
			return int(math.Copysign(1, b.Seconds-a.Seconds))
		}
		return strings.Compare(a.Cause, b.Cause)
	})
	if b := e.last.Input.Objectives.Battery; b.Until != 0 || b.For != 0 {
		e.figure.ReservePercent = b.Reserve()
	}
	e.figure.Title = fmt.Sprintf("%s on %s, from %s", e.Policy, e.Board, e.From.Format("2006-01-02 15:04:05"))
	e.figure.Runs = []chart.Run{e.run}
	return e.explanation
}

// summary is the first paragraph.
func (x explanation) summary() []string {
	span := x.To.Sub(x.From)
	simulated := ""
	if x.Simulated {
		simulated = " (simulated)"
	}
	lines := []string{fmt.Sprintf("%s on %s%s: %d decisions in %v, from %s to %s.", x.Policy, x.Board, simulated, x.Decisions,
		span.Round(time.Second), x.From.Format(time.RFC3339), x.To.Format(time.RFC3339))}
	heat := "The temperature was never known."
	if x.Heat.MaxCelsius != nil {
		heat = fmt.Sprintf("At most %.1f °C; %.0f s above the ceiling of %.1f °C, %.0f s throttled, %.0f s without a temperature.",
			*x.Heat.MaxCelsius, x.Heat.SecondsAbove, x.figure.CeilingCelsius, x.Heat.SecondsThrottled, x.Heat.SecondsUnknown)
	}
	rate := ""
	if span > 0 {
		rate = fmt.Sprintf(", %.1f an hour", float64(len(x.Changes)-1)/span.Hours())
	}
	lines = append(lines, heat, fmt.Sprintf("%d changes%s.", len(x.Changes)-1, rate))
	for _, note := range []string{x.Replayed, x.Stopped} {
		if note != "" {
			lines = append(lines, note)
		}
	}
	return lines
}

func (x explanation) tables() (depths, causes, changes chart.Table) {
	total := 0.
	for _, d := range x.Depths {
		total += d.Seconds
	}
	share := func(seconds float64) string { return fmt.Sprintf("%.1f", 100*seconds/max(total, 1e-9)) }
	depths = chart.Table{Left: 1, Head: []string{"depth", "s", "%"}}
	for _, d := range x.Depths {
		depths.Rows = append(depths.Rows, []string{d.Variant, fmt.Sprintf("%.0f", d.Seconds), share(d.Seconds)})
	}
	causes = chart.Table{Left: 1, Head: []string{"held back by", "s", "%"}}
	for _, c := range x.Causes {
		name := c.Cause
		if name == "" {
			name = "nothing"
		}
		causes.Rows = append(causes.Rows, []string{name, fmt.Sprintf("%.0f", c.Seconds), share(c.Seconds)})
	}
	changes = chart.Table{Left: 5, Head: []string{"time", "from", "to", "frames/s", "why this switch"}}
	for _, c := range x.Changes {
		from := c.From
		if from == "" {
			from = "–"
		}
		changes.Rows = append(changes.Rows, []string{c.Time.Format("2006-01-02 15:04:05"), from, c.To, fmt.Sprintf("%.3g", c.FPS), c.Reason})
	}
	return depths, causes, changes
}

func (x explanation) page() chart.Page {
	depths, causes, changes := x.tables()
	return chart.Page{Title: "Decisions of " + x.Policy + " on " + x.Board, Intro: x.summary(), Sections: []chart.Section{
		{Figure: &x.figure}, {Title: "Depths", Table: depths}, {Title: "What held it back", Table: causes}, {Title: "Changes", Table: changes},
	}}
}

func (x explanation) print(w io.Writer, last int) error {
	depths, causes, changes := x.tables()
	fmt.Fprintln(w, strings.Join(x.summary(), "\n"))
	if left := len(changes.Rows) - last; last > 0 && left > 0 {
		changes.Rows = changes.Rows[left:]
		fmt.Fprintf(w, "\nThe last %d changes (--last 0 shows all):\n", last)
	}
	for _, t := range []chart.Table{depths, causes, changes} {
		fmt.Fprintln(w)
		tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tab, strings.Join(t.Head, "\t"))
		for _, row := range t.Rows {
			fmt.Fprintln(tab, strings.Join(row, "\t"))
		}
		if err := tab.Flush(); err != nil {
			return err
		}
	}
	return nil
}
