package governor

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// want is a direction on the ladder; the lower, the more cautious.
type want int

const (
	shallowest want = iota
	shallower
	hold
	deeper
)

// vote is what one concern of Stepwise wants.
type vote struct {
	want   want
	start  int // the deepest rung that it allows at the first start
	reason string
}

// mostCautious takes the lowest want, and the first of equals.
func mostCautious(votes []vote) vote {
	return slices.MinFunc(votes, func(a, b vote) int { return cmp.Compare(a.want, b.want) })
}

// leastStart takes the vote that allows the least at the first start, and the first of equals.
func leastStart(votes []vote) vote {
	return slices.MinFunc(votes, func(a, b vote) int { return cmp.Compare(a.start, b.start) })
}

const (
	// A trend within ±steadyKelvinPerSecond is steady.
	steadyKelvinPerSecond = 0.1
	// chargeBandPercent above the least charge, depth is given back.
	chargeBandPercent = 5
	// latencyMargin is what must fit into the frame period before going deeper
	// (ApproxDet plans with the same factor).
	latencyMargin = 1.3
)

// heatVote is the upper half of the truth table of Stepwise.Step.
func (p Stepwise) heatVote(s State, in Input, h heat, t *Terms) vote {
	top := len(in.Profile.Rungs) - 1
	middle := top / 2
	ceiling := in.Objectives.Ceiling(in.Snapshot.Heat.LimitCelsius)
	hot := ceiling - p.config.MarginKelvin
	cool := hot - p.config.BandKelvin
	t.add("ceiling", ceiling, "°C")
	t.add("hot from", hot, "°C")
	t.add("cool below", cool, "°C")

	if h.unknown != "" {
		floor := middle
		if !s.LastHeatAt.IsZero() && s.LastCelsius >= cool {
			floor = 0
		}
		lost := in.Now.Sub(s.HeatLostAt)
		v := vote{hold, floor, fmt.Sprintf("temperature unknown (%s) for %v", h.unknown, lost.Round(time.Second))}
		if lost >= p.config.Grace && s.Rung > floor {
			v.want = shallower
		}
		return v
	}
	at := fmt.Sprintf("%.1f °C", h.celsius)
	rising := !h.trendKnown || h.trend > steadyKelvinPerSecond
	falling := h.trendKnown && h.trend < -steadyKelvinPerSecond
	switch {
	case h.celsius >= ceiling:
		return vote{shallower, 0, fmt.Sprintf("%s, ceiling %.1f", at, ceiling)}
	case h.celsius >= hot && falling:
		return vote{hold, 0, fmt.Sprintf("%s, hot from %.1f but falling", at, hot)}
	case h.celsius >= hot:
		return vote{shallower, 0, fmt.Sprintf("%s, hot from %.1f", at, hot)}
	case h.celsius >= cool:
		return vote{hold, middle, fmt.Sprintf("%s, in the band %.1f to %.1f", at, cool, hot)}
	case rising:
		return vote{hold, top, fmt.Sprintf("%s, cool below %.1f but rising", at, cool)}
	}
	return vote{deeper, top, fmt.Sprintf("%s, cool below %.1f", at, cool)}
}

// flagVote looks at what the firmware says. A flag that the board never told does
// not exist, and the temperature decides alone; one that it told and tells no
// longer is lost, whatever the other says.
func (p Stepwise) flagVote(s *State, in Input, t *Terms) vote {
	top := len(in.Profile.Rungs) - 1
	throttled, throttledWhy := fresh(in.Snapshot.Throttle.Throttled, in.Now)
	low, lowWhy := fresh(in.Snapshot.Throttle.UnderVoltage, in.Now)
	t.flag("throttled", throttled, throttledWhy)
	t.flag("under-voltage", low, lowWhy)
	s.ThrottledSeen = s.ThrottledSeen || throttledWhy == ""
	s.UnderVoltageSeen = s.UnderVoltageSeen || lowWhy == ""
	var lost string
	switch {
	case s.ThrottledSeen && throttledWhy != "":
		lost = throttledWhy
	case s.UnderVoltageSeen && lowWhy != "":
		lost = lowWhy
	}
	switch {
	case throttled:
		s.FlaggedAt = in.Now
		return vote{shallower, 0, "the board throttles"}
	case low:
		s.FlaggedAt = in.Now
		return vote{shallower, 0, "the supply voltage is too low"}
	case lost != "":
		return vote{hold, top / 2, "throttle flags lost (" + lost + "): not deeper"}
	case !s.FlaggedAt.IsZero() && in.Now.Sub(s.FlaggedAt) < p.config.FlagHold:
		return vote{hold, 0, fmt.Sprintf("throttled or short of voltage %v ago: not deeper for %v",
			in.Now.Sub(s.FlaggedAt).Round(time.Second), p.config.FlagHold)}
	}
	return vote{deeper, top, "no throttling reported"}
}

