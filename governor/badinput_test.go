package governor

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// warm is a plant that heat limits, after half an hour.
func warm(t *testing.T, policy Policy) (*plant, State, Objectives) {
	t.Helper()
	p := randomPlant(rand.New(rand.NewPCG(21, 5)))
	o := Objectives{FPS: 5, CeilingCelsius: p.ambient + 0.6*(p.gains[0]+p.gains[1]+p.gains[2])}
	return p, p.run(policy, State{}, o, 1800, nil), o
}

// What the board did before its first reading is known: it is not taken to have done so for long.
func TestAColdStartWithoutReadingsIsNotTakenForASteadyState(t *testing.T) {
	policy := mustPolicy(t, PredictiveName)
	for _, lost := range []int{0, 1, 3, 10} {
		p := randomPlant(rand.New(rand.NewPCG(21, 5)))
		o := Objectives{FPS: 5, CeilingCelsius: 75}
		in := p.look(o)
		var s State
		for i := range lost + 1 {
			if i < lost {
				in.Snapshot.Heat.HottestCelsius = telemetry.Unknown[float64]("lost")
			}
			var d Decision
			s, d = policy.Step(s, in)
			in = p.live(d, o)
		}
		if idle := s.Thermal.Theta[0]; math.Abs(idle-p.ambient) > 2 {
			t.Errorf("%d readings lost: an idle board is taken to have %.1f °C, it has %.1f", lost, idle, p.ambient)
		}
	}
}

func TestAProfileOfAnotherBoardIsWarnedOfAndCorrected(t *testing.T) {
	policy := mustPolicy(t, PredictiveName)
	p := randomPlant(rand.New(rand.NewPCG(22, 5)))
	for i := range p.ladder.Rungs {
		cost := &p.ladder.Rungs[i].Cost
		cost.Latency, cost.Source = time.Duration(p.real[i]*1e9/2.5), profile.Measured
		cost.StdDev = cost.Latency / 20
	}
	p.ladder.Board = "another board"
	var last Decision
	s := p.run(policy, State{}, Objectives{FPS: 5}, 60, func(_ State, d Decision) { last = d })
	if got := last.Warning.String(); !strings.Contains(got, "of another board, another board") {
		t.Errorf("warning %q", got)
	}
	if off := s.Latency.slowdown() / 2.5; off < 0.9 || off > 1.1 {
		t.Errorf("learned a slowdown of %.2f, want 2.5", s.Latency.slowdown())
	}
	p.ladder.Board = "plant"
	p.run(policy, s, Objectives{FPS: 5}, 60, func(_ State, d Decision) { last = d })
	if got := last.Warning.String(); !strings.Contains(got, "times as long as the profile measured") {
		t.Errorf("warning %q", got)
	}
}

func TestClockJumpsAndSleepKeepWhatWasLearned(t *testing.T) {
	for name, jump := range map[string]time.Duration{"back": -24 * time.Hour, "forward": 3 * time.Hour, "slept": 8 * time.Hour} {
		policy := mustPolicy(t, PredictiveName)
		p, s, o := warm(t, policy)
		die, slowdown := s.Thermal.Theta[1], s.Latency.slowdown()
		p.now = p.now.Add(jump)
		if name == "slept" {
			p.heat = [3]float64{}
		}
		hottest := 0.
		s = p.run(policy, s, o, 1200, func(s State, _ Decision) { hottest = max(hottest, p.celsius()) })
		if hottest > o.CeilingCelsius {
			t.Errorf("%s: %.1f °C, ceiling %.1f", name, hottest, o.CeilingCelsius)
		}
		if math.Abs(s.Thermal.Theta[1]-die) > 2 || math.Abs(s.Latency.slowdown()/slowdown-1) > 0.1 {
			t.Errorf("%s: the gain of the die went from %.1f to %.1f, the slowdown from %.2f to %.2f", name, die, s.Thermal.Theta[1], slowdown, s.Latency.slowdown())
		}
	}
}

func TestAThermometerThatIsStuckIsNotBelieved(t *testing.T) {
	policy := mustPolicy(t, PredictiveName)
	p, s, o := warm(t, policy)
	in := p.look(o)
	stuck := in.Snapshot.Heat.HottestCelsius
	value, _ := stuck.Get()
	var d Decision
	for second := range 400 {
		if o.GreatestDepth = ""; second > 60 && second < 200 { // the work changes, and with it every real temperature
			o.GreatestDepth = p.ladder.Rungs[0].Variant
		}
		s, d = policy.Step(s, in)
		in = p.live(d, o)
		in.Snapshot.Heat.HottestCelsius = telemetry.Known(value, in.Now)
	}
	if s.Thermal.DoubtedAt.IsZero() || s.HeatLostAt.IsZero() || s.Rung != 0 {
		t.Errorf("%s: %s", d.Cause, d.Reason)
	}
}

