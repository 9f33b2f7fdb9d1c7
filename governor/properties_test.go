package governor

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// plant is a board of three poles with a ladder of its own, unlike what Predictive
// takes boards for. Its frames are all in time.
type plant struct {
	ambient float64
	gains   [3]float64
	taus    [3]float64
	heat    [3]float64
	ladder  profile.Profile
	real    []float64 // latencies in seconds
	limit   float64
	others  float64
	noise   float64
	random  *rand.Rand
	now     time.Time
	busy    float64
}

func randomPlant(r *rand.Rand) *plant {
	p := &plant{
		ambient: 25 + 20*r.Float64(), limit: 85, random: r, now: start,
		gains: [3]float64{4 + 6*r.Float64(), 5 + 20*r.Float64(), 5 + 20*r.Float64()},
		taus:  [3]float64{2 + 3*r.Float64(), 15 + 60*r.Float64(), 100 + 500*r.Float64()},
	}
	n := 2 + r.IntN(6)
	p.ladder = profile.Profile{Board: "plant"}
	wrong := math.Exp(0.4 * r.NormFloat64())
	for i := range n {
		seconds := 0.16 * float64(i+1) / float64(n)
		accuracy := 0.9 - 0.3/float64(i+1)
		p.real = append(p.real, seconds)
		told := time.Duration(seconds * wrong * 1e9)
		p.ladder.Rungs = append(p.ladder.Rungs, profile.Rung{Variant: variantName(i), MACs: int64(i + 1), Accuracy: &accuracy,
			Cost: profile.Cost{Latency: told, StdDev: told / 2, Source: profile.Estimated}})
	}
	return p
}

func variantName(i int) string { return string(rune('a' + i)) }

func (p *plant) celsius() float64 {
	return p.ambient + p.heat[0] + p.heat[1] + p.heat[2]
}

// escalations let a share of the frames of each rung have a second look at the next.
func (p *plant) escalations(share float64) []Escalation {
	var list []Escalation
	for i := range p.ladder.Rungs[1:] {
		list = append(list, Escalation{To: variantName(i + 1), Share: share, Cost: 1})
	}
	return list
}

// rerun is a plant whose doubtful frames run again at the upper rung, as many as may.
func (p *plant) rerun(d Decision, o Objectives) Input {
	busy := d.Escalation * p.real[d.Pair[1]] / d.FramePeriod.Seconds()
	others := p.others
	p.others += busy // heats as much, whoever does it
	in := p.live(d, o)
	p.others = others
	in.Snapshot.Load.OthersCPUPercent = telemetry.Known(100*p.others, in.Now)
	return in
}

func TestEscalationSpendsTheBudgetOnDoubtInsteadOfTurns(t *testing.T) {
	escalated := 0
	for seed := range uint64(20) {
		p := randomPlant(rand.New(rand.NewPCG(seed, 8)))
		o := Objectives{FPS: 3, CeilingCelsius: p.ambient + 18}
		policy := mustPolicy(t, PredictiveName)
		var s State
		var d, last Decision
		in := p.look(o)
		for i := range 1200 {
			in.Escalations = p.escalations(1)
			last = d
			s, d = policy.Step(s, in)
			if d.Escalation < 0 || d.Escalation > 1 || d.Escalation > 0 && d.Variant != p.ladder.Rungs[d.Pair[0]].Variant {
				t.Fatalf("seed %d, step %d: %+v", seed, i, d)
			}
			if both := p.real[d.Pair[0]] + p.real[d.Pair[1]]; d.Escalation > 0 && i > 120 {
				escalated++
				if both > 1./3 {
					t.Fatalf("seed %d, step %d: two runs take %.3f s of %.3f", seed, i, both, 1./3)
				}
				if last.Escalation > 0 && last.Pair == d.Pair && last.Variant != d.Variant {
					t.Fatalf("seed %d, step %d: turns by the clock, too", seed, i)
				}
			}
			in = p.rerun(d, o)
			if c := p.celsius(); i > 120 && c > o.CeilingCelsius+0.3 && d.Pair != [2]int{} {
				t.Fatalf("seed %d, step %d: %.2f °C, ceiling %.2f", seed, i, c, o.CeilingCelsius)
			}
		}
	}
	if escalated < 1000 {
		t.Errorf("escalated in %d steps", escalated)
	}
}

