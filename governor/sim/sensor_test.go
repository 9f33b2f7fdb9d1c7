package sim

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// readings are what a sensor tells of a board that warms by 1 K/s from 40 °C on; NaN where it says nothing.
func readings(s Sensor, step float64, n int) []float64 {
	sense := newSense(s, step, rand.New(rand.NewPCG(1, 2)))
	var list []float64
	for i := range n {
		at := time.Unix(int64(i), 0)
		told, ok := sense.distort(Pi4Bare().tell(at, told{celsius: 40 + float64(i)})).Heat.HottestCelsius.Get()
		if !ok {
			told = math.NaN()
		}
		list = append(list, told)
	}
	return list
}

func TestSensorLagsAndRounds(t *testing.T) {
	got := readings(Sensor{Lag: 3 * time.Second}, 0, 10)
	for i, want := range []float64{40, 40, 40, 40, 41, 42} {
		near(t, "lagging", got[i], want, 0)
	}
	for i, v := range readings(Sensor{}, 0.487, 10) {
		near(t, "rounded", v, 40+float64(i), 0.2436)
		near(t, "steps", math.Mod(v/0.487+0.5, 1), 0.5, 1e-6)
	}
}

func TestSensorLies(t *testing.T) {
	got := readings(Sensor{Lies: []Lie{
		{At: 2 * time.Second, For: 2 * time.Second, Kelvin: -10},
		{At: 5 * time.Second, For: 3 * time.Second, Stuck: true},
	}}, 0, 10)
	for i, want := range []float64{40, 41, 32, 33, 44, 45, 45, 45, 48, 49} {
		near(t, "told", got[i], want, 0)
	}
}

func TestSensorDropsOut(t *testing.T) {
	const n = 20000
	for _, length := range []time.Duration{0, 20 * time.Second} {
		lost, runs := 0, 0
		last := false
		for _, v := range readings(Sensor{Dropout: 0.1, DropoutFor: length}, 0, n) {
			if math.IsNaN(v) {
				lost++
				if !last {
					runs++
				}
			}
			last = math.IsNaN(v)
		}
		near(t, "share lost", float64(lost)/n, 0.1, 0.02)
		if mean := float64(lost) / float64(runs); mean < max(length.Seconds(), 1) {
			t.Errorf("lost for %.1f s in the mean, want at least %v", mean, length)
		}
	}
}

// A reading that is lost says since when, and is not 0.
func TestDropoutIsUnknown(t *testing.T) {
	before := Pi4Bare().tell(time.Unix(1, 0), told{celsius: 50, watts: 4})
	s := drop(Pi4Bare().tell(time.Unix(2, 0), told{celsius: 51, watts: 4}), before)
	for name, r := range map[string]telemetry.Reading[float64]{"heat": s.Heat.HottestCelsius, "power": s.Power.Watts, "load": s.Load.CPUPercent} {
		if v, ok := r.Get(); ok || v != 0 || r.Reason() == "" || !r.At().Equal(time.Unix(1, 0)) {
			t.Errorf("%s: %v at %v (%s), want unknown since the reading before", name, v, r.At(), r.Reason())
		}
	}
	if _, ok := s.Heat.LimitCelsius.Get(); !ok {
		t.Error("the limit was lost, too")
	}
}
