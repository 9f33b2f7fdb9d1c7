package governor

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/runtime/profile"
)

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// ladderOf has n rungs v0, v1, ... of 1 ms, 2 ms, ...
func ladderOf(n int) profile.Profile {
	p := profile.Profile{Board: "test"}
	for i := range n {
		latency := time.Duration(i+1) * time.Millisecond
		p.Rungs = append(p.Rungs, profile.Rung{
			Variant: fmt.Sprintf("v%d", i), MACs: int64(i+1) * 1e6,
			Cost: profile.Cost{Latency: latency, StdDev: latency / 2, Source: profile.Estimated},
		})
	}
	return p
}

// bench steps a policy once a second by hand.
type bench struct {
	t      *testing.T
	policy Policy
	state  State
	in     Input
}

// newBench has four rungs, a limit of 80 °C (ceiling 75, hot from 74, cool below 70) and 50 °C.
func newBench(t *testing.T) *bench {
	t.Helper()
	p, err := NewStepwise(StepwiseConfig{})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, policy: p, in: Input{
		Now: start, Profile: ladderOf(4),
		Objectives: Objectives{FPS: 5},
	}}
	return b
}

// step passes a second at a temperature; NaN means unknown.
func (b *bench) step(celsius float64) Decision {
	b.t.Helper()
	b.in.Now = b.in.Now.Add(time.Second)
	b.in.Snapshot.Heat.LimitCelsius = telemetry.Known(80., b.in.Now)
	b.in.Snapshot.Heat.HottestCelsius = telemetry.Known(celsius, b.in.Now)
	if math.IsNaN(celsius) {
		b.in.Snapshot.Heat.HottestCelsius = telemetry.Unknown[float64]("zone offline")
	}
	var d Decision
	b.state, d = b.policy.Step(b.state, b.in)
	b.in.Observations = nil
	if d.Variant != b.in.Profile.Rungs[b.state.Rung].Variant {
		b.t.Errorf("decided %s on rung %d", d.Variant, b.state.Rung)
	}
	return d
}

func (b *bench) steps(n int, celsius float64) Decision {
	b.t.Helper()
	var d Decision
	for range n {
		d = b.step(celsius)
	}
	return d
}

func (b *bench) want(d Decision, rung int, reason string) {
	b.t.Helper()
	if b.state.Rung != rung || !strings.Contains(d.Reason.String(), reason) {
		b.t.Errorf("rung %d (%s), want rung %d (…%s…)", b.state.Rung, d.Reason, rung, reason)
	}
}

func TestTruthTable(t *testing.T) {
	for _, tt := range []struct {
		celsius, before float64
		want            int // change of rung
	}{
		{76, 78, -1}, {76, 76, -1}, {76, 75, -1}, // at the ceiling
		{75, 76, -1},
		{74.5, 75, 0}, {74.5, 74.5, -1}, {74.5, 74, -1}, // hot
		{74, 74.05, -1},
		{72, 73, 0}, {72, 72, 0}, {72, 71, 0}, // band
		{70, 70, 0},
		{69, 70, 1}, {69, 69, 1}, {69, 68, 0}, // cool
	} {
		b := newBench(t)
		b.state = State{
			Started: true, Rung: 1, ChangedAt: start.Add(-time.Minute),
			LastCelsius: tt.before, LastHeatAt: start,
		}
		d := b.step(tt.celsius)
		if got := b.state.Rung - 1; got != tt.want {
			t.Errorf("%g °C after %g: %+d rungs (%s), want %+d", tt.celsius, tt.before, got, d.Reason, tt.want)
		}
	}
}

func TestFirstStart(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Input)
		temp   float64
		rung   int
		reason string
	}{
		{"cool", func(*Input) {}, 50, 3, "50.0 °C"},
		{"in the band", func(*Input) {}, 72, 1, "in the band"},
		{"hot", func(*Input) {}, 74.5, 0, "hot"},
		{"unknown", func(*Input) {}, math.NaN(), 1, "zone offline"},
		{"slow", func(in *Input) { in.Objectives.FPS = 250 }, 50, 1, "could be too slow"},
		{"throttled", func(in *Input) { in.Snapshot.Throttle.Throttled = telemetry.Known(true, in.Now) }, 50, 0, "throttles"},
		{"low charge", func(in *Input) {
			in.Objectives.MinChargePercent = 30
			in.Snapshot.Power.ChargePercent = telemetry.Known(20., in.Now)
		}, 50, 0, "charge 20 %"},
		{"charge unknown", func(in *Input) { in.Objectives.MinChargePercent = 30 }, 50, 1, "charge unknown"},
	} {
		b := newBench(t)
		tt.change(&b.in)
		d := b.step(tt.temp)
		if b.state.Rung != tt.rung || !strings.HasPrefix(d.Reason.String(), "first start: ") || !strings.Contains(d.Reason.String(), tt.reason) {
			t.Errorf("%s: rung %d (%s), want %d (first start: …%s…)", tt.name, b.state.Rung, d.Reason, tt.rung, tt.reason)
		}
	}
}

