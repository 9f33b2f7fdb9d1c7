package sim

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// ladder has four rungs of 3.5, 7, 10.5 and 14 MMAC.
func ladder() profile.Profile {
	var candidates []profile.Candidate
	for i, name := range []string{"a-1-1-1", "b-2-2-2", "a-3-3-3", "b-4-4-4"} {
		accuracy := 0.88 + 0.03*float64(i)
		candidates = append(candidates, profile.Candidate{Name: name, MACs: 3_500_000 * int64(i+1), Accuracy: &accuracy})
	}
	p, err := profile.FromVariants(candidates, profile.StartThroughput("Raspberry Pi 4", 1), "test")
	if err != nil {
		panic(err)
	}
	return p
}

const ceiling = 75

// closedCase is a Pi 4 in a closed case, 25 times faster than real.
func closedCase(policy string) Scenario {
	return Scenario{
		Board:          Config{Model: Pi4ClosedCase(), Acceleration: 25},
		Profile:        ladder(),
		Policy:         governor.Spec{Name: policy},
		Objectives:     governor.Objectives{FPS: 5, CeilingCelsius: ceiling},
		DeepestLatency: 4 * time.Millisecond, Utilisation: 0.95,
		Duration: 4 * time.Minute, // 100 min of the board
	}
}

