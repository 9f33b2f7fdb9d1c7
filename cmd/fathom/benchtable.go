package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/internal/results"
)

// print writes the report as tables.
func (r *benchReport) print(out io.Writer) error {
	fmt.Fprintf(out, "%s, %s, on %s (%s, Linux %s)\n", r.Bundle, r.Precision, r.Begin.Board, r.Arch, r.Begin.Kernel)
	fmt.Fprintf(out, "clock governor: %s; temperature: %s at the start, %s at the end; other programs: %s of all cores\n",
		known(r.Begin.ClockGovernors, "%s"), known(r.Begin.HottestCelsius, "%.1f °C"), known(r.End.HottestCelsius, "%.1f °C"), known(r.Begin.OthersPercent, "%.0f %%"))
	for _, w := range r.Warnings {
		fmt.Fprintf(out, "warning: %s\n", w)
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)

	fmt.Fprintln(t, "\nPREPROCESSING\tP50\tP90\tP99")
	for _, p := range r.Preprocess {
		fmt.Fprintf(t, "%s\t%s\n", p.Frame, p.cells())
	}

	fmt.Fprintln(t, "\nLOADED\tLAYOUT\tTHREADS\tSTART-UP\tFIRST INFERENCE\tMEMORY")
	for _, l := range r.Loading {
		what := "all variants"
		if !l.All {
			what = strings.Join(l.Variants, " ")
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%.1f MiB\n", what, l.Layout, l.Threads, milliseconds(l.Median.Open), milliseconds(l.Median.First), float64(l.Median.Bytes)/(1<<20))
	}

	fmt.Fprintln(t, "\nSTEADY\tLAYOUT\tTHREADS\tP50\tP90\tP99\tRUNS\tOVER BARE LOOP\tOVER MONOLITHIC")
	for _, s := range r.Steady {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%d\t%s\t%s\n", s.Variant, s.Layout, s.Threads, s.cells(), s.Samples, intervalCell(s.OverBare), intervalCell(s.OverMonolithic))
	}

	if len(r.Switches) > 0 {
		fmt.Fprintln(t, "\nFIRST AFTER A SWITCH\tLAYOUT\tTHREADS\tP50\tP90\tP99\tOVER STEADY")
		for _, s := range r.Switches {
			fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\n", s.Variant, s.Layout, s.Threads, s.cells(), intervalCell(&s.OverSteady))
		}
	}

	fmt.Fprintln(t, "\nSEGMENT\tTHREADS\tMEDIAN\tSTD. DEV.")
	for _, s := range r.Segments {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\n", s.ID, s.Threads, milliseconds(s.Cost.Latency), milliseconds(s.Cost.StdDev))
	}

	if len(r.Power) > 0 {
		fmt.Fprintln(t, "\nPOWER\tTHREADS\tBUSY\tIDLE\tONE INFERENCE, ABOVE IDLE")
		for _, p := range r.Power {
			fmt.Fprintf(t, "%s\t%d\t%.2f W\t%.2f W\t%.1f mJ\n", p.Variant, p.Threads, p.Watts, p.IdleWatts, 1e3*p.ExtraJoules)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if r.NoPower != "" {
		fmt.Fprintf(out, "\npower: unknown (%s)\n", r.NoPower)
	}
	return nil
}

// known is a reading as text.
func known[T any](r telemetry.Reading[T], format string) string {
	if v, ok := r.Get(); ok {
		return fmt.Sprintf(format, v)
	}
	return "unknown (" + r.Reason() + ")"
}

func (q quantiles) cells() string {
	return milliseconds(q.P50) + "\t" + milliseconds(q.P90) + "\t" + milliseconds(q.P99)
}

func intervalCell(i *results.Interval) string {
	if i == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f (%.3f - %.3f)", i.Median, i.Low, i.High)
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.3f ms", float64(d)/1e6) }
