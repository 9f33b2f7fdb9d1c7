package main

import (
	"context"
	"fmt"
	"math"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/governor/chart"
	"github.com/fathom-edge/fathom/governor/sim"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// simulateCommand runs policies on simulated boards.
type simulateCommand struct {
	Traces  []string `arg:"" optional:"" help:"Traces: names of Fathom's own (--list) or files. All of the test half by default."`
	Board   []string `help:"Simulated boards (--list)." default:"pi4-closed-case" placeholder:"NAME"`
	Policy  []string `help:"Policies beside the fixed depths. All by default." placeholder:"NAME"`
	Profile string   `help:"Ladder with accuracies, as fathom bench writes it. A residual family of six depths by default." placeholder:"FILE"`
	Ceiling float64  `help:"Temperature to stay below, where the trace names none, in °C." placeholder:"CELSIUS"`
	Seeds   int      `help:"Draws of each trace on each board." default:"3"`
	JSON    bool     `name:"json" help:"Print every run as JSON."`
	HTML    string   `name:"html" help:"Write a page with the table and plots of the first draw." placeholder:"FILE"`
	PNG     string   `name:"png" help:"Write the plot of the first draw of the first trace on the first board." placeholder:"FILE"`
	List    bool     `help:"List boards, traces and policies."`
}

// Help is what --help adds.
func (simulateCommand) Help() string {
	return `Every policy runs on the same draws. Utility is the accuracy over every requested
frame, where one that was dropped or late counts as wrong; regret is what is
missing to the bound that nobody exceeds who knows the trace in advance.

  fathom simulate heat-wave --board pi-zero-2-w-case --board pi4-closed-case --html report.html`
}

// Run simulates and prints the table.
func (c *simulateCommand) Run(out *output) error {
	if c.List {
		return listSimulations(out)
	}
	if c.Seeds < 1 || c.Seeds > 1000 {
		return &usageError{fmt.Errorf("--seeds %d: want 1 to 1000", c.Seeds)}
	}
	policies, err := c.policies()
	if err != nil {
		return &usageError{err}
	}
	setups, err := c.setups()
	if err != nil {
		return &usageError{err}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	all, err := sim.Compare(ctx, setups, sim.CompareOptions{Policies: policies, Workers: runtime.NumCPU()})
	if err != nil {
		return err
	}
	rows := simulationRows(all, policies)
	if err := c.draw(ctx, setups, policies, rows); err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(out, rows)
	}
	return printSimulation(out, summarize(rows))
}

func (c *simulateCommand) policies() ([]governor.Spec, error) {
	names := c.Policy
	if len(names) == 0 {
		names = slices.DeleteFunc(governor.Policies(), func(n string) bool { return n == governor.FixedName })
	}
	var specs []governor.Spec
	for _, n := range names {
		if !slices.Contains(governor.Policies(), n) {
			return nil, fmt.Errorf("--policy %s: there are %s", n, strings.Join(governor.Policies(), ", "))
		}
		specs = append(specs, governor.Spec{Name: n})
	}
	return specs, nil
}

func (c *simulateCommand) setups() ([]sim.Setup, error) {
	var ladder []sim.Depth
	if c.Profile != "" {
		p, err := profile.Read(c.Profile)
		if err != nil {
			return nil, err
		}
		if ladder, err = sim.LadderOf(p); err != nil {
			return nil, err
		}
	}
	var traces []sim.Trace
	if len(c.Traces) == 0 {
		var err error
		if traces, err = sim.Traces(sim.Test); err != nil {
			return nil, err
		}
	}
	for _, name := range c.Traces {
		t, err := sim.FindTrace(name)
		if err != nil {
			return nil, err
		}
		traces = append(traces, t)
	}
	var setups []sim.Setup
	for _, t := range traces {
		for _, name := range c.Board {
			preset, err := sim.FindPreset(name)
			if err != nil {
				return nil, err
			}
			ceiling := preset.CeilingCelsius
			if c.Ceiling != 0 {
				ceiling = c.Ceiling
			}
			for seed := range c.Seeds {
				setups = append(setups, sim.Setup{Board: preset.Model(), Trace: t, Seed: uint64(seed), Ladder: ladder, CeilingCelsius: ceiling})
			}
		}
	}
	return setups, nil
}

func listSimulations(out *output) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "BOARD\tWHAT")
	for _, p := range sim.Presets() {
		fmt.Fprintf(t, "%s\t%s\n", p.Name, p.Model().Name)
	}
	for _, half := range []sim.Split{sim.Training, sim.Test} {
		traces, err := sim.Traces(half)
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "\nTRACE (%s half)\tHOURS\tWHAT\n", half)
		for _, trace := range traces {
			fmt.Fprintf(t, "%s\t%.1f\t%s\n", trace.Name, trace.Duration.Hours(), trace.About)
		}
	}
	fmt.Fprintf(t, "\nPOLICY\n%s\n", strings.Join(governor.Policies(), "\n"))
	return t.Flush()
}

