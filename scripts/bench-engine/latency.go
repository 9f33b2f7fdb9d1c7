package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/fathom-edge/fathom/internal/results"
)

// The bars of the engine.
const (
	overBare        = 1.02 // or
	bareNanoseconds = 20e3 // more, where that is more
	overResNet      = 1.03
	overDepthwise   = 1.08
	overSwitch      = 1.15
	overDeepest     = 1.15
)

// times are quantiles as fathom bench prints them.
type times struct {
	Samples int
	P50     float64 `json:"p50_ns"`
	P99     float64 `json:"p99_ns"`
}

// measured is the part of fathom bench --json that is needed here.
type measured struct {
	Warnings []string
	Loading  []struct {
		Layout    string
		Variants  []string
		All       bool
		Processes []struct {
			Open  float64 `json:"open_ns"`
			Bytes float64
		}
	}
	Steady []struct {
		Variant, Layout string
		Threads         int
		times
		OverBare       *results.Interval `json:"over_bare"`
		OverMonolithic *results.Interval `json:"over_monolithic"`
	}
	Switches []struct {
		Variant, Layout string
		Threads         int
		times
		OverSteady results.Interval `json:"over_steady"`
	}
}

func bench(line string) (*measured, error) {
	out, err := results.Run(line)
	if err != nil {
		return nil, err
	}
	var m measured
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		return nil, fmt.Errorf("%s: %w", line, err)
	}
	for _, w := range m.Warnings {
		fmt.Fprintf(os.Stderr, "warning: %s\n", w)
	}
	return &m, nil
}

// latency measures every bundle: against the bare loop, segments against one
// file, the first inference after a switch, and memory.
func latency() ([]results.Row, error) {
	var rows []results.Row
	for _, c := range []struct {
		bundle string
		limit  float64 // of segments over one file; 0 for none
	}{
		{"resnet-float32", overResNet}, {"resnet-int8", overResNet},
		{"mobilenetv2-float32", overDepthwise}, {"mobilenetv2-int8", 0},
		{"demo-float32", overResNet},
	} {
		line := fmt.Sprintf("bin/fathom bench %s%s --threads 1,2 --seconds 25 -o %[1]s%[2]s.profile.json --json", cache, c.bundle)
		m, err := bench(line)
		if err != nil {
			return nil, err
		}
		more := m.againstBare(c.bundle)
		more = append(more, m.againstMonolithic(c.bundle, "segments", c.limit)...)
		more = append(more, m.switches(c.bundle)...)
		more = append(more, m.memory(c.bundle, strings.HasPrefix(c.bundle, "resnet"))...)
		for i := range more {
			more[i].Command = line
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// againstBare is the engine over the loop in C, both on one file.
func (m *measured) againstBare(bundle string) []results.Row {
	bare := map[string]float64{}
	for _, s := range m.Steady {
		if s.Layout == "bare" {
			bare[fmt.Sprint(s.Variant, s.Threads)] = s.P50
		}
	}
	var rows []results.Row
	for _, s := range m.Steady {
		if s.Layout != "monolithic" || s.OverBare == nil {
			continue
		}
		b := bare[fmt.Sprint(s.Variant, s.Threads)]
		what := fmt.Sprintf("engine over the bare C loop, same file: %s, %s, threads: %d: upper end of the paired 95 %% interval (median %.3f; %.3f and %.3f ms)",
			bundle, s.Variant, s.Threads, s.OverBare.Median, s.P50/1e6, b/1e6)
		rows = append(rows, upper(fmt.Sprintf("bare-%s/%s-t%d", bundle, s.Variant, s.Threads), what, s.OverBare, max(overBare, 1+bareNanoseconds/b)))
	}
	return rows
}

// againstMonolithic is shared segments over one file, both in the engine.
func (m *measured) againstMonolithic(bundle, group string, limit float64) []results.Row {
	var rows []results.Row
	for _, s := range m.Steady {
		if s.Layout != "segments" || s.OverMonolithic == nil {
			continue
		}
		what := fmt.Sprintf("shared segments over one file, in the engine: %s, %s, threads: %d: upper end of the paired 95 %% interval (median %.3f; %.3f ms)",
			bundle, s.Variant, s.Threads, s.OverMonolithic.Median, s.P50/1e6)
		rows = append(rows, upper(fmt.Sprintf("%s-%s/%s-t%d", group, bundle, s.Variant, s.Threads), what, s.OverMonolithic, limit))
	}
	return rows
}

// upper is a row of the upper end of an interval; a limit of 0 is none.
func upper(id, what string, i *results.Interval, limit float64) results.Row {
	r := results.Row{ID: id, What: what, Value: i.High, Unit: "×", Samples: i.Samples}
	if limit > 0 {
		r.Op, r.Limit = "<=", limit
	}
	return r
}

func (m *measured) switches(bundle string) []results.Row {
	var rows []results.Row
	for _, s := range m.Switches {
		if s.Layout != "segments" {
			continue
		}
		what := fmt.Sprintf("first inference after a switch over the steady ones after it: %s, %s, threads: %d: median (95 %% interval %.3f … %.3f)",
			bundle, s.Variant, s.Threads, s.OverSteady.Low, s.OverSteady.High)
		rows = append(rows, results.Row{ID: fmt.Sprintf("switch-%s/%s-t%d", bundle, s.Variant, s.Threads), What: what,
			Value: s.OverSteady.Median, Unit: "×", Op: "<=", Limit: overSwitch, Samples: s.OverSteady.Samples})
	}
	return rows
}

// memory is all depths over the deepest one alone, as the file that one would
// otherwise have, process by process.
func (m *measured) memory(bundle string, weightsDominate bool) []results.Row {
	var all, open, deepest []float64 // variants stand from the cheapest to the dearest: the last one alone stays
	for _, l := range m.Loading {
		var bytes, started []float64
		for _, p := range l.Processes {
			bytes, started = append(bytes, p.Bytes/(1<<20)), append(started, p.Open/1e6)
		}
		switch {
		case l.Layout == "segments" && l.All:
			all, open = bytes, started
		case l.Layout == "monolithic" && !l.All:
			deepest = bytes
		}
	}
	ratios := make([]float64, len(all))
	for i := range ratios {
		ratios[i] = all[i] / deepest[i]
	}
	r := results.Row{ID: "memory-" + bundle, Value: results.Median(ratios), Unit: "×", Samples: ratios,
		What: fmt.Sprintf("memory of all depths as segments over the deepest alone as one file: %s (%.1f and %.1f MiB above the process)", bundle, results.Median(all), results.Median(deepest))}
	if weightsDominate {
		r.Op, r.Limit = "<=", overDeepest
	}
	return []results.Row{r,
		{ID: "start-" + bundle, What: "time to load and warm all depths in a fresh process: " + bundle, Value: results.Median(open), Unit: "ms", Samples: open}}
}

// depthwise tries what may help the depthwise network in float32: fewer cuts.
func depthwise() ([]results.Row, error) {
	var rows []results.Row
	for _, kib := range fewerCuts {
		line := fmt.Sprintf("bin/fathom bench %s%s --against %[1]smobilenetv2-float32.monolithic --layout segments,monolithic --seconds 15 --json", cache, fewer(kib))
		m, err := bench(line)
		if err != nil {
			return nil, err
		}
		more := append(m.againstMonolithic(fewer(kib), "segments", overDepthwise), m.memory(fewer(kib), false)...)
		for i := range more {
			more[i].Command = line
		}
		rows = append(rows, more...)
	}
	return rows, nil
}