// An upstream kernel on a Raspberry Pi tells under-voltage and not throttling.
func TestAnUnknownFlagIsNoTerm(t *testing.T) {
	b := newBench(t)
	b.in.Snapshot.Throttle = telemetry.Throttle{UnderVoltage: telemetry.Known(false, b.in.Now), Throttled: telemetry.Unknown[bool]("only the voltage alarm")}
	got := map[string]float64{}
	for _, term := range b.step(50).Terms.All() {
		if term.Name == "throttled" || term.Name == "under-voltage" {
			got[term.Name] = term.Value
		}
	}
	if diff := cmp.Diff(map[string]float64{"under-voltage": 0}, got); diff != "" {
		t.Error(diff)
	}
}

func TestOneRungPerSettleDownAndPerDwellUp(t *testing.T) {
	b := newBench(t)
	b.step(50)
	var rungs []int
	for range 10 {
		b.step(76)
		rungs = append(rungs, b.state.Rung)
	}
	// The start was 1 s before the first of them; settle is 3 s.
	if diff := cmp.Diff([]int{3, 3, 2, 2, 2, 1, 1, 1, 0, 0}, rungs); diff != "" {
		t.Error(diff)
	}
	rungs = nil
	for range 32 {
		b.step(60)
		rungs = append(rungs, b.state.Rung)
	}
	want := make([]int, 32) // the last change was 1 s before; dwell is 10 s
	for i := range want {
		want[i] = (i + 2) / 10
	}
	if diff := cmp.Diff(want, rungs); diff != "" {
		t.Error(diff)
	}
}

func TestStillHotStretchesThePeriodAndComesBackInReverse(t *testing.T) {
	b := newBench(t)
	b.state = State{Started: true, Rung: 1, ChangedAt: start.Add(-time.Minute)}
	var periods []time.Duration
	for range 18 {
		periods = append(periods, b.step(76).FramePeriod)
	}
	ms := time.Millisecond
	want := []time.Duration{
		200 * ms, 200 * ms, 200 * ms, 300 * ms, 300 * ms, 300 * ms, 450 * ms, 450 * ms, 450 * ms, 675 * ms, 675 * ms, 675 * ms,
		1012500 * time.Microsecond, 1012500 * time.Microsecond, 1012500 * time.Microsecond,
		1012500 * time.Microsecond, 1012500 * time.Microsecond, 1012500 * time.Microsecond,
	}
	if diff := cmp.Diff(want, periods); diff != "" {
		t.Error(diff)
	}
	b.want(b.step(76), 0, "longest frame period")

	d := b.steps(38, 60)
	if b.state.Rung != 0 || d.FramePeriod != 200*ms {
		t.Errorf("rung %d every %v, want the period back before the rung", b.state.Rung, d.FramePeriod)
	}
	b.steps(10, 60)
	b.want(b.step(60), 1, "")
}

func TestUnknownTemperatureLeadsToTheCautiousSide(t *testing.T) {
	nan := math.NaN()
	b := newBench(t)
	b.steps(20, 50)
	b.want(b.steps(10, nan), 3, "temperature unknown (zone offline)")
	b.want(b.step(nan), 2, "one rung shallower")
	b.want(b.steps(60, nan), 1, "zone offline") // the middle of four
	b.want(b.step(50), 1, "rising")             // no trend yet
	b.want(b.step(50), 2, "50.0 °C")            // and recovers

	b = newBench(t)
	b.steps(20, 50)
	b.step(72) // it was warm when the sensor fell silent
	b.want(b.steps(60, nan), 0, "zone offline")
	if b.state.Stretches != 0 {
		t.Errorf("%d stretches without knowing any heat", b.state.Stretches)
	}
}

