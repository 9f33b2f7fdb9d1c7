package sim

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/governor"
)

// quiet is a trace in still air.
func quiet(name string, d time.Duration, celsius, utilisation float64) Trace {
	return Trace{Name: name, Duration: d, Utilisation: utilisation, Ambient: Signal{{Points: []SignalPoint{{0, celsius}}}}}
}

func newCase(t *testing.T, s Setup) *Case {
	t.Helper()
	if s.Board.Name == "" {
		s.Board = Pi4ClosedCase()
	}
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func fixed(variant string) governor.Spec {
	return governor.Spec{Name: governor.FixedName, Variant: variant}
}

func runCase(t *testing.T, c *Case, spec governor.Spec) Account {
	t.Helper()
	a, err := c.Run(t.Context(), spec, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRunIsDeterministicAndSeedsDiffer(t *testing.T) {
	trace, err := FindTrace("bad-thermometer")
	if err != nil {
		t.Fatal(err)
	}
	trace.Duration = 20 * time.Minute
	step := governor.Spec{Name: governor.StepwiseName}
	a := runCase(t, newCase(t, Setup{Trace: trace, Seed: 3}), step)
	b := runCase(t, newCase(t, Setup{Trace: trace, Seed: 3}), step)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("the same case ran differently:\n%s", diff)
	}
	if other := runCase(t, newCase(t, Setup{Trace: trace, Seed: 4}), step); cmp.Equal(a, other) {
		t.Error("another seed ran the same")
	}
}

// Every frame of a cool board is in time and as right as its rung.
func TestUtilityOfACoolBoard(t *testing.T) {
	c := newCase(t, Setup{Trace: quiet("cool", 10*time.Minute, -10, 0.5)})
	a := runCase(t, c, fixed("3-3-3"))
	near(t, "utility", a.Utility(), 0.865, 0.002)
	if a.Late != 0 || a.SecondsThrottled != 0 || a.SecondsAbove != 0 || a.Switches != 0 || a.MeanDepth != 3 || a.Seconds != 600 {
		t.Errorf("%+v", a)
	}
}

func TestSlowFramesAreLateOrDropped(t *testing.T) {
	c := newCase(t, Setup{Trace: quiet("slow", 10*time.Minute, -10, 1.6)})
	a := runCase(t, c, fixed("")) // the deepest takes 1.6 frame periods
	if a.Late != a.Classified || a.Correct != 0 {
		t.Errorf("%d of %d late, %g correct: want all late", a.Late, a.Classified, a.Correct)
	}
	near(t, "classified", float64(a.Classified)/float64(a.Requested), 1/1.6, 0.02)
}

func TestHotBoardThrottlesAndCountsIt(t *testing.T) {
	c := newCase(t, Setup{Trace: quiet("hot", time.Hour, 35, 0.95)})
	deep, shallow := runCase(t, c, fixed("")), runCase(t, c, fixed("1-1-1"))
	if deep.SecondsThrottled < 1800 || deep.AvoidableSeconds < 1800 || deep.MaxCelsius < 80 || deep.Utility() > 0.5 {
		t.Errorf("deepest: %+v: want a board that throttles most of the time, avoidably", deep)
	}
	if shallow.SecondsAbove != 0 || shallow.SecondsThrottled != 0 || shallow.Utility() < 0.699 {
		t.Errorf("shallowest: %+v: want it cool", shallow)
	}
}

// Another program that takes the whole board above the ceiling is nobody's fault.
func TestUnavoidableHeatIsNotAvoidable(t *testing.T) {
	trace := quiet("load", 40*time.Minute, 30, 0.3)
	trace.Load = Signal{{Steps: []SignalPoint{{0, 0}, {30 * time.Minute, 0.95}}}}
	c := newCase(t, Setup{Trace: trace, CeilingCelsius: 67})
	a := runCase(t, c, fixed("1-1-1"))
	if a.SecondsAbove < 60 || a.AvoidableSeconds != 0 {
		t.Errorf("%+v: want seconds above the ceiling, none of them avoidable", a)
	}
}

func TestContentionSlowsFrames(t *testing.T) {
	trace := quiet("load", 10*time.Minute, -20, 0.5)
	trace.Load = Signal{{Points: []SignalPoint{{0, 0.6}}}}
	c := newCase(t, Setup{Trace: trace})
	var busy []float64
	if _, err := c.Run(t.Context(), fixed(""), RunOptions{Sample: func(s Sample) { busy = append(busy, s.Busy) }}); err != nil {
		t.Fatal(err)
	}
	sum := 0.
	for _, b := range busy {
		sum += b / float64(len(busy))
	}
	near(t, "busy", sum, 0.5/(1-0.7*0.6), 0.01)
}

func TestBatteryGoalMissed(t *testing.T) {
	trace := quiet("night", 3*time.Hour, 15, 0.85)
	trace.Battery = &TraceBattery{DeepestLasts: 2 * time.Hour, StartPercent: 100, ResistanceOhms: 0.04}
	trace.Objectives.Battery.For = 3 * time.Hour
	c := newCase(t, Setup{Trace: trace})
	deep, shallow := runCase(t, c, fixed("")), runCase(t, c, fixed("1-1-1"))
	if deep.EmptyAfter < 100*time.Minute || deep.EmptyAfter > 130*time.Minute {
		t.Errorf("the deepest empties the battery after %v, want about 2 h", deep.EmptyAfter)
	}
	near(t, "utility", deep.Utility(), 0.905*deep.EmptyAfter.Hours()/3, 0.01)
	if deep.MissedPercent < 40 || deep.Seconds != int(deep.EmptyAfter/time.Second) {
		t.Errorf("%+v: want about half of the capacity missed", deep)
	}
	if shallow.MissedPercent != 0 || shallow.EmptyAfter != 0 || shallow.EndPercent < 5 {
		t.Errorf("%+v: want the goal met", shallow)
	}
}

func TestEveryOwnTraceRunsOnEveryBoard(t *testing.T) {
	count := 0
	for _, half := range []Split{Training, Test} {
		traces, err := Traces(half)
		if err != nil {
			t.Fatal(err)
		}
		count += len(traces)
		for _, trace := range traces {
			if trace.About == "" {
				t.Errorf("%s does not say what it is about", trace.Name)
			}
			for _, p := range Presets() {
				c, err := New(Setup{Board: p.Model(), CeilingCelsius: p.CeilingCelsius, Trace: trace})
				if err != nil {
					t.Error(err)
					continue
				}
				for i, w := range c.Weather {
					if !finite(w.AmbientCelsius, w.Load, w.SolarShare) || w.Load < 0 || w.Load > 1 || w.SolarShare < 0 {
						t.Fatalf("%s: second %d: %+v", trace.Name, i, w)
					}
				}
			}
		}
	}
	if count < 20 {
		t.Errorf("%d traces, want 20", count)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*Setup){
		"no ambient":     func(s *Setup) { s.Trace.Ambient = nil },
		"short":          func(s *Setup) { s.Trace.Duration = time.Second },
		"utilisation":    func(s *Setup) { s.Trace.Utilisation = math.NaN() },
		"rate":           func(s *Setup) { s.Trace.Objectives.FPS = 5 },
		"high ceiling":   func(s *Setup) { s.CeilingCelsius = 90 },
		"gain":           func(s *Setup) { s.GainScale = -1 },
		"falling ladder": func(s *Setup) { s.Ladder = []Depth{{"a", 2, 0.5}, {"b", 1, 0.6}} },
		"board":          func(s *Setup) { s.Board.Poles = nil },
		"sensor":         func(s *Setup) { s.Sensor = &Sensor{Dropout: 1} },
		"two shapes": func(s *Setup) {
			s.Trace.Load = Signal{{Sine: &Sine{Period: time.Hour}, Walk: &Walk{Time: time.Hour}}}
		},
		"lag":     func(s *Setup) { s.Trace.Ambient = append(s.Trace.Ambient, Shape{Lag: -time.Second}) },
		"battery": func(s *Setup) { s.Trace.Battery = &TraceBattery{} },
	} {
		s := Setup{Board: Pi4Bare(), Trace: quiet("test", time.Hour, 20, 0.5)}
		change(&s)
		if c, err := New(s); err == nil || c != nil {
			t.Errorf("%s: not refused", name)
		}
	}
}