func TestAFallThatNoBoardCoolsSoFastIsDoubtedForAWhile(t *testing.T) {
	policy := mustPolicy(t, PredictiveName)
	p, s, o := warm(t, policy)
	in := p.look(o)
	in.Now = in.Now.Add(time.Second)
	before := s.Thermal.celsius()
	in.Snapshot.Heat.HottestCelsius = telemetry.Known(before-40, in.Now)
	s, d := policy.Step(s, in)
	if s.HeatLostAt.IsZero() || s.Thermal.celsius() < before-2 {
		t.Errorf("believed a fall of 40 K in a second: model %.1f after %.1f (%s)", s.Thermal.celsius(), before, d.Reason)
	}
	for range 40 { // a board that was put into a refrigerator
		in.Now = in.Now.Add(time.Second)
		in.Snapshot.Heat.HottestCelsius = telemetry.Known(before-40+0.1*float64(in.Now.Second()%3), in.Now)
		s, _ = policy.Step(s, in)
	}
	if s.Thermal.celsius() > before-30 {
		t.Errorf("after 40 s still %.1f °C", s.Thermal.celsius())
	}
}

func TestAnotherBatteryIsNoticed(t *testing.T) {
	policy := mustPolicy(t, PredictiveName)
	p, s, o := warm(t, policy)
	o.Battery = Battery{For: 4 * time.Hour}
	charge := 40.
	var d Decision
	for second := range 120 {
		if second == 60 {
			charge = 95
		}
		p.now = p.now.Add(time.Second)
		in := p.look(o)
		in.Snapshot.Power = telemetry.Power{ChargePercent: telemetry.Known(charge, p.now), Discharging: telemetry.Known(true, p.now)}
		s, d = policy.Step(s, in)
	}
	if s.Energy.Charge < 94 || d.Warning.String() != "the charge jumped: another battery?" {
		t.Errorf("charge %.1f, warning %q", s.Energy.Charge, d.Warning)
	}
}

// A board that throttles although its thermometer says that it is cool: the flag is believed, and less is drawn.
func TestAContradictionGoesToTheCautiousSide(t *testing.T) {
	for _, name := range planners {
		policy := mustPolicy(t, name)
		p := randomPlant(rand.New(rand.NewPCG(23, 5)))
		o := Objectives{FPS: 5}
		s := p.run(policy, State{}, o, 120, nil)
		p.now = p.now.Add(time.Second)
		in := p.look(o)
		in.Snapshot.Throttle.Throttled = telemetry.Known(true, in.Now)
		s, d := policy.Step(s, in)
		if s.Rung != 0 || d.Cause != CauseThrottled || s.FlagDrive == 0 {
			t.Errorf("%s: rung %d (%s)", name, s.Rung, d.Reason)
		}
		in.Now = in.Now.Add(time.Second)
		in.Snapshot = p.look(o).Snapshot
		in.Snapshot.Throttle.UnderVoltage = telemetry.Known(true, in.Now)
		if s, d = policy.Step(s, in); d.Cause != CauseVoltage {
			t.Errorf("%s: cause %q (%s)", name, d.Cause, d.Reason)
		}
	}
}

func TestWhatMattersMoreIsKept(t *testing.T) {
	policy := mustPolicy(t, PredictiveName)
	run := func(change func(*Objectives)) (rung int, fps float64, hottest float64, p *plant) {
		p = randomPlant(rand.New(rand.NewPCG(24, 5)))
		o := Objectives{FPS: 5, CeilingCelsius: p.ambient + 0.4*(p.gains[0]+p.gains[1]+p.gains[2])}
		change(&o)
		p.run(policy, State{}, o, 1800, func(s State, d Decision) {
			rung, fps, hottest = s.Split.Pair, 1/d.FramePeriod.Seconds(), max(hottest, p.celsius()-o.CeilingCelsius)
		})
		return rung, fps, hottest, p
	}
	rung, fps, hottest, p := run(func(*Objectives) {})
	deepest := len(p.real) - 1
	if rung >= deepest-1 && deepest > 1 || math.Abs(fps-5) > 0.01 || hottest > 0 {
		t.Errorf("by default: rung %d at %.2f/s, %.1f K above: want less depth at the full rate", rung, fps, hottest)
	}
	if rung, fps, hottest, _ = run(func(o *Objectives) { o.Priority = []Concern{Heat, Depth} }); rung != deepest-1 || fps > 4 || hottest > 0 {
		t.Errorf("depth before rate: rung %d at %.2f/s, %.1f K above: want the deepest at a lower rate", rung, fps, hottest)
	}
	if rung, fps, hottest, _ = run(func(o *Objectives) { o.FreeRunning, o.LeastFPS = true, 0.1 }); rung != deepest-1 || fps > 4 || hottest > 0 {
		t.Errorf("free running: rung %d at %.2f/s, %.1f K above", rung, fps, hottest)
	}
	if rung, _, hottest, _ = run(func(o *Objectives) { o.Priority = []Concern{Depth, Rate} }); rung != deepest-1 || hottest < 1 {
		t.Errorf("depth and rate before heat: rung %d, %.1f K above: want the deepest and the ceiling given up", rung, hottest)
	}
	if rung, fps, _, _ = run(func(o *Objectives) { o.QuietHours = []Hours{{ClockAt(12, 0), ClockAt(13, 0)}} }); rung != 0 || math.Abs(fps-1) > 0.01 {
		t.Errorf("quiet hours: rung %d at %.2f/s, want the least of both", rung, fps)
	}
	if rung, _, _, p = run(func(o *Objectives) { o.LeaveCPUPercent = 80 }); rung != 0 && p.busy > 0.25 {
		t.Errorf("80 %% left to others: rung %d, busy for %.2f", rung, p.busy)
	}
}

