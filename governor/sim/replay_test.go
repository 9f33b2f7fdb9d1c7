package sim

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/governor"
)

// scripts/qemu-replay.sh writes the log on one architecture and replays it on another.
var decisionsFlag = flag.String("decisions", "", "decision log to replay; written where there is none")

// Every policy that plans decides the same from the same log, to the last bit, on any machine.
func TestDecisionsReplay(t *testing.T) {
	log, err := os.ReadFile(*decisionsFlag)
	if err != nil {
		log = decisionLog(t)
		if *decisionsFlag != "" {
			if err := os.WriteFile(*decisionsFlag, log, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	var replayer governor.Replayer
	count := 0
	if err := governor.EachRecord(bytes.NewReader(log), func(r governor.Record) error {
		count++
		return replayer.Step(r)
	}); err != nil {
		t.Fatalf("%.600s", err)
	}
	t.Logf("%d decisions, %d bytes each", count, len(log)/max(count, 1))
	if count < 2000 {
		t.Errorf("%d decisions, want 2000 at least", count)
	}
}

// decisionLog is of a battery, a panel, other programs and heat under every policy.
func decisionLog(t *testing.T) []byte {
	t.Helper()
	trace := quiet("replay", 10*time.Minute, 33, 0.85)
	trace.Start = governor.ClockAt(15, 0)
	trace.Ambient = append(trace.Ambient, Shape{Walk: &Walk{Deviation: 0.5, Time: 2 * time.Minute}})
	trace.Load = Signal{{Bursts: &Bursts{Every: 4 * time.Minute, For: time.Minute, Value: 0.4, Jitter: 0.3}}}
	trace.Solar = Signal{{Points: []SignalPoint{{0, 0.3}}}, {Shade: &Bursts{Every: 5 * time.Minute, For: time.Minute, Value: 0.3}}}
	trace.Battery = &TraceBattery{DeepestLasts: 2 * time.Hour, StartPercent: 80, ResistanceOhms: 0.05, VoltageGauge: true}
	trace.Sensor = Sensor{NoiseKelvin: 0.3, Dropout: 0.02, DropoutFor: 5 * time.Second}
	trace.Objectives.Battery.Until = governor.ClockAt(18, 0)
	c := newCase(t, Setup{Board: JetsonNano(), Trace: trace, CeilingCelsius: 55})
	var log bytes.Buffer
	for _, name := range governor.Policies() {
		write := governor.JSONLog(&log, func(err error) { t.Error(err) })
		if _, err := c.Run(t.Context(), governor.Spec{Name: name}, RunOptions{Record: write}); err != nil {
			t.Fatal(err)
		}
	}
	return log.Bytes()
}
