package sim

import (
	"fmt"
	"math"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// Setup says which case to make of a trace.
type Setup struct {
	Board  BoardModel
	Trace  Trace
	Seed   uint64
	Ladder []Depth // empty takes DefaultLadder
	// CeilingCelsius replaces that of the trace where it has none; 0 leaves the default.
	CeilingCelsius float64
	// GainScale and TauScale multiply the board's gains and time constants, so that
	// it is another board than anybody expects; 0 means 1.
	GainScale, TauScale float64
	// Sensor replaces that of the trace; nil leaves it.
	Sensor *Sensor
}

// Case is one board in one trace with everything drawn: all that happens to it
// but for what the governor decides, and the noise of single frames. Made by New;
// nobody changes it, and any number of goroutines may run it.
type Case struct {
	Board      BoardModel // as it is, which differs from its preset
	Trace      Trace
	Seed       uint64
	Weather    []Instant // one a second
	Ladder     []Depth
	Latencies  []time.Duration // of the rungs, alone, at full clock
	Profile    profile.Profile // what the governor is told
	Objectives governor.Objectives
	Battery    *Battery // nil for none
	Start      time.Time
	// CeilingCelsius is what the objectives come to on this board.
	CeilingCelsius float64
}

const (
	// No two boards are alike: standard deviations of what a seed draws.
	gainSpread    = 0.05
	tauSpread     = 0.1
	ambientSpread = 0.7 // K
)

// New draws a case.
func New(s Setup) (*Case, error) {
	if len(s.Ladder) == 0 {
		s.Ladder = DefaultLadder()
	}
	if err := validateLadder(s.Ladder); err != nil {
		return nil, err
	}
	if err := s.Trace.Validate(); err != nil {
		return nil, err
	}
	for _, scale := range []*float64{&s.GainScale, &s.TauScale} {
		if *scale == 0 {
			*scale = 1
		}
		if !(*scale > 0.01 && *scale < 100) {
			return nil, fmt.Errorf("sim: gains or time constants times %g: want 0.01 to 100", *scale)
		}
	}
	r := s.Trace.random(s.Seed, "board")
	board := s.Board
	board.Poles = make([]Pole, len(s.Board.Poles))
	for i, p := range s.Board.Poles {
		board.Poles[i] = Pole{
			GainKelvin: p.GainKelvin * s.GainScale * math.Exp(gainSpread*r.NormFloat64()),
			Tau:        time.Duration(float64(p.Tau) * s.TauScale * math.Exp(tauSpread*r.NormFloat64())),
		}
	}
	board.AmbientCelsius += ambientSpread * r.NormFloat64()
	if err := board.Validate(); err != nil {
		return nil, err
	}
	if s.Sensor != nil {
		if err := s.Sensor.validate(); err != nil {
			return nil, fmt.Errorf("sim: sensor: %w", err)
		}
		s.Trace.Sensor = *s.Sensor
	}

	c := &Case{
		Board: board, Trace: s.Trace, Seed: s.Seed, Ladder: s.Ladder,
		Weather: s.Trace.weather(s.Seed, s.Board), Latencies: latencies(s.Ladder),
		Objectives: s.Trace.Objectives,
		Start:      time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC),
	}
	if at := s.Trace.Start; at != 0 {
		c.Start = c.Start.Add(time.Duration(at-1) * time.Minute)
	}
	c.Profile = toldProfile(board.Name, s.Ladder, c.Latencies, r)
	c.Objectives.FPS = s.Trace.Utilisation / deepestLatency.Seconds()
	if c.Objectives.CeilingCelsius == 0 {
		c.Objectives.CeilingCelsius = s.CeilingCelsius
	}
	if b := s.Trace.Battery; b != nil {
		watts := board.watts(min(s.Trace.Utilisation, 1), board.IdleCelsius)
		c.Battery = &Battery{
			CapacityWattHours: cellWatts(watts, 0) * b.DeepestLasts.Hours(), StartPercent: b.StartPercent,
			ResistanceOhms: b.ResistanceOhms, VoltageGauge: b.VoltageGauge, GaugeStepPercent: b.GaugeStepPercent,
		}
		c.Objectives.Battery.SolarWattHours = b.StatedSolarHours * board.FullWatts
	}
	limit := telemetry.Known(board.LimitCelsius(), c.Start)
	if err := c.Objectives.Validate(c.Profile, limit); err != nil {
		return nil, fmt.Errorf("sim: trace %s on %s: %w", s.Trace.Name, board.Name, err)
	}
	c.CeilingCelsius = c.Objectives.Ceiling(limit)
	return c, nil
}

// contention is by how much other programs' load slows an inference that would
// have all cores: it gets what they leave, but for what the scheduler moves around.
const contention = 0.7

// slowdown is by how much longer an inference takes beside a load.
func slowdown(load float64) float64 { return 1 / (1 - contention*load) }

// utilisation is the share of all cores that works, where inference runs for a
// share of the time and others use theirs.
func utilisation(busy, load float64) float64 { return busy + (1-busy)*load }

const (
	// frameSpread is the standard deviation of the logarithm of a frame's latency.
	frameSpread = 0.04
	// In a share of frames something interrupts, which makes them longer.
	interruptedShare = 0.002
	interruptedBy    = 1.5
	// The first frame after a change of variant finds its weights in no cache.
	switchedBy = 1.25
)
