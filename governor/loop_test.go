package governor

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// board tells what it is set to.
type board struct {
	mu      sync.Mutex
	celsius float64
	limit   float64
}

func (b *board) set(celsius float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.celsius = celsius
}

func (b *board) Read(context.Context) telemetry.Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	return telemetry.Snapshot{
		Time: now, Board: "test",
		Heat: telemetry.Heat{
			HottestCelsius: telemetry.Known(b.celsius, now),
			LimitCelsius:   telemetry.Known(b.limit, now),
			Zones:          []telemetry.Zone{{Type: "cpu-thermal"}},
		},
		Power:  telemetry.Power{Watts: telemetry.Known(math.Inf(1), now)},
		Probes: []telemetry.Probe{{Name: "thermal", State: telemetry.Loaded}},
	}
}

func loopConfig(t *testing.T, b *board) LoopConfig {
	t.Helper()
	policy, err := NewStepwise(StepwiseConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return LoopConfig{
		Policy: policy, Profile: ladderOf(4), Objectives: Objectives{FPS: 5},
		Source: b, Apply: func(Decision) {},
	}
}

func TestLoopStepsEverySecondAndFollowsTheBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{celsius: 50, limit: 80}
		c := loopConfig(t, b)
		var decisions []Decision
		var log bytes.Buffer
		c.Apply = func(d Decision) { decisions = append(decisions, d) }
		c.Record = JSONLog(&log, func(err error) { t.Error(err) })
		loop, err := NewLoop(c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- loop.Run(ctx) }()
		synctest.Wait()
		if len(decisions) != 1 || decisions[0].Variant != "v3" {
			t.Fatalf("at the start: %+v, want v3 at once", decisions)
		}
		for range 70 {
			loop.Observe(Observation{Time: time.Now(), Variant: "v3", Latency: 4 * time.Millisecond})
		}
		b.set(76)
		time.Sleep(4*time.Second + time.Millisecond)
		synctest.Wait()
		if got := decisions[len(decisions)-1].Variant; len(decisions) != 5 || got != "v2" {
			t.Errorf("after 4 s at 76 °C: %d decisions, %s; want 5, v2", len(decisions), got)
		}
		if err := loop.SetObjectives(Objectives{FPS: 1}); err != nil {
			t.Error(err)
		}
		fixed, err := NewFixed(c.Profile, "v1")
		if err != nil {
			t.Fatal(err)
		}
		if err := loop.SetPolicy(fixed); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		last := decisions[len(decisions)-1]
		if last.Variant != "v1" || last.FramePeriod != time.Second || loop.Policy().Name() != FixedName || loop.Objectives().FPS != 1 {
			t.Errorf("after the change: %+v", last)
		}
		time.Sleep(70 * time.Second)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}

		records, err := ReadRecords(&log)
		if err != nil {
			t.Fatal(err)
		}
		if err := Replay(records); err != nil {
			t.Error(err)
		}
		if len(records) != len(decisions) {
			t.Errorf("%d records of %d decisions", len(records), len(decisions))
		}
		for i, r := range records {
			if (r.Profile != nil) != (i%60 == 0) {
				t.Errorf("record %d: profile %v", i, r.Profile)
			}
			if r.Input.Snapshot.Heat.Zones != nil || r.Input.Snapshot.Probes != nil {
				t.Errorf("record %d holds zones or probes", i)
			}
		}
		if got := records[0].Input.Snapshot.Power.Watts.Reason(); got != "not a number" {
			t.Errorf("infinite watts became %q", got)
		}
		if r := records[1]; len(r.Input.Observations) != 64 || r.Dropped != 6 {
			t.Errorf("%d observations, %d dropped; want 64, 6", len(r.Input.Observations), r.Dropped)
		}
		var replayer Replayer
		for _, r := range records[:2] {
			if err := replayer.Step(r); err != nil {
				t.Fatal(err)
			}
		}
		if got := replayer.State().Slowdown; got != 1 {
			t.Errorf("slowdown %g after the first frames, want 1", got)
		}
		if err := Replay(records[1:60]); err == nil || !strings.Contains(err.Error(), "profile") {
			t.Errorf("Replay without a profile: %v", err)
		}
		records[60].Before.Rung++
		if err := Replay(records); err == nil || !strings.Contains(err.Error(), "record 60 ") || !strings.Contains(err.Error(), "state") {
			t.Errorf("Replay of a changed log: %v", err)
		}
	})
}

func TestNewLoopRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*LoopConfig)
		want   string
	}{
		{"no policy", func(c *LoopConfig) { c.Policy = nil }, "needs a policy"},
		{"no source", func(c *LoopConfig) { c.Source = nil }, "needs a policy, a telemetry source"},
		{"no receiver", func(c *LoopConfig) { c.Apply = nil }, "receiver"},
		{"period", func(c *LoopConfig) { c.Period = -1 }, "positive time"},
		{"empty ladder", func(c *LoopConfig) { c.Profile = profile.Profile{} }, "ladder is empty"},
		{"not monotone", func(c *LoopConfig) { c.Profile.Rungs[0].Cost.Latency = time.Hour }, "faster"},
		{"frame period", func(c *LoopConfig) { c.Objectives.FPS = 0 }, "fps"},
		{"long frame period", func(c *LoopConfig) { c.Objectives.FPS = 1. / 7200 }, "one frame an hour"},
		{"ceiling", func(c *LoopConfig) { c.Objectives.CeilingCelsius = 81 }, "above 80 °C"},
		{"ceiling NaN", func(c *LoopConfig) { c.Objectives.CeilingCelsius = math.NaN() }, "ceiling"},
		{"ceiling infinite", func(c *LoopConfig) { c.Objectives.CeilingCelsius = math.Inf(1) }, "ceiling"},
		{"negative ceiling", func(c *LoopConfig) { c.Objectives.CeilingCelsius = -1 }, "ceiling"},
		{"charge", func(c *LoopConfig) { c.Objectives.MinChargePercent = 101 }, "min_charge_percent"},
		{"charge NaN", func(c *LoopConfig) { c.Objectives.MinChargePercent = math.NaN() }, "min_charge_percent"},
		{"variant", func(c *LoopConfig) { c.Policy = Fixed{"v9"} }, "v0, v1, v2, v3"},
	} {
		c := loopConfig(t, &board{celsius: 50, limit: 80})
		tt.change(&c)
		loop, err := NewLoop(c)
		if loop != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.want)
		}
	}
}

func TestRefusedChangesKeepTheOld(t *testing.T) {
	c := loopConfig(t, &board{celsius: 50, limit: 80})
	loop, err := NewLoop(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := loop.SetObjectives(Objectives{FPS: 1, CeilingCelsius: 85}); err == nil {
		t.Error("a ceiling above the limit was not refused")
	}
	if err := loop.SetPolicy(Fixed{"v9"}); err == nil {
		t.Error("an unknown variant was not refused")
	}
	if diff := cmp.Diff(c.Objectives, loop.Objectives()); diff != "" {
		t.Error(diff)
	}
	if loop.Policy().Name() != StepwiseName {
		t.Errorf("policy %s", loop.Policy().Name())
	}
}

func TestCeiling(t *testing.T) {
	for _, tt := range []struct {
		ceiling float64
		limit   telemetry.Reading[float64]
		want    float64
	}{
		{0, telemetry.Known(85., start), 80},
		{0, telemetry.Unknown[float64]("none"), 70},
		{0, telemetry.Known(math.NaN(), start), 70},
		{0, telemetry.Known(0., start), 70},
		{72, telemetry.Known(85., start), 72},
		{95, telemetry.Known(85., start), 85},
		{95, telemetry.Unknown[float64]("none"), 95},
	} {
		if got := (Objectives{CeilingCelsius: tt.ceiling}).Ceiling(tt.limit); got != tt.want {
			t.Errorf("ceiling %g with limit %+v: %g, want %g", tt.ceiling, tt.limit, got, tt.want)
		}
	}
}

func TestNew(t *testing.T) {
	p := ladderOf(3)
	for _, tt := range []struct{ spec, want Spec }{
		{Spec{Name: "fixed"}, Spec{Name: "fixed", Variant: "v2"}},
		{Spec{Name: "fixed", Variant: "v0"}, Spec{Name: "fixed", Variant: "v0"}},
		{Spec{Name: "step-wise", Stepwise: &StepwiseConfig{BandKelvin: 6}}, Spec{Name: "step-wise", Stepwise: &StepwiseConfig{
			MarginKelvin: 1, BandKelvin: 6, Settle: 3 * time.Second, Dwell: 10 * time.Second,
			FlagHold: time.Minute, Grace: 10 * time.Second, MaxStretches: 4,
		}}},
	} {
		policy, err := New(tt.spec, p)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, policy.Spec()); diff != "" {
			t.Error(diff)
		}
	}
	for _, bad := range []Spec{{}, {Name: "oracle"}, {Name: "fixed", Variant: "x"}, {Name: "step-wise", Stepwise: &StepwiseConfig{Dwell: 1}}} {
		if _, err := New(bad, p); err == nil {
			t.Errorf("%+v: not refused", bad)
		}
	}
	if _, err := New(Spec{Name: "fixed"}, profile.Profile{}); err == nil {
		t.Error("fixed in an empty ladder: not refused")
	}
}