// demo is what fathomd --demo shows: its own board, objectives and policy, and five
// rungs that take this machine as little as those of its bundle do.
func demo(t *testing.T) Scenario {
	t.Helper()
	text, err := os.ReadFile("../../testdata/demo/fathomd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		TargetRate float64             `yaml:"target_rate"`
		Policy     governor.Spec       `yaml:"policy"`
		Objectives governor.Objectives `yaml:"objectives"`
		Simulate   struct {
			Board        string        `yaml:"board"`
			Acceleration float64       `yaml:"acceleration"`
			Utilisation  float64       `yaml:"utilisation"`
			SunKelvin    float64       `yaml:"sun_kelvin"`
			SunPeriod    time.Duration `yaml:"sun_period"`
		} `yaml:"simulate"`
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	preset, err := FindPreset(c.Simulate.Board)
	if err != nil {
		t.Fatal(err)
	}
	var candidates []profile.Candidate
	for i, macs := range []int64{700_000, 1_880_000, 3_060_000, 4_240_000, 7_780_000} {
		accuracy := 0.8 + 0.04*float64(i)
		candidates = append(candidates, profile.Candidate{Name: fmt.Sprint("depth-", i), MACs: macs, Accuracy: &accuracy})
	}
	p, err := profile.FromVariants(candidates, profile.StartThroughput("Raspberry Pi 4", 1), "test")
	if err != nil {
		t.Fatal(err)
	}
	c.Objectives.FPS, c.Objectives.CeilingCelsius = c.TargetRate, ceiling // 5 K below its limit, as by default
	return Scenario{
		Board:   Config{Model: preset.Model(), Acceleration: c.Simulate.Acceleration, Sun: Sun{c.Simulate.SunKelvin, c.Simulate.SunPeriod}},
		Profile: p, Policy: c.Policy, Objectives: c.Objectives,
		DeepestLatency: 600 * time.Microsecond, Utilisation: c.Simulate.Utilisation,
		Duration: 6 * time.Minute,
	}
}

// walk tells which rungs ran from a time on, and how many changes went past a neighbour.
func (r Result) walk(from, to time.Duration) (rungs []int, jumps int) {
	for i, p := range r.Points {
		if p.At < from || p.At >= to {
			continue
		}
		if !slices.Contains(rungs, p.Rung) {
			rungs = append(rungs, p.Rung)
		}
		if i > 0 && (p.Rung > r.Points[i-1].Rung+1 || p.Rung < r.Points[i-1].Rung-1) {
			jumps++
		}
	}
	slices.Sort(rungs)
	return rungs, jumps
}

func TestTheDemoFallsWithHeatAndTakesTurnsOfNeighbours(t *testing.T) {
	s := demo(t)
	r := run(t, s)
	early, _ := r.walk(0, time.Minute)
	all, jumps := r.walk(0, s.Duration)
	got := r.Summarize(0, ceiling)
	t.Logf("first minute %v, then %v, %d jumps, %+v", early, all, jumps, got)
	if len(early) < 3 || r.Points[5].Rung != len(s.Profile.Rungs)-1 {
		t.Errorf("the rungs of the first minute are %v, %d after 5 s: want the deepest while it is cool, and at least three", early, r.Points[5].Rung)
	}
	if jumps > 3 {
		t.Errorf("%d changes past a neighbour in %v: want at most 3", jumps, s.Duration)
	}
	if got.SecondsAbove > 0 {
		t.Errorf("%+v: above the ceiling", got)
	}
}

// However few milliseconds of this machine keep the simulated board busy.
func TestInSteadyAirTimeIsSplitBetweenNeighbours(t *testing.T) {
	for _, deepest := range []time.Duration{200 * time.Microsecond, 600 * time.Microsecond, 20 * time.Millisecond} {
		for _, ceiling := range []float64{62, 68, 75} {
			s := demo(t)
			s.Board.Sun, s.DeepestLatency, s.Objectives.CeilingCelsius = Sun{}, deepest, ceiling
			r := run(t, s)
			rungs, jumps := r.walk(4*time.Minute, s.Duration)
			if len(rungs) > 2 || jumps > 0 {
				t.Errorf("%v, %g °C: rungs %v and %d changes past a neighbour in two steady minutes, want two neighbours", deepest, ceiling, rungs, jumps)
			}
		}
	}
}

func run(t *testing.T, s Scenario) Result {
	t.Helper()
	r, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDeepestAloneCooksTheBoard(t *testing.T) {
	got := run(t, closedCase(governor.FixedName)).Summarize(0, ceiling)
	t.Logf("%+v", got)
	if got.MaxCelsius < ceiling+5 || got.SecondsAbove < 200 || got.SecondsThrottled < 200 || got.MeanRung != 3 {
		t.Errorf("%+v: want the deepest rung all the time, 5 K above the ceiling and throttled for most of 240 s", got)
	}
}

func TestStepwiseHoldsTheCeiling(t *testing.T) {
	for _, tt := range []struct {
		name            string
		change          func(*Scenario)
		maxOver         float64 // kelvin above the ceiling
		maxSecondsAbove float64
	}{
		{"demo", func(*Scenario) {}, 0, 0},
		{"real time", func(s *Scenario) { s.Board.Acceleration, s.Duration = 1, 2*time.Hour }, 0, 0},
		{"20 times", func(s *Scenario) { s.Board.Acceleration = 20 }, 0, 0},
		{"30 times", func(s *Scenario) { s.Board.Acceleration = 30 }, 0, 0},
		{"sun on the case", func(s *Scenario) { s.Board.Sun = Sun{5, 20 * time.Minute} }, 1.5, 4},
		{"Pi 3B", func(s *Scenario) { s.Board.Model = Pi3SolidCase() }, 1, 2},
		{"Zero 2 W", func(s *Scenario) { s.Board.Model = Zero2Case() }, 1, 2},
		{"bare", func(s *Scenario) { s.Board.Model = Pi4Bare() }, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := closedCase(governor.StepwiseName)
			tt.change(&s)
			got := run(t, s).Summarize(0, ceiling)
			t.Logf("%+v", got)
			if got.MaxCelsius > ceiling+tt.maxOver || got.SecondsAbove > tt.maxSecondsAbove || got.SecondsThrottled > 0 {
				t.Errorf("%+v: want at most %g K above %d °C for %g s, never throttled", got, tt.maxOver, ceiling, tt.maxSecondsAbove)
			}
			if got.MeanRung < 0.5 {
				t.Errorf("%+v: holds the ceiling by giving up depth", got)
			}
		})
	}
}

func TestDepthVariesWithinAMinuteOfTheDemo(t *testing.T) {
	r := run(t, closedCase(governor.StepwiseName))
	var changes []string
	deeper, shallower := 0, 0
	for i, p := range r.Points[:60] {
		if i == 0 || p.Rung == r.Points[i-1].Rung {
			continue
		}
		changes = append(changes, fmt.Sprintf("%v→%s", p.At, p.Variant))
		if p.Rung > r.Points[i-1].Rung {
			deeper++
		} else {
			shallower++
		}
	}
	t.Log(strings.Join(changes, " "))
	if deeper < 2 || shallower < 3 {
		t.Errorf("%d steps deeper and %d shallower in the first minute: want at least 2 and 3", deeper, shallower)
	}
}

// No step comes sooner after the last than the policy says.
func TestStepsKeepTheirDistance(t *testing.T) {
	for _, sun := range []float64{0, 8} {
		s := closedCase(governor.StepwiseName)
		s.Board.Sun = Sun{sun, 10 * time.Minute}
		r := run(t, s)
		last := time.Duration(0)
		for i := 1; i < len(r.Points); i++ {
			p, before := r.Points[i], r.Points[i-1]
			if p.Rung == before.Rung && p.Period == before.Period {
				continue
			}
			least := 3 * time.Second
			if p.Rung > before.Rung || p.Period < before.Period {
				least = 10 * time.Second
			}
			if p.At-last < least {
				t.Errorf("sun %g K: %v after %v: %s → %s sooner than %v", sun, p.At, last, before.Variant, p.Variant, least)
			}
			last = p.At
		}
	}
}

func TestShallowestAndStillHotStretchesThePeriod(t *testing.T) {
	s := closedCase(governor.StepwiseName)
	s.Objectives.CeilingCelsius = 58 // idle is 50, the shallowest rung alone leads to 59
	r := run(t, s)
	got := r.Summarize(2*time.Minute, 58)
	longest := time.Duration(0)
	for _, p := range r.Points {
		longest = max(longest, p.Period)
	}
	if longest < 300*time.Millisecond || got.SecondsAbove > 0 {
		t.Errorf("longest period %v, %+v: want the period stretched and 58 °C kept", longest, got)
	}
}

func TestBatteryLastsLongerWithALeastCharge(t *testing.T) {
	s := closedCase(governor.StepwiseName)
	s.Board.Battery = &Battery{CapacityWattHours: 20, StartPercent: 60}
	s.Objectives.MinChargePercent = 40
	r := run(t, s)
	last := r.Points[len(r.Points)-1]
	if last.Rung != 0 || !strings.Contains(last.Reason, "charge") {
		t.Errorf("ends on rung %d (%s), want the shallowest for the charge", last.Rung, last.Reason)
	}
	charge := func(r Result) float64 {
		c, _ := r.Records[len(r.Records)-1].Input.Snapshot.Power.ChargePercent.Get()
		return c
	}
	s.Policy.Name = governor.FixedName
	if saved := charge(r) - charge(run(t, s)); saved < 5 {
		t.Errorf("saved %.1f %% of charge, want at least 5", saved)
	}
}

func TestScenarioReplaysFromItsLog(t *testing.T) {
	s := closedCase(governor.StepwiseName)
	s.Board.Sun = Sun{8, 10 * time.Minute}
	var log bytes.Buffer
	write := governor.JSONLog(&log, func(err error) { t.Error(err) })
	for _, r := range run(t, s).Records {
		write(r)
	}
	records, err := governor.ReadRecords(&log)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 240 {
		t.Errorf("%d records of 240 steps", len(records))
	}
	if err := governor.Replay(records); err != nil {
		t.Error(err)
	}
	records[100].Decision.FramePeriod++
	if err := governor.Replay(records); err == nil || !strings.Contains(err.Error(), "record 100") {
		t.Errorf("Replay of a changed log: %v, want an error at record 100", err)
	}
}

func TestScenarioRefuses(t *testing.T) {
	for name, change := range map[string]func(*Scenario){
		"no duration":    func(s *Scenario) { s.Duration = 0 },
		"no latency":     func(s *Scenario) { s.DeepestLatency = 0 },
		"no ladder":      func(s *Scenario) { s.Profile = profile.Profile{} },
		"unknown policy": func(s *Scenario) { s.Policy.Name = "oracle" },
		"overload":       func(s *Scenario) { s.Utilisation = 1.1 },
		"no model":       func(s *Scenario) { s.Board.Model = BoardModel{} },
		"high ceiling":   func(s *Scenario) { s.Objectives.CeilingCelsius = 81 },
	} {
		s := closedCase(governor.StepwiseName)
		change(&s)
		if r, err := s.Run(t.Context()); err == nil || r.Points != nil {
			t.Errorf("%s: not refused", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := closedCase(governor.StepwiseName).Run(ctx); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

// The table of docs/governor.md.
func ExampleScenario() {
	fmt.Println("policy     max °C  s above  s throttled  switches  mean rung")
	for _, policy := range []string{governor.FixedName, governor.StepwiseName} {
		r, err := closedCase(policy).Run(context.Background())
		if err != nil {
			panic(err)
		}
		s := r.Summarize(0, ceiling)
		fmt.Printf("%-9s  %6.1f  %7.0f  %11.0f  %8d  %9.2f\n",
			policy, s.MaxCelsius, s.SecondsAbove, s.SecondsThrottled, s.Switches, s.MeanRung)
	}
	// Output:
	// policy     max °C  s above  s throttled  switches  mean rung
	// fixed        81.3      227          219         0       3.00
	// step-wise    74.6        0            0        24       1.56
}
