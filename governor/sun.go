package governor

import (
	"math"
	"time"
)

// Sun is what a panel brings, by the hour of the day. What an hour is expected to
// bring is what it brought on the days before, and before the first of them a
// level times the light of a clear sky; today's light tells by how much today is
// better or worse. Level and today are ratios of sums, input·light over light²,
// so that dim light counts little.
type Sun struct {
	// Usual are the watts that an hour brought, as a mean of the days; Known has a bit for each hour that was seen.
	Usual [24]float64 `json:"usual,omitzero"`
	Known uint32      `json:"known,omitempty"`
	// Hour is the present one, with the watt-hours and hours of it so far.
	Hour  int     `json:"hour,omitempty"`
	Sum   float64 `json:"sum,omitempty"`
	Hours float64 `json:"hours,omitempty"`
	// Came over Light are the watts at full light.
	Came  float64 `json:"came,omitempty"`
	Light float64 `json:"light,omitempty"`
	// TodayCame over TodayDue is what came of late as a share of what was expected.
	TodayCame float64 `json:"today_came,omitempty"`
	TodayDue  float64 `json:"today_due,omitempty"`
}

const (
	dawn, daylight = 6, 12.                 // hours, as long as they are not known
	clearHours     = daylight * 2 / math.Pi // of full light in a clear day
	dayWeight      = 0.4                    // of a day in what is usual
	mostOfAnHour   = 0.8                    // has to be seen of it
	// Over how many hours of full light the level is a mean, and today.
	levelHours, todayHours = 4., 0.5
	// As how many hours of full light counts what the user says, or darkness, and that today is as usual.
	levelPrior, todayPrior = 0.01, 0.1
	// The share of the sun to come that depth counts on, before and after today's light was seen.
	unseenShare, seenShare = 0.75, 0.85
	darkShare              = 0.02 // of full light
	brightShare            = 0.5  // of full light, in which today is seen at the latest
)

// level is what comes in at full light, in watts; stated is what the user says of it.
func (s *Sun) level(stated float64) float64 {
	return (s.Came + float64(levelPrior*stated)) / (s.Light + levelPrior)
}

// expected is what a time of the day is expected to bring, in watts, if today is as usual.
func (s *Sun) expected(hour, level float64) float64 {
	hour -= float64(24 * math.Floor(hour/24))
	if h := int(hour); s.Known>>h&1 != 0 {
		return s.Usual[h]
	}
	return level * clearLight(hour)
}

// mean is what a whole day is expected to bring, in watts.
func (s *Sun) mean(level float64) float64 {
	sum := 0.
	for h := range s.Usual {
		sum += s.expected(float64(h)+0.5, level)
	}
	return sum / float64(len(s.Usual))
}

// dark says that nothing comes in at a time of the day.
func (s *Sun) dark(hour float64) bool { return s.expected(hour, 1) <= darkShare }

// learn takes in what comes in now.
func (s *Sun) learn(watts, stated float64, now time.Time, hours float64) {
	hour := hourOf(now)
	if h := int(hour); h != s.Hour {
		if mean := s.Sum / max(s.Hours, 1e-9); s.Hours >= mostOfAnHour {
			if s.Known>>s.Hour&1 == 0 {
				s.Usual[s.Hour] = mean
			}
			s.Usual[s.Hour] += float64(dayWeight * (mean - s.Usual[s.Hour]))
			s.Known |= 1 << s.Hour
		}
		s.Hour, s.Sum, s.Hours = h, 0, 0
	}
	s.Sum += float64(watts * hours)
	s.Hours += hours

	light := clearLight(hour)
	square := float64(light*light) * hours
	keep := 1 - min(square/levelHours, 1)
	s.Came = float64(s.Came*keep) + float64(watts*light)*hours
	s.Light = float64(s.Light*keep) + square

	level := s.level(stated)
	due := s.expected(hour, level)
	if due <= float64(darkShare*level) {
		s.TodayCame, s.TodayDue = 0, 0
		return
	}
	square = float64(due*due) * hours
	keep = 1 - min(square/max(float64(todayHours*level)*level, 1e-9), 1)
	s.TodayCame = float64(s.TodayCame*keep) + float64(watts*due)*hours
	s.TodayDue = float64(s.TodayDue*keep) + square
}

// today is by how much today differs from what is expected, and in [0, 1] how sure that is.
func (s *Sun) today(level float64) (factor, sure float64) {
	prior := float64(todayPrior*level)*level + 1e-9
	return (s.TodayCame + prior) / (s.TodayDue + prior), s.TodayDue / (s.TodayDue + prior)
}

// unseen is how many hours it takes until the sun can be judged, 0 if it was seen
// today or will not be in time.
func (s *Sun) unseen(hour, level, within float64) float64 {
	if _, sure := s.today(level); sure >= 0.5 {
		return 0
	}
	const step = 0.25
	full := max(level, 1e-9)
	for after := 0.; after < min(within, 24); after += step {
		if s.expected(hour+after, full) >= float64(brightShare*full) {
			return after
		}
	}
	return 0
}

func hourOf(t time.Time) float64 {
	hour, minute, second := t.Clock()
	return float64(hour) + float64(minute)/60 + float64(second)/3600
}

// clearLight is the light of a clear sky, as a share of that at noon: it goes with
// the sine of the time between 6 and 18 o'clock.
func clearLight(hour float64) float64 {
	return sinHalf(min(max((hour-dawn)/daylight, 0), 1))
}

// sinHalf is about sin(πx) for x in [0, 1] (Bhaskara's approximation).
func sinHalf(x float64) float64 {
	p := x * (1 - x)
	return 16 * p / (5 - float64(4*p))
}