// What doubtful frames leave of the budget goes to turns of the upper rung, in which nothing is looked at twice.
func TestTurnsBesideEscalation(t *testing.T) {
	const share = 0.1
	policy := mustPolicy(t, PredictiveName)
	p := randomPlant(rand.New(rand.NewPCG(4, 8)))
	o := Objectives{FPS: 3, CeilingCelsius: p.ambient + 18}
	var s State
	var d Decision
	escalated, turns := 0, 0
	in := p.look(o)
	for range 1200 {
		in.Escalations = p.escalations(share)
		s, d = policy.Step(s, in)
		upper := d.Variant == p.ladder.Rungs[d.Pair[1]].Variant && d.Pair[0] != d.Pair[1]
		switch {
		case d.Escalation > share || upper && d.Escalation > 0:
			t.Fatalf("%+v", d)
		case upper && s.Split.Share < 1:
			turns++
		case d.Escalation > 0:
			escalated++
		}
		in = p.rerun(d, o)
	}
	if escalated < 100 || turns < 100 {
		t.Errorf("%d seconds with second looks, %d with turns", escalated, turns)
	}
}

func TestSpend(t *testing.T) {
	for _, tc := range []struct {
		escalation          Escalation
		share, again, turns float64
	}{
		{Escalation{}, 0.4, 0, 0.4},
		{Escalation{Share: 0.5, Cost: 1}, 0, 0, 0},
		{Escalation{Share: 0.5, Cost: 1}, 0.4, 0.3, 0},        // 0.4 of 3 is 0.3 of 4
		{Escalation{Share: 0.5, Cost: 0.5}, 0.25, 0.375, 0},   // half of it is shared
		{Escalation{Share: 0.25, Cost: 1}, 0.75, 0.25, 0.625}, // 1 of 2.25; 1.25 of the 2 that are left
		{Escalation{Share: 0.25, Cost: 1}, 1, 0.25, 1},
		{Escalation{Share: 1, Cost: 1}, 1, 0.75, 0}, // a second look at all would be dearer than turns
	} {
		again, turns := tc.escalation.Spend(tc.share, 1, 4)
		if math.Abs(again-tc.again) > 1e-12 || math.Abs(turns-tc.turns) > 1e-12 {
			t.Errorf("%+v, share %v: %v again, %v in turns; want %v, %v", tc.escalation, tc.share, again, turns, tc.again, tc.turns)
		}
	}
	if again, turns := (Escalation{Share: 0.5, Cost: 1}).Spend(0.5, 2, 2); again != 0 || turns != 0.5 {
		t.Errorf("of rungs that cost the same: %v, %v", again, turns)
	}
}

// A second look is busy time, and no frame of either rung.
func TestSecondLookIsBusyTime(t *testing.T) {
	p := randomPlant(rand.New(rand.NewPCG(2, 8)))
	seen := func(again time.Duration) (s State, v view) {
		in := p.look(Objectives{FPS: 5})
		look(&s, in)
		in.Now = in.Now.Add(time.Second)
		in.Snapshot.Load = telemetry.Load{}
		in.Observations = []Observation{{Time: in.Now, Variant: "a", Threads: 1, Latency: 50 * time.Millisecond, Again: again}}
		v = look(&s, in)
		return s, v
	}
	once, one := seen(0)
	twice, both := seen(100 * time.Millisecond)
	if math.Abs(both.drive-3*one.drive) > 1e-12 || twice.Latency != once.Latency {
		t.Errorf("drive %v after %v; latency %+v, want %+v", both.drive, one.drive, twice.Latency, once.Latency)
	}
	if late, _ := seen(160 * time.Millisecond); late.Latency.Spare != once.Latency.Spare-1 {
		t.Errorf("a second look made it late: %v to spare, before %v", late.Latency.Spare, once.Latency.Spare)
	}
}

// live passes a second under a decision and returns what is to be seen then.
func (p *plant) live(d Decision, o Objectives) Input {
	rung, _ := p.ladder.Index(d.Variant)
	frames := 1 / d.FramePeriod.Seconds()
	p.busy = min(frames*p.real[rung], 1)
	for i := range p.heat {
		target := p.gains[i] * min(p.busy+p.others, 1)
		p.heat[i] = target + (p.heat[i]-target)*math.Exp(-1/p.taus[i])
	}
	p.now = p.now.Add(time.Second)
	in := p.look(o)
	for range int(math.Round(frames)) {
		latency := p.real[rung] * math.Exp(0.03*p.random.NormFloat64())
		in.Observations = append(in.Observations, Observation{Time: p.now, Variant: d.Variant, Threads: 4, Latency: time.Duration(latency * 1e9)})
	}
	return in
}