func TestFixedRunsItsVariantWhateverTheBoardSays(t *testing.T) {
	fixed, err := NewFixed(ladderOf(4), "v2")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.policy = fixed
	b.state = State{Started: true, Rung: 0, Stretches: 3}
	for _, celsius := range []float64{50, 90, math.NaN()} {
		if d := b.step(celsius); d.Variant != "v2" || d.FramePeriod != 200*time.Millisecond || b.state.Stretches != 0 {
			t.Errorf("%g °C: %+v", celsius, d)
		}
	}
	if want := start.Add(time.Second); !b.state.ChangedAt.Equal(want) {
		t.Errorf("changed at %v, want %v", b.state.ChangedAt, want)
	}
	b.in.Profile = ladderOf(2)
	b.want(b.step(50), 0, "not in this ladder")
}

type failing struct{ err error }

func (f *failing) Write(p []byte) (int, error) { return len(p), f.err }

func TestJSONLogTellsOfAFailureOnce(t *testing.T) {
	w := &failing{errors.New("disk full")}
	var told []string
	write := JSONLog(w, func(err error) { told = append(told, err.Error()) })
	write(Record{})
	write(Record{})
	w.err = nil
	write(Record{})
	w.err = errors.New("disk gone")
	write(Record{})
	want := []string{"governor: decision log: disk full", "governor: decision log: disk gone"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}

func FuzzReadRecords(f *testing.F) {
	f.Add(`{"time":"2026-01-01T00:00:00Z","policy":{"name":"fixed","variant":"v0"},"profile":{"board":"b","rungs":[{"variant":"v0","macs":1,"cost":{"latency_ns":1,"stddev_ns":0,"source":"measured"}}]},"input":{"now":"2026-01-01T00:00:00Z","snapshot":{"heat":{"hottest_celsius":{"value":1}}}}}`)
	f.Add(`{"policy":{"name":"step-wise"},"profile":{"rungs":[{"variant":"v0","macs":1,"cost":{"latency_ns":9223372036854775807,"stddev_ns":9223372036854775807,"source":"measured"}}]},"before":{"rung":-7,"stretches":1000000000000,"slowdown":1e300,"started":true}}`)
	f.Add("{}\n{")
	f.Fuzz(func(t *testing.T, text string) {
		records, err := ReadRecords(strings.NewReader(text))
		if (err != nil) != (records == nil) {
			t.Fatalf("error %v with %d records", err, len(records))
		}
		if err := Replay(records); err == nil { // never a panic, whatever the log says
			if again := Replay(records); again != nil {
				t.Errorf("replays once, then %v", again)
			}
		}
	})
}