func TestTheRateFallsWhenEvenTheShallowestIsTooSlow(t *testing.T) {
	policy := mustPolicy(t, PredictiveName)
	p := randomPlant(rand.New(rand.NewPCG(25, 5)))
	for i := range p.real {
		p.real[i] *= 20
	}
	var last Decision
	p.run(policy, State{}, Objectives{FPS: 5, LeastFPS: 0.1}, 300, func(_ State, d Decision) { last = d })
	if last.FramePeriod.Seconds() < p.real[0] || last.Cause != CauseDeadline || !strings.Contains(last.Reason.String(), "the rate falls") {
		t.Errorf("every %v for %.1f s of work: %s", last.FramePeriod, p.real[0], last.Reason)
	}
}

// A log of each policy replays to the last bit.
func TestPlannersReplayFromTheirLog(t *testing.T) {
	for _, name := range planners {
		policy := mustPolicy(t, name)
		p := randomPlant(rand.New(rand.NewPCG(26, 5)))
		o := Objectives{FPS: 5, CeilingCelsius: p.ambient + 15, Battery: Battery{AverageWatts: 3}}
		var log bytes.Buffer
		write := JSONLog(&log, func(err error) { t.Error(err) })
		var s State
		in := p.look(o)
		for i := range 200 {
			in.Snapshot = essential(in.Snapshot)
			before := s
			var d Decision
			s, d = policy.Step(s, in)
			r := Record{Time: in.Now, Policy: policy.Spec(), Before: &before, Input: in, Decision: d, After: s}
			if i == 0 {
				r.Profile = &p.ladder
			}
			write(r)
			in = p.live(d, o)
		}
		mean := log.Len() / 200
		t.Logf("%s: %d bytes a line", name, mean)
		if mean > 1500 {
			t.Errorf("%s: %d bytes a line in the mean, want 1500 at most", name, mean)
		}
		records, err := ReadRecords(&log)
		if err != nil {
			t.Fatal(err)
		}
		if err := Replay(records); err != nil {
			t.Errorf("%s: %.300s", name, err)
		}
	}
}

func TestNewRefusesSettings(t *testing.T) {
	for want, spec := range map[string]Spec{
		"predictive: margin -1 K":                {Name: PredictiveName, Predictive: &PredictiveConfig{MarginKelvin: -1}},
		"predictive: margin NaN K":               {Name: PredictiveName, Predictive: &PredictiveConfig{MarginKelvin: math.NaN()}},
		"predictive: horizon 15s":                {Name: PredictiveName, Predictive: &PredictiveConfig{Horizon: 15 * time.Second}},
		"predictive: dwell 1ms":                  {Name: PredictiveName, Predictive: &PredictiveConfig{Dwell: time.Millisecond}},
		"power_budget: gain -1":                  {Name: PowerBudgetName, PowerBudget: &PowerBudgetConfig{OverGain: -1}},
		"power_budget: sustainable budget 2":     {Name: PowerBudgetName, PowerBudget: &PowerBudgetConfig{Sustainable: 2}},
		"predictive: the settings are for the":   {Name: StepwiseName, Predictive: &PredictiveConfig{}},
		"power_budget: the settings are for the": {Name: PredictiveName, PowerBudget: &PowerBudgetConfig{}},
		`kind: "oracle" is none of`:              {Name: "oracle"},
	} {
		if _, err := New(spec, ladderOf(2)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := New(Spec{Name: PredictiveName}, ladderOf(65)); err == nil || !strings.Contains(err.Error(), "65 rungs") {
		t.Errorf("a ladder of 65 rungs: %v", err)
	}
}