func (p *plant) look(o Objectives) Input {
	at := p.now
	return Input{Now: at, Profile: p.ladder, Objectives: o, Snapshot: telemetry.Snapshot{
		Time: at, Board: "plant",
		Heat: telemetry.Heat{HottestCelsius: telemetry.Known(p.celsius()+p.noise*p.random.NormFloat64(), at), LimitCelsius: telemetry.Known(p.limit, at)},
		Load: telemetry.Load{CPUPercent: telemetry.Known(100*min(p.busy+p.others, 1), at), OwnCPUPercent: telemetry.Known(100*p.busy, at),
			OthersCPUPercent: telemetry.Known(100*p.others, at)},
	}}
}

// run steps a policy through some seconds, from a state on.
func (p *plant) run(policy Policy, s State, o Objectives, seconds int, each func(State, Decision)) State {
	in := p.look(o)
	for range seconds {
		var d Decision
		s, d = policy.Step(s, in)
		if each != nil {
			each(s, d)
		}
		in = p.live(d, o)
	}
	return s
}

func mustPolicy(t *testing.T, name string) Policy {
	t.Helper()
	p, err := New(Spec{Name: name}, ladderOf(2))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var planners = []string{PredictiveName, PowerBudgetName}

// The ceiling holds from a cold start to the steady state, on boards that the least depth at the least rate can hold.
func TestNeverAboveTheCeilingWhereTheShallowestHoldsIt(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	limited := 0
	for range 25 {
		p := randomPlant(r)
		o := Objectives{FPS: 5, CeilingCelsius: p.ambient + 8 + 0.6*(p.gains[0]+p.gains[1]+p.gains[2])*r.Float64()}
		hottest, held := 0., false
		p.run(mustPolicy(t, PredictiveName), State{}, o, 2400, func(_ State, d Decision) {
			hottest = max(hottest, p.celsius())
			held = held || d.Cause == CauseHeat
		})
		if hottest > o.CeilingCelsius {
			t.Errorf("%.2f °C with a ceiling of %.2f: %+v", hottest, o.CeilingCelsius, p.gains)
		}
		if held {
			limited++
		}
	}
	if limited < 15 {
		t.Errorf("heat limited only %d of 25 boards: the test does not reach the ceiling", limited)
	}
}

// In steady conditions the pair changes at most 30 times an hour after the start.
func TestSteadyConditionsDoNotFlap(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 1))
	for range 10 {
		p := randomPlant(r)
		p.noise = 0.3
		o := Objectives{FPS: 5, CeilingCelsius: p.ambient + 0.5*(p.gains[0]+p.gains[1]+p.gains[2])}
		policy := mustPolicy(t, PredictiveName)
		s := p.run(policy, State{}, o, 600, nil)
		changes, last := 0, s.Split.Pair
		p.run(policy, s, o, 3600, func(s State, _ Decision) {
			if s.Split.Pair != last {
				changes, last = changes+1, s.Split.Pair
			}
		})
		if changes > 30 {
			t.Errorf("%d changes of the pair in an hour of steady conditions", changes)
		}
	}
}

