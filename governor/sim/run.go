package sim

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/governor"
)

// Sample is a run at the end of one second.
type Sample struct {
	Celsius   float64 `json:"celsius"` // true
	Sensed    float64 `json:"sensed"`  // NaN where unknown
	Throttled bool    `json:"throttled,omitempty"`
	Rung      int     `json:"rung"`
	PeriodMS  float64 `json:"period_ms"`
	Watts     float64 `json:"watts"`
	Percent   float64 `json:"charge_percent"` // true
	Load      float64 `json:"load"`           // of other programs
	Busy      float64 `json:"busy"`           // own
}

// RunOptions say what a run has to keep.
type RunOptions struct {
	Sample func(Sample)          // called every second; nil for nothing
	Record func(governor.Record) // every decision; nil for nothing
}

// Run steps the control loop through the case: one decision a second, frames
// between them. It is deterministic. The same case gives the same frames' noise to
// every policy, frame by frame.
func (c *Case) Run(ctx context.Context, spec governor.Spec, o RunOptions) (Account, error) {
	policy, err := governor.New(spec, c.Profile)
	if err != nil {
		return Account{}, err
	}
	r := c.newRunner(o)
	if spec.Name == governor.FixedName && o.Record == nil {
		return r.hold(ctx, spec.Variant)
	}
	loop, err := governor.NewLoop(governor.LoopConfig{
		Policy: policy, Profile: c.Profile, Objectives: c.Objectives,
		Source: r, Apply: r.apply, Record: o.Record,
		Period: time.Second, Now: func() time.Time { return r.now },
	})
	if err != nil {
		return Account{}, err
	}
	for second := range c.Weather {
		if second%512 == 0 && ctx.Err() != nil {
			return Account{}, ctx.Err()
		}
		r.now = c.Start.Add(time.Duration(second) * time.Second)
		r.second = second
		for _, observed := range r.finished {
			loop.Observe(observed)
		}
		r.finished = r.finished[:0]
		loop.Step(ctx)
		if r.failed != nil {
			return Account{}, r.failed
		}
		if !r.advance() {
			break
		}
	}
	return r.account(), nil
}

// hold runs one variant, which needs no loop.
func (r *runner) hold(ctx context.Context, variant string) (Account, error) {
	if variant == "" {
		variant = r.c.Ladder[len(r.c.Ladder)-1].Variant
	}
	r.apply(governor.Decision{Variant: variant, FramePeriod: r.c.Objectives.FramePeriod()})
	for r.second = range r.c.Weather {
		if r.second%512 == 0 && ctx.Err() != nil {
			return Account{}, ctx.Err()
		}
		r.finished = r.finished[:0]
		if !r.advance() {
			break
		}
	}
	return r.account(), nil
}

const (
	substeps = 2 // of a second: the die's time constant is above
	// excuse is how far back a disturbance may lie that explains an excursion.
	excuse = 30 // s
	// A rise of other programs' load by so much within a second is a disturbance that the next reading shows.
	loadJump = 0.05
)

// runner is a case while it runs. Times within it are seconds since the start.
type runner struct {
	c       *Case
	options RunOptions
	now     time.Time
	second  int

	heat  thermal
	pack  *pack
	sense sense
	frame *rand.Rand

	// What the board did in the last second, which its sensors tell.
	watts     float64
	busy      float64
	throttled bool

	decision governor.Decision
	rung     int
	decided  bool
	failed   error

	nextFrame float64 // when it is due
	idleFrom  float64 // when the frame in flight ends
	switched  bool    // since the last frame
	inFlight  *governor.Observation
	flight    governor.Observation
	finished  []governor.Observation

	past    [excuse + 1]thermalState // at the beginning of each second
	jumpAt  int                      // second of the last jump of the load
	rule    *thermal                 // the rule that reacted at the first reading, while above the ceiling
	ruledAt int                      // since when it has
	leastAt int                      // since when the decision has been what the rule does
	rungSum float64
	a       Account
}

type thermalState struct {
	rises [maxPoles]float64
	level int
}

func (c *Case) newRunner(o RunOptions) *runner {
	r := &runner{
		c: c, options: o, now: c.Start, heat: newThermal(c.Board), jumpAt: -excuse,
		sense: newSense(c.Trace.Sensor, c.Board.SensorStepKelvin, c.Trace.random(c.Seed, "sensor")),
		frame: c.Trace.random(c.Seed, "frames"),
	}
	if c.Battery != nil {
		p := newPack(*c.Battery)
		r.pack = &p
		r.a.HasBattery = true
	}
	r.watts = c.Board.watts(c.Weather[0].Load, r.heat.celsius(c.Weather[0].AmbientCelsius))
	r.a.MaxCelsius = math.Inf(-1)
	r.a.MaxAboveKelvin = math.Inf(-1)
	return r
}