// draw writes the plots that were asked for.
func (c *simulateCommand) draw(ctx context.Context, setups []sim.Setup, policies []governor.Spec, rows []simulationRow) error {
	if c.PNG != "" {
		figure, err := simulationFigure(ctx, setups[0], policies)
		if err != nil {
			return err
		}
		if err := writeFile(c.PNG, figure.WritePNG); err != nil {
			return err
		}
	}
	if c.HTML == "" {
		return nil
	}
	page := chart.Page{Title: "Simulated policies", Intro: []string{
		fmt.Sprintf("Draws of each trace on each board: %d; the plots show the first. Utility is the accuracy over every requested frame, where one that was dropped or late counts as wrong.", c.Seeds),
		"The optimum is a bound that nobody exceeds who knows the trace in advance. Boards, weather and sensors are simulated; the policies are those of fathomd.",
	}}
	page.Sections = append(page.Sections, chart.Section{Title: "All", Table: simulationTable(summarize(rows))})
	for i := 0; i < len(setups); i += c.Seeds {
		s := setups[i]
		figure, err := simulationFigure(ctx, s, policies)
		if err != nil {
			return err
		}
		var of []simulationRow
		for _, r := range rows {
			if r.Trace == s.Trace.Name && r.Board == s.Board.Name {
				of = append(of, r)
			}
		}
		figure.Title = ""
		page.Sections = append(page.Sections, chart.Section{
			Title: s.Trace.Name + " on " + s.Board.Name, Text: []string{s.Trace.About},
			Table: simulationTable(summarize(of)), Figure: &figure,
		})
	}
	return writeFile(c.HTML, page.WriteHTML)
}

// simulationFigure runs a setup again under each policy and keeps what happened every second.
func simulationFigure(ctx context.Context, s sim.Setup, policies []governor.Spec) (chart.Figure, error) {
	c, err := sim.New(s)
	if err != nil {
		return chart.Figure{}, err
	}
	f := chart.Figure{Title: s.Trace.Name + " on " + s.Board.Name, CeilingCelsius: c.CeilingCelsius}
	for _, d := range c.Ladder {
		f.Depths = append(f.Depths, d.Variant)
	}
	if b := c.Objectives.Battery; b.Until != 0 || b.For != 0 {
		f.ReservePercent = b.Reserve()
	}
	for _, spec := range policies {
		run := chart.Run{Name: spec.Name}
		_, err := c.Run(ctx, spec, sim.RunOptions{Sample: func(sample sim.Sample) {
			run.Seconds = append(run.Seconds, float64(len(run.Seconds)))
			run.Celsius = append(run.Celsius, sample.Celsius)
			run.Depth = append(run.Depth, float64(sample.Rung))
			run.FPS = append(run.FPS, 1000/sample.PeriodMS)
			run.Watts = append(run.Watts, sample.Watts)
			percent := math.NaN()
			if c.Battery != nil {
				percent = sample.Percent
			}
			run.Percent = append(run.Percent, percent)
		}})
		if err != nil {
			return chart.Figure{}, err
		}
		f.Runs = append(f.Runs, run)
	}
	return f, nil
}
