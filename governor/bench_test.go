package governor

import (
	"testing"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// busyBoard steps a policy for a while on a warm board on a battery with five
// frames a second, so that every part of it has something to do.
func busyBoard(tb testing.TB, name string) (Policy, State, Input) {
	tb.Helper()
	ladder := ladderOf(6)
	policy, err := New(Spec{Name: name}, ladder)
	if err != nil {
		tb.Fatal(err)
	}
	in := Input{Now: start, Profile: ladder, Objectives: Objectives{FPS: 100, Battery: Battery{Until: ClockAt(6, 0)}, LeaveCPUPercent: 20}}
	var s State
	for i := range 120 {
		in.Now = in.Now.Add(time.Second)
		in.Snapshot = telemetry.Snapshot{
			Time: in.Now,
			Heat: telemetry.Heat{HottestCelsius: telemetry.Known(60+float64(i%20), in.Now), LimitCelsius: telemetry.Known(85., in.Now)},
			Power: telemetry.Power{ChargePercent: telemetry.Known(80-float64(i)/100, in.Now), Discharging: telemetry.Known(true, in.Now),
				Watts: telemetry.Known(4+float64(i%3), in.Now)},
			Throttle: telemetry.Throttle{Throttled: telemetry.Known(false, in.Now), UnderVoltage: telemetry.Known(false, in.Now)},
			Load:     telemetry.Load{CPUPercent: telemetry.Known(60., in.Now), OwnCPUPercent: telemetry.Known(40., in.Now)},
		}
		in.Observations = in.Observations[:0]
		for range 5 {
			in.Observations = append(in.Observations, Observation{Time: in.Now, Variant: "v3", Threads: 1, Latency: time.Duration(40+i%7) * 100 * time.Microsecond})
		}
		s, _ = policy.Step(s, in)
	}
	return policy, s, in
}

func TestDecidingNeedsNoMemory(t *testing.T) {
	for _, name := range []string{PredictiveName, PowerBudgetName} {
		policy, s, in := busyBoard(t, name)
		if n := testing.AllocsPerRun(100, func() { policy.Step(s, in) }); n != 0 {
			t.Errorf("%s: %g allocations in a step", name, n)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	for _, name := range Policies() {
		b.Run(name, func(b *testing.B) {
			policy, s, in := busyBoard(b, name)
			b.ReportAllocs()
			for b.Loop() {
				policy.Step(s, in)
			}
		})
	}
}
