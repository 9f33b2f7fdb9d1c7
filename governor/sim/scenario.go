package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// Scenario is a closed loop without waiting: the real control loop on a
// simulated board with frames whose latencies follow the profile.
type Scenario struct {
	Board      Config // its clock is replaced by the scenario's
	Profile    profile.Profile
	Policy     governor.Spec
	Objectives governor.Objectives
	// DeepestLatency is what the deepest variant takes on the machine that runs
	// beside the simulated board; the others take their share of it by the profile.
	DeepestLatency time.Duration
	// Utilisation is the share of the simulated board's time that the deepest
	// variant needs at the wanted frame period (Calibrate).
	Utilisation float64
	// Duration is in the loop's time, which the board's runs ahead of.
	Duration time.Duration
}

// Point is a scenario at one step of the loop.
type Point struct {
	At        time.Duration // since the start, in the loop's time
	Celsius   float64       // before the decision
	Throttled bool
	Variant   string // as decided
	Rung      int
	Period    time.Duration
	Reason    string
}

// Result is what came of a scenario.
type Result struct {
	Points  []Point
	Records []governor.Record
}

// Summary are the figures of a result.
type Summary struct {
	MaxCelsius       float64
	SecondsAbove     float64 // in the loop's time, above the ceiling
	SecondsThrottled float64
	Switches         int // of rung or frame period
	MeanRung         float64
}

// loopPeriod is the time between two steps.
const loopPeriod = time.Second

// Run simulates to the end or until the context ends.
func (s Scenario) Run(ctx context.Context) (Result, error) {
	if s.DeepestLatency <= 0 || s.Duration <= 0 {
		return Result{}, fmt.Errorf("sim: scenario of %v with %v for the deepest variant: want positive times", s.Duration, s.DeepestLatency)
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := start
	s.Board.Now = func() time.Time { return now }
	board, err := NewBoard(s.Board)
	if err != nil {
		return Result{}, err
	}
	if err := board.Calibrate(s.DeepestLatency, s.Objectives.FramePeriod(), s.Utilisation); err != nil {
		return Result{}, err
	}
	if err := s.Profile.Validate(); err != nil {
		return Result{}, err
	}
	policy, err := governor.New(s.Policy, s.Profile)
	if err != nil {
		return Result{}, err
	}

	var result Result
	var decision governor.Decision
	loop, err := governor.NewLoop(governor.LoopConfig{
		Policy: policy, Profile: s.Profile, Objectives: s.Objectives,
		Source: board, Period: loopPeriod, Now: s.Board.Now,
		Apply:  func(d governor.Decision) { decision = d },
		Record: func(r governor.Record) { result.Records = append(result.Records, r) },
	})
	if err != nil {
		return Result{}, err
	}

	nextFrame := start
	for now.Sub(start) < s.Duration {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		loop.Step(ctx)
		point, err := point(result.Records[len(result.Records)-1], start)
		if err != nil {
			return Result{}, err
		}
		result.Points = append(result.Points, point)

		nextStep := now.Add(loopPeriod)
		latency := s.latency(point.Rung)
		for nextFrame.Before(nextStep) {
			board.Busy(latency)
			seen := time.Duration(float64(latency) / board.Clock())
			loop.Observe(governor.Observation{Time: nextFrame.Add(seen), Variant: decision.Variant, Threads: 1, Latency: seen})
			nextFrame = nextFrame.Add(max(decision.FramePeriod, seen))
		}
		now = nextStep
	}
	return result, nil
}

// latency is what a rung takes at full clock.
func (s Scenario) latency(rung int) time.Duration {
	r := s.Profile.Rungs
	share := float64(r[rung].Cost.Latency) / float64(r[len(r)-1].Cost.Latency)
	return time.Duration(share * float64(s.DeepestLatency))
}

func point(r governor.Record, start time.Time) (Point, error) {
	celsius, ok := r.Input.Snapshot.Heat.HottestCelsius.Get()
	if !ok {
		return Point{}, errors.New("sim: the simulated board did not tell its temperature")
	}
	throttled, _ := r.Input.Snapshot.Throttle.Throttled.Get()
	return Point{
		At: r.Time.Sub(start), Celsius: celsius, Throttled: throttled,
		Variant: r.Decision.Variant, Rung: r.After.Rung,
		Period: r.Decision.FramePeriod, Reason: r.Decision.Reason.String(),
	}, nil
}

// Summarize counts what happened from a time on, against a ceiling.
func (r Result) Summarize(from time.Duration, ceilingCelsius float64) Summary {
	var s Summary
	var steps float64
	for i, p := range r.Points {
		if p.At < from {
			continue
		}
		steps++
		s.MaxCelsius = max(s.MaxCelsius, p.Celsius)
		if p.Celsius > ceilingCelsius {
			s.SecondsAbove += loopPeriod.Seconds()
		}
		if p.Throttled {
			s.SecondsThrottled += loopPeriod.Seconds()
		}
		if i > 0 && (p.Rung != r.Points[i-1].Rung || p.Period != r.Points[i-1].Period) {
			s.Switches++
		}
		s.MeanRung += float64(p.Rung)
	}
	if steps > 0 {
		s.MeanRung /= steps
	}
	return s
}
