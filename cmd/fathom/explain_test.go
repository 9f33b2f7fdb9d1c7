package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/governor/sim"
)

// decisions is the decision log of a hot quarter of an hour.
func decisions(t *testing.T) (file string, records []governor.Record) {
	t.Helper()
	trace, err := sim.FindTrace(traceFile(t))
	if err != nil {
		t.Fatal(err)
	}
	c, err := sim.New(sim.Setup{Board: sim.Pi4ClosedCase(), Trace: trace})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	write := governor.JSONLog(&log, func(err error) { t.Error(err) })
	if _, err := c.Run(t.Context(), governor.Spec{Name: governor.StepwiseName}, sim.RunOptions{Record: func(r governor.Record) {
		records = append(records, r)
		write(r)
	}}); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "decisions.jsonl")
	if err := os.WriteFile(file, log.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file, records
}

func TestExplain(t *testing.T) {
	file, records := decisions(t)
	var x explanation
	if err := json.Unmarshal([]byte(called(t, 0, "explain", file, "--json", "--replay")), &x); err != nil {
		t.Fatal(err)
	}
	switches := 1 // the first decision
	for i, r := range records[1:] {
		if r.Decision.Variant != records[i].Decision.Variant {
			switches++
		}
	}
	if x.Decisions != len(records) || len(x.Changes) != switches || x.Policy != "step-wise" || !x.Simulated || x.Stopped != "" {
		t.Errorf("%d decisions, %d changes of %s, stopped %q; want %d, %d", x.Decisions, len(x.Changes), x.Policy, x.Stopped, len(records), switches)
	}
	if switches < 2 {
		t.Errorf("nothing changed in the log: it shows nothing")
	}
	for _, c := range x.Changes {
		if c.Reason == "" || c.To == "" || c.FPS <= 0 {
			t.Errorf("%+v", c)
		}
	}
	seconds := 0.
	for _, d := range x.Depths {
		seconds += d.Seconds
	}
	if want := float64(len(records) - 1); seconds != want {
		t.Errorf("the depths add up to %g s, want %g", seconds, want)
	}
	if !strings.Contains(x.Replayed, "every decision") {
		t.Error(x.Replayed)
	}
}

func TestExplainPrintsAndDraws(t *testing.T) {
	file, _ := decisions(t)
	page := filepath.Join(t.TempDir(), "why.html")
	text := called(t, 0, "explain", file, "--html", page, "--last", "1")
	for _, want := range []string{"step-wise on Raspberry Pi 4 in a closed case (simulated)", "why this switch", "held back by", "The last 1 changes"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	html, err := os.ReadFile(page)
	if err != nil || !bytes.Contains(html, []byte("<svg")) || !bytes.Contains(html, []byte("why this switch")) {
		t.Errorf("page of %d bytes, %v", len(html), err)
	}
}

// A log that was cut off by a power cut, and one that was tampered with.
func TestExplainOfADamagedLog(t *testing.T) {
	file, records := decisions(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text[:len(text)-100], 0o644); err != nil {
		t.Fatal(err)
	}
	var x explanation
	if err := json.Unmarshal([]byte(called(t, 0, "explain", file, "--json")), &x); err != nil {
		t.Fatal(err)
	}
	if x.Decisions != len(records)-1 || !strings.Contains(x.Stopped, "cut off") {
		t.Errorf("%d decisions, stopped: %s", x.Decisions, x.Stopped)
	}

	lines := bytes.SplitAfter(text, []byte("\n"))
	lines[60] = bytes.Replace(lines[60], []byte(`"frame_period_ns":`), []byte(`"frame_period_ns":1`), 1)
	if err := os.WriteFile(file, bytes.Join(lines, nil), 0o644); err != nil {
		t.Fatal(err)
	}
	if text := called(t, 0, "explain", file, "--replay"); !strings.Contains(text, "replay: record 60") {
		t.Error(text)
	}
}

func TestExplainRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.jsonl")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if text := called(t, exitFailure, "explain", empty); !strings.Contains(text, "no decisions") {
		t.Error(text)
	}
	if text := called(t, exitFailure, "explain", filepath.Join(t.TempDir(), "none")); !strings.Contains(text, "no such file") {
		t.Error(text)
	}
	called(t, exitUsage, "explain")
	called(t, exitUsage, "explain", empty, "--last", "-1")
}