// Read implements telemetry.Source: what the sensors tell of the last second.
func (r *runner) Read(context.Context) telemetry.Snapshot {
	b := r.c.Board
	w := r.c.Weather[max(r.second-1, 0)]
	own := r.busy * (1 - contention*w.Load)
	s := b.tell(r.now, told{
		celsius: r.heat.celsius(w.AmbientCelsius), throttled: r.throttled, watts: r.watts,
		load: utilisation(r.busy, w.Load), own: own,
	})
	if !b.TellsPower {
		s.Power.Watts = telemetry.Unknown[float64]("this board does not measure its power")
	}
	if !b.TellsThrottling {
		s.Throttle.Throttled = telemetry.Unknown[bool]("this board does not tell")
		s.Throttle.UnderVoltage = telemetry.Unknown[bool]("this board does not tell")
	}
	if r.pack != nil {
		r.pack.tell(&s.Power, r.now)
	}
	return r.sense.distort(s)
}

func (r *runner) apply(d governor.Decision) {
	rung := -1
	for i := range r.c.Ladder {
		if r.c.Ladder[i].Variant == d.Variant {
			rung = i
		}
	}
	if rung < 0 || d.FramePeriod <= 0 {
		r.failed = fmt.Errorf("sim: the policy decided for %q every %v at %v, which is not possible", d.Variant, d.FramePeriod, r.now)
		return
	}
	if r.decided {
		if rung != r.rung {
			r.a.Switches++
			r.switched = true
		}
		if d.Pair != r.decision.Pair {
			r.a.PairChanges++
		}
		if d.FramePeriod != r.decision.FramePeriod {
			r.a.RateChanges++
		}
	}
	r.decision, r.rung, r.decided = d, rung, true
}

// advance lives through one second, and reports whether the board has power.
func (r *runner) advance() bool {
	c := r.c
	w := c.Weather[r.second]
	if r.second > 0 && w.Load-c.Weather[r.second-1].Load >= loadJump {
		r.jumpAt = r.second
	}
	r.remember()
	if least, _ := c.Objectives.Range(c.Profile); r.rung > least || r.decision.FramePeriod < c.Objectives.LongestPeriod() {
		r.leastAt = r.second + 1
	}

	clock := c.Board.clock(r.heat.celsius(w.AmbientCelsius))
	r.busy = r.frames(w, clock)
	used := utilisation(r.busy, w.Load)
	if leave := c.Objectives.LeaveCPUPercent / 100; leave > 0 && r.busy*(1-contention*w.Load) > 1-leave+0.02 {
		r.a.SecondsOverCPU++
	}

	r.throttled = clock < 1
	above := math.Inf(-1)
	for range substeps {
		clock := c.Board.clock(r.heat.celsius(w.AmbientCelsius))
		r.throttled = r.throttled || clock < 1
		r.heat.advance(time.Second/substeps, used*clock, w.AmbientCelsius)
		celsius := r.heat.celsius(w.AmbientCelsius)
		r.watts = c.Board.watts(used*clock, celsius) + r.heat.fanWatts()
		r.a.MaxCelsius = max(r.a.MaxCelsius, celsius)
		above = max(above, celsius-c.CeilingCelsius)
	}
	r.a.MaxAboveKelvin = max(r.a.MaxAboveKelvin, above)
	r.judge(above)
	if r.throttled {
		r.a.SecondsThrottled++
		if r.rule == nil || r.leastAt > r.ruledAt && c.Board.clock(r.rule.celsius(w.AmbientCelsius)) == 1 {
			r.a.AvoidableThrottled++
		}
	}
	r.a.Seconds++

	powered := true
	if r.pack != nil {
		powered = r.pack.draw(r.watts, w.SolarShare*c.Board.FullWatts, time.Second)
	}
	r.sample(w)
	return powered
}

