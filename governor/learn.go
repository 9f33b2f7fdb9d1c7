package governor

import "time"

const (
	// slowdownWeight is what one frame adds to the smoothed slowdown: at 5 frames/s
	// the filter follows within about a second.
	slowdownWeight = 0.2
	// A single frame counts as at most this much slower or faster than profiled.
	greatestSlowdown = 1000
)

// heat is what a step knows of the temperature.
type heat struct {
	celsius float64
	unknown string // why celsius is not known; empty if it is
	// trend is in K/s since the last step; not known after a gap.
	trend      float64
	trendKnown bool
}

// learn takes the observations and the temperature into the state.
func learn(s State, in Input) (State, heat) {
	for _, event := range []*time.Time{&s.ChangedAt, &s.HeatLostAt, &s.FlaggedAt} {
		if event.After(in.Now) { // the clock was set back: waiting starts anew
			*event = in.Now
		}
	}
	s.Slowdown = slowdown(s.Slowdown, in)

	var h heat
	h.celsius, h.unknown = freshNumber(in.Snapshot.Heat.HottestCelsius, in.Now, leastCelsius, greatestCelsius)
	if h.unknown != "" {
		if s.HeatLostAt.IsZero() {
			s.HeatLostAt = in.Now
		}
		return s, h
	}
	s.HeatLostAt = time.Time{}
	if dt := in.Now.Sub(s.LastHeatAt); !s.LastHeatAt.IsZero() && dt > 0 && dt <= StaleAfter {
		h.trend, h.trendKnown = (h.celsius-s.LastCelsius)/dt.Seconds(), true
	}
	s.LastCelsius, s.LastHeatAt = h.celsius, in.Now
	return s, h
}

// No silicon of these boards is outside this range and still answers.
const (
	leastCelsius    = -60
	greatestCelsius = 200
)

// slowdown smooths measured over profiled latency over the frames of a step.
// One factor for the whole ladder: what slows a board (clock, other programs, a
// wrong estimate of its throughput) slows every variant.
func slowdown(old float64, in Input) float64 {
	for _, o := range in.Observations {
		i, ok := in.Profile.Index(o.Variant)
		if !ok || o.Latency <= 0 {
			continue
		}
		ratio := float64(o.Latency) / float64(in.Profile.Rungs[i].Cost.Latency)
		ratio = min(max(ratio, 1./greatestSlowdown), greatestSlowdown)
		if old == 0 {
			old = ratio
			continue
		}
		old += float64(slowdownWeight * (ratio - old))
	}
	return old
}

// predicted is the latency to expect of a rung: the profile times the learned
// slowdown, or before the first frame the profile plus its standard deviation.
func (s State) predicted(in Input, rung int) time.Duration {
	cost := in.Profile.Rungs[rung].Cost
	if s.Slowdown == 0 {
		return cost.Latency + cost.StdDev
	}
	return time.Duration(min(float64(cost.Latency)*s.Slowdown, 1e18)) // 30 years, so that it fits
}
