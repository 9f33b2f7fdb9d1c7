package sim

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/boards/telemetry/recording"
)

// recordedUtilisation is that of a recording that is given as it is, without a spec beside it.
const recordedUtilisation = 0.85

// isRecording tells a recording from a spec.
func isRecording(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(text), []byte(`{"fathom_recording"`))
}

// RecordedTrace makes a trace of what fathom board --record wrote.
//
// What other programs did is taken from the recording. What the air did follows
// from the difference between the recorded temperature and that of the simulated
// board under the recorded load, smoothed over half a minute: on the board that was
// recorded it is the weather, and on another one the weather that would have
// explained the readings. Solar power is what the board drew and the battery took,
// where both are known. Gaps and unknown readings keep the last value.
func RecordedTrace(name string, text []byte) (Trace, error) {
	r, err := recording.Read(bytes.NewReader(text))
	if err != nil && !errors.Is(err, recording.ErrCutShort) {
		return Trace{}, fmt.Errorf("sim: trace %s: %w", name, err)
	}
	t := Trace{Name: name, About: "Recorded on " + r.Header.Board + ".", Utilisation: recordedUtilisation, recorded: r.Snapshots}
	if len(r.Snapshots) > 1 {
		first, last := r.Snapshots[0].Time, r.Snapshots[len(r.Snapshots)-1].Time
		t.Duration = last.Sub(first).Truncate(time.Second)
	}
	known := 0
	for _, s := range r.Snapshots {
		if _, ok := s.Heat.HottestCelsius.Get(); ok {
			known++
		}
	}
	if known < 2 {
		return Trace{}, fmt.Errorf("sim: trace %s: %d temperatures in the recording, want 2 at least", name, known)
	}
	if err := t.Validate(); err != nil {
		return Trace{}, err
	}
	return t, nil
}

// smoothing of the recorded air, in seconds.
const smoothing = 30

// weatherOf turns snapshots into one instant a second for a board.
func weatherOf(snapshots []telemetry.Snapshot, n int, b BoardModel) []Instant {
	weather := make([]Instant, n)
	heat := newThermal(b)
	start := snapshots[0].Time
	at := 0
	celsius, cpu, others, solar := math.NaN(), 0., 0., 0.
	air := math.NaN()
	for second := range weather {
		for at < len(snapshots) && snapshots[at].Time.Sub(start) <= time.Duration(second)*time.Second {
			s := snapshots[at]
			at++
			if v, ok := s.Heat.HottestCelsius.Get(); ok {
				celsius = v
			}
			if v, ok := s.Load.CPUPercent.Get(); ok {
				cpu = v / 100
				if own, ok := s.Load.OwnCPUPercent.Get(); ok {
					others = max(cpu-own/100, 0)
				}
			}
			if v, ok := s.Load.OthersCPUPercent.Get(); ok {
				others = v / 100
			}
			watts, drawn := s.Power.Watts.Get()
			if stored, ok := s.Power.BatteryWatts.Get(); ok && drawn {
				solar = max(watts+stored, 0) / b.FullWatts
			}
		}
		if second == 0 { // it has been at it for a while
			for i, p := range b.Poles {
				heat.rises[i] = p.GainKelvin * cpu
			}
		}
		if !math.IsNaN(celsius) {
			seen := b.AmbientCelsius + celsius - heat.celsius(b.AmbientCelsius)
			if math.IsNaN(air) {
				air = seen
			}
			air += (seen - air) / smoothing
		}
		for range substeps {
			heat.advance(time.Second/substeps, cpu*b.clock(celsius), b.AmbientCelsius)
		}
		weather[second] = Instant{AmbientCelsius: air, Load: min(max(others, 0), 0.95), SolarShare: solar}
	}
	// Before the first temperature: what it told.
	for i := len(weather) - 2; i >= 0; i-- {
		if math.IsNaN(weather[i].AmbientCelsius) {
			weather[i].AmbientCelsius = weather[i+1].AmbientCelsius
		}
	}
	return weather
}