func TestReadingsThatAreNotReadings(t *testing.T) {
	for name, r := range map[string]func(now time.Time) telemetry.Reading[float64]{
		"old":        func(now time.Time) telemetry.Reading[float64] { return telemetry.Known(40., now.Add(-6*time.Second)) },
		"future":     func(now time.Time) telemetry.Reading[float64] { return telemetry.Known(40., now.Add(time.Hour)) },
		"not number": func(now time.Time) telemetry.Reading[float64] { return telemetry.Known(math.NaN(), now) },
		"infinite":   func(now time.Time) telemetry.Reading[float64] { return telemetry.Known(math.Inf(-1), now) },
		"too cold":   func(now time.Time) telemetry.Reading[float64] { return telemetry.Known(-273., now) },
		"not read":   func(time.Time) telemetry.Reading[float64] { return telemetry.Reading[float64]{} },
	} {
		b := newBench(t)
		b.step(50)
		for range 60 {
			b.in.Now = b.in.Now.Add(time.Second)
			b.in.Snapshot.Heat.HottestCelsius = r(b.in.Now)
			b.state, _ = b.policy.Step(b.state, b.in)
		}
		if b.state.Rung != 1 {
			t.Errorf("%s: rung %d after a minute, want 1, the middle", name, b.state.Rung)
		}
	}
}

func TestThrottleFlagsLeadShallower(t *testing.T) {
	for name, set := range map[string]func(*telemetry.Throttle, bool, time.Time){
		"throttles": func(th *telemetry.Throttle, v bool, at time.Time) { th.Throttled = telemetry.Known(v, at) },
		"voltage":   func(th *telemetry.Throttle, v bool, at time.Time) { th.UnderVoltage = telemetry.Known(v, at) },
	} {
		b := newBench(t)
		b.steps(20, 50)
		tell := func(v bool) { set(&b.in.Snapshot.Throttle, v, b.in.Now.Add(time.Second)) }
		tell(true)
		b.want(b.step(50), 2, name)
		for range 59 {
			tell(false)
			b.step(50)
		}
		b.want(b.steps(0, 0), 2, "")
		tell(false)
		b.want(b.step(50), 3, "deeper") // 60 s after the flag

		b.state.Rung = 0
		b.want(b.steps(30, 50), 0, "flags lost")
	}
}

// TestOneLostFlagIsNotHiddenByTheOther: a board that tells both flags loses one.
func TestOneLostFlagIsNotHiddenByTheOther(t *testing.T) {
	b := newBench(t)
	tell := func(throttled bool) {
		at := b.in.Now.Add(time.Second)
		b.in.Snapshot.Throttle = telemetry.Throttle{UnderVoltage: telemetry.Known(false, at)}
		if throttled {
			b.in.Snapshot.Throttle.Throttled = telemetry.Known(false, at)
		}
	}
	tell(true)
	b.step(50)
	b.state.Rung = 0
	for range 30 {
		tell(false)
		b.step(50)
	}
	b.want(b.step(50), 0, "flags lost")
}

func TestLowChargeRunsTheShallowest(t *testing.T) {
	b := newBench(t)
	b.in.Objectives.MinChargePercent = 30
	battery := func(charge float64, discharging telemetry.Reading[bool]) {
		b.in.Snapshot.Power = telemetry.Power{ChargePercent: telemetry.Known(charge, b.in.Now.Add(time.Second)), Discharging: discharging}
	}
	yes := func() telemetry.Reading[bool] { return telemetry.Known(true, b.in.Now.Add(time.Second)) }
	battery(80, yes())
	b.want(b.step(50), 3, "first start")
	battery(29, yes())
	b.want(b.step(50), 0, "charge 29 %, least 30; to the shallowest")
	for range 30 { // the hysteresis
		battery(34, yes())
		b.step(50)
	}
	b.want(b.steps(0, 0), 0, "")
	battery(35, yes())
	b.want(b.step(50), 1, "deeper")
	battery(20, telemetry.Unknown[bool]("no status")) // counts as discharging
	b.want(b.step(50), 0, "charge 20 %")
	for range 12 {
		battery(20, telemetry.Known(false, b.in.Now.Add(time.Second)))
		b.step(50)
	}
	b.want(b.steps(0, 0), 1, "")
}

func TestUnknownChargeEndsInTheMiddle(t *testing.T) {
	for _, from := range []int{0, 3} {
		b := newBench(t)
		b.in.Objectives.MinChargePercent = 30
		b.state = State{Started: true, Rung: from}
		b.want(b.steps(60, 50), 1, "charge unknown (not read)")
	}
}

func (b *bench) observe(variant string, latency time.Duration, n int) {
	for range n {
		b.in.Observations = append(b.in.Observations, Observation{Time: b.in.Now, Variant: variant, Threads: 1, Latency: latency})
	}
}