// frames runs what is due within the second and returns the share of it that was busy.
func (r *runner) frames(w Instant, clock float64) float64 {
	from, to := float64(r.second), float64(r.second+1)
	period := r.decision.FramePeriod.Seconds()
	deadline := r.c.Objectives.DeadlineAt(r.decision.FramePeriod).Seconds()
	busy := max(min(r.idleFrom, to)-from, 0)
	r.land(to)
	for r.nextFrame < to && r.idleFrom < to {
		began := max(r.nextFrame, r.idleFrom)
		latency := r.c.Latencies[r.rung].Seconds() * slowdown(w.Load) / clock * math.Exp(frameSpread*r.frame.NormFloat64())
		if r.frame.Float64() < interruptedShare {
			latency *= interruptedBy
		}
		if r.switched {
			latency *= switchedBy
			r.switched = false
		}
		r.a.Classified++
		r.rungSum += float64(r.rung)
		if latency <= deadline {
			r.a.Correct += r.c.Ladder[r.rung].Accuracy
		} else {
			r.a.Late++
		}
		r.idleFrom = began + latency
		busy += min(r.idleFrom, to) - began
		r.flight = governor.Observation{
			Time:    r.c.Start.Add(time.Duration(r.idleFrom * float64(time.Second))),
			Variant: r.decision.Variant, Threads: 4, Latency: time.Duration(latency * float64(time.Second)),
		}
		r.inFlight = &r.flight
		r.land(to)
		// As the daemon: due a period after the last began; the camera keeps no frames.
		r.nextFrame = began + period
	}
	return min(busy, 1)
}

// land hands over the frame in flight if it ends before a time.
func (r *runner) land(before float64) {
	if r.inFlight != nil && r.idleFrom < before {
		r.finished = append(r.finished, *r.inFlight)
		r.inFlight = nil
	}
}

func (r *runner) remember() {
	state := &r.past[r.second%len(r.past)]
	copy(state.rises[:], r.heat.rises)
	state.level = r.heat.level
}

// judge counts a second above the ceiling, and whether it could have been avoided.
func (r *runner) judge(above float64) {
	if r.rule != nil {
		r.live(r.rule, r.second)
		if above <= 0 {
			r.rule = nil
		}
	}
	if above <= 0 {
		return
	}
	r.a.SecondsAbove++
	if r.rule == nil {
		// The reading after a jump of the load shows it, later by the thermometer's lag. Where nothing
		// jumped, the weather was there to be seen.
		from := r.jumpAt + 1 + int(r.c.Trace.Sensor.Lag/time.Second)
		if r.second-r.jumpAt > excuse {
			from = r.second - excuse
		}
		from = max(from, 0)
		rule := newThermal(r.c.Board)
		if from > r.second { // too soon for any reading to show it
			copy(rule.rises, r.heat.rises)
			rule.level = r.heat.level
		} else {
			state := r.past[from%len(r.past)]
			copy(rule.rises, state.rises[:])
			rule.level = state.level
		}
		for s := from; s <= r.second; s++ {
			r.live(&rule, s)
		}
		r.rule, r.ruledAt = &rule, from
	}
	// What did the same as the rule since then differs from it in when its frames fell.
	if r.leastAt > r.ruledAt && r.rule.celsius(r.c.Weather[r.second].AmbientCelsius) <= r.c.CeilingCelsius {
		r.a.AvoidableSeconds++
	}
}

// live takes the rule's board through a second at the least depth and rate.
func (r *runner) live(t *thermal, second int) {
	w := r.c.Weather[second]
	busy := r.c.Latencies[0].Seconds() * slowdown(w.Load) / r.c.Objectives.LongestPeriod().Seconds()
	used := utilisation(min(busy, 1), w.Load)
	for range substeps {
		t.advance(time.Second/substeps, used*r.c.Board.clock(t.celsius(w.AmbientCelsius)), w.AmbientCelsius)
	}
}

func (r *runner) sample(w Instant) {
	if r.options.Sample == nil {
		return
	}
	s := Sample{
		Celsius: r.heat.celsius(w.AmbientCelsius), Sensed: math.NaN(), Throttled: r.throttled,
		Rung: r.rung, PeriodMS: r.decision.FramePeriod.Seconds() * 1000, Watts: r.watts, Load: w.Load, Busy: r.busy,
	}
	if v, ok := r.sense.last.Heat.HottestCelsius.Get(); ok && r.sense.lost == 0 {
		s.Sensed = v
	}
	if r.pack != nil {
		s.Percent = 100 * r.pack.share
	}
	r.options.Sample(s)
}

func (r *runner) account() Account {
	a := r.a
	total := float64(len(r.c.Weather))
	a.Requested = int(total * r.c.Objectives.FPS)
	if a.Classified > 0 {
		a.MeanDepth = r.rungSum / float64(a.Classified)
	}
	if r.pack == nil {
		return a
	}
	a.EndPercent = 100 * r.pack.share
	lasts := r.pack.share
	if a.Seconds < len(r.c.Weather) {
		a.EmptyAfter = time.Duration(a.Seconds) * time.Second
		used := r.c.Battery.StartPercent/100 - r.pack.share
		lasts -= used * (total - float64(a.Seconds)) / float64(a.Seconds)
	}
	if b := r.c.Objectives.Battery; b.Until != 0 || b.For != 0 {
		a.MissedPercent = max(b.Reserve()-100*lasts, 0)
	}
	return a
}