// chargeVote saves the battery. Whether it discharges counts as yes if unknown.
func (p Stepwise) chargeVote(s *State, in Input, t *Terms) vote {
	top := len(in.Profile.Rungs) - 1
	least := in.Objectives.MinChargePercent
	if least == 0 {
		s.ChargeLow = false
		return vote{deeper, top, "charge does not matter"}
	}
	t.add("least charge", least, "%")
	charge, chargeWhy := freshNumber(in.Snapshot.Power.ChargePercent, in.Now, 0, 100)
	discharging, dischargingWhy := fresh(in.Snapshot.Power.Discharging, in.Now)
	if chargeWhy == "" {
		t.add("charge", charge, "%")
	}
	switch {
	case dischargingWhy == "" && !discharging:
		s.ChargeLow = false
		return vote{deeper, top, "not on battery"}
	case chargeWhy != "":
		v := vote{hold, top / 2, "charge unknown (" + chargeWhy + ")"}
		switch {
		case s.ChargeLow:
			v.want, v.start = shallowest, 0
		case s.Rung > top/2:
			v.want = shallower
		case s.Rung < top/2:
			v.want = deeper
		}
		return v
	}
	s.ChargeLow = charge < least || s.ChargeLow && charge < min(least+chargeBandPercent, 100)
	if s.ChargeLow {
		return vote{shallowest, 0, fmt.Sprintf("charge %.0f %%, least %.0f", charge, least)}
	}
	return vote{deeper, top, fmt.Sprintf("charge %.0f %%", charge)}
}

// latencyVote keeps inference within the frame period.
func (p Stepwise) latencyVote(s State, in Input, t *Terms) vote {
	top := len(in.Profile.Rungs) - 1
	fits := func(rung, stretches int) bool {
		need := latencyMargin * float64(s.predicted(in, rung))
		return need <= float64(stretched(in.Objectives.FramePeriod(), stretches))
	}
	start := top
	for start > 0 && !fits(start, 0) {
		start--
	}
	if !s.Started {
		reason := "latency fits"
		if start < top {
			reason = fmt.Sprintf("%s, %.1f ms, could be too slow for %.1f ms", in.Profile.Rungs[start+1].Variant,
				milliseconds(s.predicted(in, start+1)), milliseconds(in.Objectives.FramePeriod()))
		}
		return vote{deeper, start, reason}
	}
	period := stretched(in.Objectives.FramePeriod(), s.Stretches)
	latency := s.predicted(in, s.Rung)
	t.add("frame period", milliseconds(period), "ms")
	t.add("latency", milliseconds(latency), "ms")

	rung, stretches := s.Rung, s.Stretches
	switch {
	case latency > period:
		return vote{shallower, start, fmt.Sprintf("%.1f ms do not fit into %.1f ms", milliseconds(latency), milliseconds(period))}
	case stretches > 0:
		stretches--
	case rung < top:
		rung++
	default:
		return vote{deeper, start, "latency fits"}
	}
	t.add("latency deeper", milliseconds(s.predicted(in, rung)), "ms")
	if !fits(rung, stretches) {
		return vote{hold, start, fmt.Sprintf("one step deeper, %.1f ms, would be too close to %.1f ms",
			milliseconds(s.predicted(in, rung)), milliseconds(stretched(in.Objectives.FramePeriod(), stretches)))}
	}
	return vote{deeper, start, "latency fits"}
}