func TestLatencyHasToFitThePeriod(t *testing.T) {
	b := newBench(t)
	b.in.Objectives.FPS = 100
	b.steps(20, 50) // v3: 4 ms, with its deviation 6: fits 1.3 times
	b.observe("v3", 11*time.Millisecond, 20)
	b.want(b.step(50), 2, "do not fit into 10.0 ms; one rung shallower")
	// Slowed by 11/4: v2 takes 8.25 ms, which fits; v3 would not.
	for range 20 {
		b.observe("v2", 8250*time.Microsecond, 20)
		b.step(50)
	}
	b.want(b.step(50), 2, "would be too close")
	// The load goes away.
	b.observe("v2", 3*time.Millisecond, 40)
	b.want(b.step(50), 3, "deeper")

	b.in.Objectives.FPS = 5000
	d := b.steps(60, 50)
	b.want(d, 0, "would be too close")
	if d.FramePeriod != 1012500*time.Nanosecond { // 1 ms fits at last, and 1.3 ms would not one stretch earlier
		t.Errorf("period %v for 1 ms of work", d.FramePeriod)
	}
}

func TestObservationsThatMeanNothing(t *testing.T) {
	b := newBench(t)
	b.observe("gone", time.Hour, 3)
	b.observe("v3", 0, 3)
	b.observe("v3", -5, 3)
	b.steps(1, 50)
	if b.state.Slowdown != 0 {
		t.Errorf("learned a slowdown of %g from nothing", b.state.Slowdown)
	}
	b.observe("v0", time.Millisecond/2, 1)
	b.step(50)
	if b.state.Slowdown != 0.5 {
		t.Errorf("slowdown %g, want 0.5", b.state.Slowdown)
	}
}

func TestClockSetBackDoesNotStopTheGovernor(t *testing.T) {
	b := newBench(t)
	b.steps(20, 50)
	b.in.Snapshot.Throttle.Throttled = telemetry.Known(true, b.in.Now.Add(time.Second))
	b.step(50)
	b.in.Snapshot.Throttle = telemetry.Throttle{}
	b.state.ThrottledSeen = false
	b.in.Now = b.in.Now.Add(-24 * time.Hour)
	b.want(b.steps(60, 50), 2, "")
	b.want(b.step(50), 3, "deeper")
	b.in.Now = b.in.Now.Add(-24 * time.Hour)
	b.want(b.steps(5, 76), 2, "ceiling")
}

