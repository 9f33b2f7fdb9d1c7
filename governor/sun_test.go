package governor

import (
	"math"
	"testing"
	"time"
)

func TestOpenVoltageAndItsInverse(t *testing.T) {
	for percent := 0.; percent <= 100; percent += 0.7 {
		if back := percentAt(voltsAt(percent)); math.Abs(back-percent) > 1e-9 {
			t.Errorf("%g %%: %g back", percent, back)
		}
	}
	if stored(0) != 0 || math.Abs(stored(100)-1) > 1e-12 {
		t.Errorf("stored: %g empty and %g full", stored(0), stored(100))
	}
	if slope, want := (stored(50.5)-stored(49.5))*100, voltsAt(50)/meanVolts; math.Abs(slope-want) > 1e-3 {
		t.Errorf("a percent at 50 holds %g of the mean, want %g", slope, want)
	}
}

// shine lives through some hours in which a panel brings watts times the light
// between two times of the day.
func shine(s *Sun, from time.Time, hours, watts, stated, dawn, dusk float64) time.Time {
	until := from.Add(time.Duration(hours * float64(time.Hour)))
	for now := from; now.Before(until); now = now.Add(10 * time.Second) {
		s.learn(watts*sinHalf(min(max((hourOf(now)-dawn)/(dusk-dawn), 0), 1)), stated, now, 10./3600)
	}
	return until
}

func TestSunIsLearned(t *testing.T) {
	midnight := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	var s Sun
	now := shine(&s, midnight, 5, 0, 0, 4.5, 19.5)
	if got := s.level(0); got != 0 || !s.dark(hourOf(now)) {
		t.Errorf("by night, with nothing said: %g W, dark %v", got, s.dark(hourOf(now)))
	}
	if wait := s.unseen(5, 0, 9); wait < 2.5 || wait > 3.5 {
		t.Errorf("judged %g h after five, want about 3", wait)
	}
	now = shine(&s, now, 5, 4, 0, 4.5, 19.5)
	if got := s.level(0); got < 3.5 || got > 5 {
		t.Errorf("by ten: %g W at full light, want about 4", got)
	}
	if _, sure := s.today(s.level(0)); sure < 0.5 || s.unseen(hourOf(now), s.level(0), 9) != 0 {
		t.Errorf("by ten: sure by %g", sure)
	}
	now = shine(&s, now, 19, 4, 0, 4.5, 19.5) // until five the next day
	level := s.level(0)
	for _, hour := range []float64{5.5, 9.5, 12.5, 18.5, 23.5, 36.5} {
		want := 4 * sinHalf(min(max((math.Mod(hour, 24)-4.5)/15, 0), 1))
		if got := s.expected(hour, level); math.Abs(got-want) > 0.05 {
			t.Errorf("expected at %g on the next day: %g W, want %g", hour, got, want)
		}
	}
	now = shine(&s, now, 4, 1, 0, 4.5, 19.5) // a dull one
	if factor, sure := s.today(s.level(0)); factor > 0.45 || sure < 0.5 {
		t.Errorf("on a day of a quarter of the light: %g of what is usual, sure by %g", factor, sure)
	}
	_ = now
}

func TestStatedSunIsDoubtedByDarkness(t *testing.T) {
	var s Sun
	const stated = 4
	now := time.Date(2026, 5, 1, 5, 0, 0, 0, time.UTC)
	if got := s.level(stated); got != stated {
		t.Errorf("before dawn: %g W", got)
	}
	shine(&s, now, 3, 0, stated, 6, 18)
	if got := s.level(stated); got > 1 {
		t.Errorf("dark until eight: still %g W", got)
	}
}

func TestFunnel(t *testing.T) {
	for _, tt := range []struct {
		name       string
		left, room []float64 // at 1, 2 h
		end, want  float64
	}{
		{"evenly", []float64{10, 10}, []float64{20, 20}, 10, 5},
		{"what comes late cannot be spent before", []float64{2, 20}, []float64{20, 20}, 20, 2},
		{"what would overflow is spent before", []float64{12, 12}, []float64{4, 12}, 12, 8},
		{"nothing left", []float64{-1, -1}, []float64{20, 20}, -1, 0},
	} {
		f := widest
		for i := range tt.left {
			f.narrow(tt.left[i], tt.room[i], float64(i+1))
		}
		if got := f.end(tt.end, 2); got != tt.want {
			t.Errorf("%s: %g W, want %g", tt.name, got, tt.want)
		}
	}
}