// Whatever the board says: within the user's range, finite, explained, and the argument stays.
func TestAnyInputIsDecidedWithinTheRange(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 2))
	for _, name := range []string{PredictiveName, PowerBudgetName, StepwiseName} {
		for range 40 {
			p := ladderOf(1 + r.IntN(9))
			policy, err := New(Spec{Name: name}, p)
			if err != nil {
				t.Fatal(err)
			}
			least := r.IntN(len(p.Rungs))
			greatest := least + r.IntN(len(p.Rungs)-least)
			var s State
			now, deeper, last := start, time.Time{}, Split{}
			for range 40 {
				now = now.Add(time.Duration(r.IntN(3000)) * time.Millisecond)
				in := randomInput(r, now, p)
				in.Objectives.LeastDepth, in.Objectives.GreatestDepth = p.Rungs[least].Variant, p.Rungs[greatest].Variant
				in.Objectives.Battery = Battery{Until: ClockAt(r.IntN(24), 0)}
				in.Objectives.LeaveCPUPercent = float64(r.IntN(2)) * 50
				after, d := policy.Step(s, in)
				if i, ok := p.Index(d.Variant); !ok || i < least || i > greatest || i != after.Rung {
					t.Fatalf("%s: decided %s on rung %d, allowed %d to %d: %s", name, d.Variant, after.Rung, least, greatest, d.Reason)
				}
				if d.FramePeriod < in.Objectives.FramePeriod() || d.FramePeriod > max(in.Objectives.LongestPeriod(), stretched(in.Objectives.FramePeriod(), 4)) || d.Reason.String() == "" {
					t.Fatalf("%s: period %v of %v (%q)", name, d.FramePeriod, in.Objectives.FramePeriod(), d.Reason)
				}
				if len(d.Terms.All()) == maxTerms {
					t.Fatalf("%s: more terms than fit", name)
				}
				if _, err := json.Marshal(struct {
					State
					Decision
				}{after, d}); err != nil { // NaN and infinity are no JSON
					t.Fatalf("%s: %v", name, err)
				}
				if name != StepwiseName && s.Started && after.Split.DeeperAt.After(last.DeeperAt) {
					if !deeper.IsZero() && now.Sub(deeper) < 10*time.Second {
						t.Fatalf("%s: a deeper pair %v after the last one", name, now.Sub(deeper))
					}
					deeper = now
				}
				s, last = after, after.Split
			}
		}
	}
}

// Of two readings that are believed, the hotter never leads deeper.
func TestHotterIsNeverDeeperForPlanners(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 3))
	for _, name := range planners {
		differed := 0
		policy := mustPolicy(t, name)
		for range 12 {
			p := randomPlant(r)
			o := Objectives{FPS: 5, CeilingCelsius: p.ambient + 0.6*(p.gains[0]+p.gains[1]+p.gains[2])}
			s := p.run(policy, State{}, o, 50+r.IntN(400), nil)
			in := p.live(Decision{Variant: p.ladder.Rungs[s.Rung].Variant, FramePeriod: o.FramePeriod()}, o)
			for range 60 {
				low := p.celsius() - 8 + 16*r.Float64()
				high := low + 6*r.Float64()
				in.Snapshot.Heat.HottestCelsius = telemetry.Known(low, in.Now)
				_, colder := policy.Step(s, in)
				in.Snapshot.Heat.HottestCelsius = telemetry.Known(high, in.Now)
				after, hotter := policy.Step(s, in)
				was, _ := p.ladder.Index(colder.Variant)
				if after.Rung > was || hotter.FramePeriod < colder.FramePeriod {
					t.Fatalf("%s: %.2f °C leads to %s every %v (%s), %.2f °C to %s every %v (%s)", name, low, colder.Variant, colder.FramePeriod, colder.Reason,
						high, hotter.Variant, hotter.FramePeriod, hotter.Reason)
				}
				if after.Rung < was {
					differed++
				}
			}
		}
		if differed < 20 {
			t.Errorf("%s: only %d comparisons differed: the test does not reach the decision", name, differed)
		}
	}
}

// After any dropout of all readings the depth is what it was before.
func TestPlannersRecoverFromAnyDropout(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 4))
	mean := func(p *plant, policy Policy, s State, o Objectives) (State, float64) {
		sum := 0
		s = p.run(policy, s, o, 300, func(s State, _ Decision) { sum += s.Rung })
		return s, float64(sum) / 300
	}
	for _, name := range planners {
		for range 8 {
			p := randomPlant(r)
			o := Objectives{FPS: 5, CeilingCelsius: p.ambient + 0.7*(p.gains[0]+p.gains[1]+p.gains[2])}
			policy := mustPolicy(t, name)
			s := p.run(policy, State{}, o, 1800, nil)
			s, before := mean(p, policy, s, o)
			in := p.look(o)
			for range 1 + r.IntN(400) {
				in.Snapshot.Heat.HottestCelsius = telemetry.Lost[float64]("test", start)
				in.Snapshot.Load = telemetry.Load{}
				var d Decision
				s, d = policy.Step(s, in)
				in = p.live(d, o)
			}
			s = p.run(policy, s, o, 900, nil)
			if _, after := mean(p, policy, s, o); math.Abs(after-before) > 0.5 {
				t.Errorf("%s: mean rung %.2f before and %.2f after a dropout", name, before, after)
			}
		}
	}
}