func TestStateSurvivesJSON(t *testing.T) {
	celsius := 71.123456789012345
	want := State{
		Started: true, Rung: 2, Stretches: 1, ChangedAt: start.Add(123456789), LastCelsius: celsius, LastHeatAt: start,
		HeatLostAt: start, ThrottledSeen: true, UnderVoltageSeen: true, FlaggedAt: start, ChargeLow: true, Slowdown: 1. / 3,
	}
	for _, want := range []State{want, {}} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got State
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestLimitThatBecomesKnownLaterLowersTheCeiling(t *testing.T) {
	b := newBench(t)
	b.in.Objectives.CeilingCelsius = 95
	b.state = State{Started: true, Rung: 3}
	b.want(b.step(81), 2, "ceiling 80.0")
}

func TestNewStepwiseRefuses(t *testing.T) {
	for name, c := range map[string]StepwiseConfig{
		"margin":    {MarginKelvin: -1},
		"NaN":       {MarginKelvin: math.NaN()},
		"band":      {BandKelvin: 0.5},
		"band NaN":  {BandKelvin: math.NaN()},
		"settle":    {Settle: -1},
		"dwell":     {Dwell: time.Second},
		"grace":     {Grace: -1},
		"flag hold": {FlagHold: -1},
		"stretches": {MaxStretches: 17},
	} {
		if _, err := NewStepwise(c); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

// randomInput makes any input that the loop could hand over, good readings and bad.
func randomInput(r *rand.Rand, now time.Time, p profile.Profile) Input {
	number := func(low, high float64) telemetry.Reading[float64] {
		v := low + r.Float64()*(high-low)
		switch r.IntN(8) {
		case 0:
			return telemetry.Unknown[float64]("test")
		case 1:
			return telemetry.Known(math.NaN(), now)
		case 2:
			return telemetry.Known(v, now.Add(-time.Duration(r.IntN(20))*time.Second))
		case 3:
			return telemetry.Known(math.Inf(r.IntN(2)*2-1), now)
		}
		return telemetry.Known(v, now)
	}
	flag := func() telemetry.Reading[bool] {
		if r.IntN(3) == 0 {
			return telemetry.Unknown[bool]("test")
		}
		return telemetry.Known(r.IntN(8) == 0, now)
	}
	in := Input{Now: now, Profile: p, Objectives: Objectives{
		FPS:              1 / (0.001 + r.Float64()),
		CeilingCelsius:   float64(r.IntN(2)) * (20 + r.Float64()*80),
		MinChargePercent: float64(r.IntN(2)) * r.Float64() * 100,
	}}
	in.Snapshot.Heat = telemetry.Heat{HottestCelsius: number(20, 100), LimitCelsius: number(-10, 110)}
	in.Snapshot.Power = telemetry.Power{ChargePercent: number(-5, 105), Discharging: flag()}
	in.Snapshot.Throttle = telemetry.Throttle{Throttled: flag(), UnderVoltage: flag()}
	for range r.IntN(5) {
		in.Observations = append(in.Observations, Observation{
			Time: now, Variant: fmt.Sprintf("v%d", r.IntN(12)), Latency: time.Duration(r.Int64N(int64(time.Second))) - time.Millisecond,
		})
	}
	return in
}

// depth orders decisions: a deeper rung is deeper, and so is a shorter period at the same rung.
func depth(s State) int { return s.Rung*100 - s.Stretches }

func TestAnyInputKeepsToTheLadder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		p := ladderOf(1 + r.IntN(9))
		policy, err := NewStepwise(StepwiseConfig{BandKelvin: 1 + r.Float64()*9})
		if err != nil {
			t.Fatal(err)
		}
		var s State
		now := start
		for range 60 {
			now = now.Add(time.Duration(r.IntN(3000)) * time.Millisecond)
			in := randomInput(r, now, p)
			before, _ := json.Marshal(s)
			after, d := policy.Step(s, in)
			if kept, _ := json.Marshal(s); string(kept) != string(before) {
				t.Fatalf("the step changed its argument: %s to %s", before, kept)
			}
			if s.Started && after.Rung > s.Rung+1 {
				t.Fatalf("from rung %d to %d at once: %s", s.Rung, after.Rung, d.Reason)
			}
			if i, ok := p.Index(d.Variant); !ok || i != after.Rung {
				t.Fatalf("decided %s on rung %d of %d", d.Variant, after.Rung, len(p.Rungs))
			}
			longest := stretched(in.Objectives.FramePeriod(), 4)
			if d.FramePeriod < in.Objectives.FramePeriod() || d.FramePeriod > longest || d.Reason.String() == "" {
				t.Fatalf("period %v of %v (%q)", d.FramePeriod, in.Objectives.FramePeriod(), d.Reason)
			}
			for _, term := range d.Terms.All() {
				if math.IsNaN(term.Value) || math.IsInf(term.Value, 0) {
					t.Fatalf("term %+v of %s", term, d.Reason)
				}
			}
			s = after
		}
	}
}

func TestHotterIsNeverDeeper(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	policy, err := NewStepwise(StepwiseConfig{})
	if err != nil {
		t.Fatal(err)
	}
	moves := 0
	for range 20000 {
		p := ladderOf(1 + r.IntN(6))
		last := 40 + r.Float64()*50
		s := State{
			Started: r.IntN(4) > 0, Rung: r.IntN(len(p.Rungs)), Stretches: r.IntN(3),
			ChangedAt: start.Add(-time.Duration(r.IntN(20)) * time.Second), LastCelsius: last, LastHeatAt: start.Add(-time.Second),
		}
		if !s.Started {
			s = State{}
		}
		in := randomInput(r, start, p)
		low := 40 + r.Float64()*50
		high := low + r.Float64()*10
		in.Snapshot.Heat.HottestCelsius = telemetry.Known(low, start)
		colder, _ := policy.Step(s, in)
		in.Snapshot.Heat.HottestCelsius = telemetry.Known(high, start)
		hotter, d := policy.Step(s, in)
		if depth(hotter) > depth(colder) {
			t.Fatalf("%g °C leads to rung %d, %g °C to %d (%s)", low, colder.Rung, high, hotter.Rung, d.Reason)
		}
		if depth(hotter) < depth(colder) {
			moves++
		}
	}
	if moves < 500 {
		t.Errorf("only %d of 20000 comparisons differed: the test does not reach the decision", moves)
	}
}

func TestRecoversAfterAnyDropout(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		b := newBench(t)
		b.in.Profile = ladderOf(1 + r.IntN(6))
		b.steps(1+r.IntN(50), 40+r.Float64()*50)
		b.steps(1+r.IntN(100), math.NaN())
		b.steps(120, 50)
		if top := len(b.in.Profile.Rungs) - 1; b.state.Rung != top || b.state.Stretches != 0 {
			t.Fatalf("rung %d of %d, %d stretches two minutes after the sensor came back cool", b.state.Rung, top, b.state.Stretches)
		}
	}
}
