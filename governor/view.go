package governor

import "time"

// Work is what is known of how inference and other programs use the processor.
type Work struct {
	// PerBusy is the share of all cores that one second of inference takes in a
	// second: 0.25 for one thread of four cores. 0 before it was measured.
	PerBusy float64 `json:"per_busy,omitempty"`
	// Others is the share of all cores that everybody else takes: up at once, down slowly.
	Others float64 `json:"others,omitempty"`
	// Burst is the load of others that came and went in the last half hour or so,
	// BurstSeconds how long it stays, and Bursting for how long it has lasted now.
	Burst        float64 `json:"burst,omitempty"`
	BurstSeconds float64 `json:"burst_seconds,omitempty"`
	Bursting     float64 `json:"bursting,omitempty"`
	Calm         float64 `json:"calm,omitempty"` // seconds since the last
	// FPS is the rate that the last decision asked for.
	FPS float64 `json:"fps,omitempty"`
}

// view is what a step knows of the board, for the policies that plan.
type view struct {
	heat    heat
	seconds float64 // since the last step; 0 at the first and after a gap
	// drive is the share of all cores that worked since the last step, others that
	// of everybody but inference, and perBusy what inference takes for each busy second.
	drive, others, perBusy float64
	learnable              bool    // the reading may teach the thermal model
	limit                  float64 // where the board throttles in °C, or the ceiling where that is unknown
}

const (
	// longestStep is the longest time between two steps that the models live through;
	// after a longer one the machine slept, and what it was doing is not known.
	longestStep   = 30 * time.Second
	perBusyWeight = 0.2
	leastBusy     = 0.005
	mostPerBusy   = 1000 // a simulated board may be that much slower than this machine
	// A real board that is less busy than leastBusy spends more on the rest of the program. A
	// simulated one is told of inference alone, and may be hot from very little of it.
	leastSimulatedBusy = 0.0001
	othersSeconds      = 8 // in which a load of others that ended is believed
	assumedPerBusy     = 1 // one inference is taken to use the whole board until measured
)

// look takes the observations and readings of a step into the state.
func look(s *State, in Input) view {
	v := view{limit: in.Objectives.Ceiling(in.Snapshot.Heat.LimitCelsius)}
	if limit, ok := limitCelsius(in.Snapshot.Heat.LimitCelsius); ok {
		v.limit = limit
	}
	*s, v.heat = learn(*s, in)
	gap := in.Now.Sub(s.SteppedAt)
	s.SteppedAt, gap = in.Now, gapOf(s.SteppedAt, gap)
	v.seconds = gap.Seconds()
	if gap == 0 { // the first step, or the clock was set, or the machine slept
		s.Thermal.Started = false
		s.Split.Owed = 0
	}

	if s.Latency.Frames == 0 && s.Latency.Caution == 0 {
		s.Latency.start(in.Profile)
	}
	deadline := in.Objectives.DeadlineAt(in.Objectives.FramePeriod())
	if s.Work.FPS > 0 {
		deadline = in.Objectives.DeadlineAt(period(s.Work.FPS))
	}
	var took time.Duration
	for _, o := range in.Observations {
		if i, ok := in.Profile.Index(o.Variant); ok && o.Latency > 0 && i < maxRungs {
			s.Latency.observe(in.Profile, i, o.Latency, deadline, in.Objectives.LateShare())
			s.Latency.observeAgain(o.Latency, o.Again, deadline)
			took += min(o.Latency+max(o.Again, 0), longestStep)
		}
	}
	busy := 0.
	if v.seconds > 0 {
		busy = min(took.Seconds()/v.seconds, 1)
	}
	s.Work.learn(in, v.seconds, busy, &v)
	if gap == 0 {
		s.Thermal.settle(v.drive)
	}
	s.Thermal.advance(v.seconds, v.drive)
	v.learnable = s.Thermal.judge(&v.heat, in.Now)
	if !s.Thermal.DoubtedAt.IsZero() {
		s.HeatLostAt = s.Thermal.DoubtedAt
	}
	return v
}

func gapOf(last time.Time, gap time.Duration) time.Duration {
	if last.IsZero() || gap <= 0 || gap > longestStep {
		return 0
	}
	return gap
}

// learn takes the processor's readings in.
func (w *Work) learn(in Input, seconds, busy float64, v *view) {
	own, ownWhy := freshNumber(in.Snapshot.Load.OwnCPUPercent, in.Now, 0, 100)
	all, allWhy := freshNumber(in.Snapshot.Load.CPUPercent, in.Now, 0, 100)
	enough := leastBusy
	if in.Snapshot.Simulated {
		enough = leastSimulatedBusy
	}
	if ownWhy == "" && seconds > 0 && busy > enough {
		if ratio := min(own/100/busy, mostPerBusy); w.PerBusy == 0 {
			w.PerBusy = ratio
		} else {
			w.PerBusy += float64(perBusyWeight * (ratio - w.PerBusy))
		}
	}
	v.perBusy = assumedPerBusy
	if w.PerBusy > 0 {
		v.perBusy = w.PerBusy
	}
	mine := min(v.perBusy*busy, 1)
	others := w.Others
	v.drive = min(mine+others, 1)
	if rest, why := freshNumber(in.Snapshot.Load.OthersCPUPercent, in.Now, 0, 100); why == "" {
		others = rest / 100
		v.drive = min(mine+others, 1)
	}
	if allWhy == "" {
		v.drive = all / 100
	}
	w.burst(others, seconds)
	if others >= w.Others {
		w.Others = others
	} else {
		w.Others += float64(min(seconds/othersSeconds, 1) * (others - w.Others))
	}
	v.others = w.Others
}

const (
	burstMemory  = 1800. // s
	leastBurst   = 0.1   // of all cores, above what is there now
	longestBurst = 300.  // s
)

// burst remembers how high the load of others went, and for how long.
func (w *Work) burst(others, seconds float64) {
	if w.Calm += seconds; w.Calm > burstMemory {
		w.Burst, w.BurstSeconds = 0, 0
	}
	if others >= w.Burst/2 && others >= leastBurst {
		if w.Bursting == 0 { // a new one: its level counts as much as those before
			w.Burst *= 0.7
		}
		w.Bursting += seconds
		w.Calm = 0
		w.Burst = max(w.Burst, others)
		return
	}
	if lasted := min(w.Bursting, longestBurst); lasted > 0 { // it ended
		if w.BurstSeconds == 0 {
			w.BurstSeconds = lasted
		}
		w.BurstSeconds += float64(0.3 * (lasted - w.BurstSeconds))
	}
	w.Bursting = 0
}
