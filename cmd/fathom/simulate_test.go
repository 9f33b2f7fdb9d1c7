package main

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/runtime/profile"
)

// traceFile is a quarter of an hour in which a board gets hot.
func traceFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hot.yaml")
	const text = "about: A hot quarter of an hour.\nduration: 15m\nutilisation: 0.9\nambient: [{points: [{at: 0s, value: 38}]}]\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// called runs the command line and returns what it printed.
func called(t *testing.T, want int, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := run(args, &stdout, &stderr); got != want {
		t.Fatalf("fathom %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, want, stderr.String())
	}
	return stdout.String() + stderr.String()
}

func TestSimulate(t *testing.T) {
	trace := traceFile(t)
	dir := t.TempDir()
	page, picture := filepath.Join(dir, "page.html"), filepath.Join(dir, "plot.png")
	text := called(t, 0, "simulate", trace, "--seeds", "2", "--policy", "step-wise", "--html", page, "--png", picture)
	for _, want := range []string{"step-wise", "best fixed depth", "shallowest", "deepest", "regret", "The optimum is at most"} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"hot on Raspberry Pi 4 in a closed case", "A hot quarter of an hour.", "<svg", "temperature, °C", "</html>"} {
		if !bytes.Contains(html, []byte(want)) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, foreign := range []string{"src=", "<link", "@import"} {
		if bytes.Contains(html, []byte(foreign)) {
			t.Errorf("the page needs more than itself: %q", foreign)
		}
	}
	f, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := png.Decode(f); err != nil {
		t.Error(err)
	}
}

func TestSimulateJSON(t *testing.T) {
	var rows []simulationRow
	if err := json.Unmarshal([]byte(called(t, 0, "simulate", traceFile(t), "--seeds", "2", "--policy", "step-wise", "--json")), &rows); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		got = append(got, r.Policy)
		if r.Trace != "hot" || r.Optimum < r.Utility-0.01 || r.Utility <= 0 || r.EndPercent != nil {
			t.Errorf("%+v", r)
		}
	}
	one := []string{"step-wise", "best fixed depth", "shallowest", "deepest"}
	if diff := cmp.Diff(append(one, one...), got); diff != "" {
		t.Error(diff)
	}
}

func TestSimulateWithALadder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "profile.json")
	ladder := profile.Profile{Board: "test"}
	for i, name := range []string{"thin", "thick"} {
		accuracy := 0.5 + 0.3*float64(i)
		ladder.Rungs = append(ladder.Rungs, profile.Rung{Variant: name, MACs: int64(i + 1), Accuracy: &accuracy,
			Cost: profile.Cost{Latency: time.Duration(i+1) * time.Millisecond, Source: profile.Measured}})
	}
	if err := profile.Write(file, ladder); err != nil {
		t.Fatal(err)
	}
	text := called(t, 0, "simulate", traceFile(t), "--seeds", "1", "--policy", "step-wise", "--profile", file)
	if !strings.Contains(text, "50.0") { // the shallowest's accuracy
		t.Error(text)
	}
	ladder.Rungs[1].Accuracy = nil
	if err := profile.Write(file, ladder); err != nil {
		t.Fatal(err)
	}
	if text := called(t, exitUsage, "simulate", traceFile(t), "--profile", file); !strings.Contains(text, "accuracy of thick") {
		t.Error(text)
	}
}

func TestSimulateRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		"--seeds 0":      {"--seeds", "0"},
		"no board":       {"--board", "pi9"},
		"no trace":       {"nonsense"},
		"--policy magic": {"--policy", "magic"},
		"no such file":   {"missing.yaml"},
		"profile":        {"--profile", "missing.json"},
	} {
		if text := called(t, exitUsage, append([]string{"simulate"}, args...)...); !strings.Contains(text, want) {
			t.Errorf("%v: %s, want %q", args, text, want)
		}
	}
}

func TestSimulateList(t *testing.T) {
	text := called(t, 0, "simulate", "--list")
	for _, want := range []string{"pi4-closed-case", "heat-wave", "sealed-noon", "training half", "step-wise"} {
		if !strings.Contains(text, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
}