func TestFramesAreKeptUntilTheSunWasSeen(t *testing.T) {
	const least, full = 2., 2.4 // W
	night := time.Date(2026, 5, 1, 4, 0, 0, 0, time.UTC)
	rate := func(charge float64, b Battery) (p planned) {
		b.CapacityWattHours = 20
		e := Energy{Watts: [2]float64{2, 3}, Cov: [3]float64{1, 0, 1}, Converter: 1, Charge: charge}
		p, ok := e.plan(Input{Now: night, Objectives: Objectives{FPS: 5, Battery: b}}, least, full)
		if !ok {
			t.Fatal("no goal")
		}
		return p
	}
	until := Battery{Until: ClockAt(12, 0)} // 16 Wh at the least
	if p := rate(95, until); p.rate < full {
		t.Errorf("with charge to spare: %g W", p.rate)
	}
	if p := rate(84.6, until); p.rate > least+0.2 {
		t.Errorf("with what the least rate needs and no more: %g W, want about %g", p.rate, least)
	}
	if p := rate(60, until); p.rate <= full {
		t.Errorf("where only the sun can keep the goal: %g W, want more than %g", p.rate, full)
	}
	if p := rate(60, Battery{Until: ClockAt(5, 30)}); p.rate < full {
		t.Errorf("a goal before the sun: %g W", p.rate)
	}
	dark, stated := rate(60, until), rate(60, Battery{Until: ClockAt(12, 0), SolarWattHours: 20})
	if stated.depth <= dark.depth {
		t.Errorf("a stated yield: %g W, and %g without", stated.depth, dark.depth)
	}
}

// A percent of the charge is lent to the rate, never to the depth, and not below what the account may be off.
func TestReserveIsLentToFrames(t *testing.T) {
	plan := func(charge, reserve float64) planned {
		e := Energy{Converter: 1, Charge: charge, Watts: [2]float64{2, 3}}
		in := Input{Now: start, Objectives: Objectives{FPS: 5, Battery: Battery{For: time.Hour, CapacityWattHours: 100, ReservePercent: reserve}}}
		p, ok := e.plan(in, 1, 2)
		if !ok {
			t.Fatal("no goal")
		}
		return p
	}
	for _, tt := range []struct {
		charge, reserve float64
		lent            bool
	}{
		{50, 10, true}, {10, 10, true}, {50, 1, true}, {50, 0.1, false},
	} {
		p := plan(tt.charge, tt.reserve)
		if got := p.rate - p.depth; tt.lent && (got < 0.6 || got > 1.1) || !tt.lent && got > 0.2 {
			t.Errorf("charge %g %%, reserve %g %%: the rate may have %g W more than the depth", tt.charge, tt.reserve, got)
		}
	}
}

func TestSagIsCorrectedAtAnyCharge(t *testing.T) {
	const ohms = 0.06
	for _, percent := range []float64{8, 30, 60, 95} {
		var e Energy
		e.begin("")
		var got float64
		for i := range 200 {
			e.Flow = 3 + 3*float64(i/5%2)
			volts := voltsAt(percent)
			for range 20 { // the current depends on the voltage
				volts = voltsAt(percent) - ohms*e.Flow/volts
			}
			got = e.level(percentAt(volts))
		}
		if math.Abs(got-percent) > 0.5 {
			t.Errorf("at %g %%: %g %%", percent, got)
		}
	}
}

func TestPlanKeepsHalfAStepOfTheGauge(t *testing.T) {
	in := Input{Now: start, Objectives: Objectives{FPS: 5, Battery: Battery{For: time.Hour, CapacityWattHours: 10}}}
	fine := Energy{Converter: 1, Charge: 40, Watts: [2]float64{2, 3}, Step: 0.01}
	coarse := fine
	coarse.Step = 2
	a, _ := fine.plan(in, 1, 2)
	b, _ := coarse.plan(in, 1, 2)
	if less := a.depth - b.depth; less < 0.07 || less > 0.13 {
		t.Errorf("a gauge in steps of 2 %% of 10 Wh takes %g W off an hour's plan, want about 0.1 less what the cell's voltage is", less)
	}
}

// Readings that may be older than the work teach nothing of how it heats.
func TestSilenceOfAnOldThermometerTeachesNothing(t *testing.T) {
	var m Thermal
	m.begin(40)
	gains := m.Theta[1:]
	want := [nPoles]float64(gains)
	for range longestLag {
		m.advance(1, 1)
		m.observe(40, 1)
	}
	if [nPoles]float64(m.Theta[1:]) != want {
		t.Errorf("gains %v, want those of the prior, %v", m.Theta[1:], want)
	}
	for range lagSettled - longestLag - 1 {
		m.advance(1, float64(m.Updates/2%2))
		m.observe(40, 1)
	}
	if m.Theta[1] < priorGain[0]/2 {
		t.Errorf("the die heats by %g K only, before it is known how old the readings are", m.Theta[1])
	}
}
