package sim

import (
	"math"
	"time"
)

// Bound is the yardstick of a case: the utility that nobody exceeds who knows the
// weather in advance and keeps the ceiling and the battery's goal, up to the
// length of its intervals and the luck of single frames.
//
// The problem is relaxed to a convex one. Within an interval any mix of rungs,
// frame periods and pauses is allowed, so utility is a concave function f of the
// busy share u (the hull of the rungs). Leakage and what the battery's resistance takes, which are convex, are replaced by
// tangents, the latter at the open voltage that the battery would have without inference; and the fan blows as hard as it
// may below the ceiling: each makes the board cooler or thriftier than it is. Then heat is linear in u, and for any prices λ ≥ 0 on the temperature of each interval and
// μ ≥ 0 on each joule
//
//	bound(λ, μ) = Σ max over u of (f(u) - price(λ, μ) · u) + λ · room + μ · energy
//
// is above every utility that keeps the limits (weak duality). The prices are
// found by alternating between a plan that goes as deep as they and the ceiling
// allow, and prices that explain the plan (complementary slackness); the lowest
// bound seen counts, and the best plan says how far it can be from the optimum.
type Bound struct {
	// Utility is the bound, and Plan what a plan reaches in the relaxed problem:
	// the relaxed optimum lies between.
	Utility, Plan float64
}

// problem is the relaxed problem of a case, by intervals.
type problem struct {
	seconds float64 // of an interval
	curves  []curve
	base    []float64 // temperature without any drive
	load    []float64 // drive of other programs
	room    []float64 // the ceiling, or what cannot be avoided
	solar   []float64 // watts

	// Per pole: how much of its rise remains after an interval, how much of it is in the
	// interval's mean, and its gain.
	decay, mean, gain []float64
	gamma             float64   // Σ (1 - mean) · gain
	leakAt, leakSlope []float64 // leak(T) ≥ leakAt + leakSlope · T: a tangent in each interval

	board                BoardModel
	battery              bool
	start, least, most   float64   // joules stored: at first, wanted at the end, when full
	resistance           []float64 // of the battery over its open voltage squared: what it takes of a watt squared
	lossAt, lossSlope    []float64 // resistance · watts² ≥ lossSlope · watts - lossAt: a tangent in each interval
	requestedPerInterval float64
}

// intervalSeconds keeps the number of intervals bounded.
func intervalSeconds(n int) int { return max(5, (n+2999)/3000) }

func (c *Case) relax() *problem {
	h := intervalSeconds(len(c.Weather))
	n := len(c.Weather) / h
	b := c.Board
	p := &problem{
		seconds: float64(h), board: b, requestedPerInterval: float64(h) * c.Objectives.FPS,
		curves: make([]curve, n), base: make([]float64, n), load: make([]float64, n), room: make([]float64, n), solar: make([]float64, n),
		leakAt: make([]float64, n), leakSlope: make([]float64, n),
		resistance: make([]float64, n+1), lossAt: make([]float64, n), lossSlope: make([]float64, n),
	}
	duty := 0.
	if b.Fan != nil {
		for _, l := range b.Fan.Levels {
			if l.OnCelsius <= c.CeilingCelsius {
				duty = l.Duty
			}
		}
	}
	for i, pole := range b.Poles {
		cooled := b.cooled(i, duty)
		tau := pole.Tau.Seconds() / cooled
		decay := math.Exp(-p.seconds / tau)
		mean := (1 - decay) * tau / p.seconds
		p.decay = append(p.decay, decay)
		p.mean = append(p.mean, mean)
		p.gain = append(p.gain, pole.GainKelvin/cooled)
		p.gamma += (1 - mean) * pole.GainKelvin / cooled
	}
	for k := range n {
		p.touch(k, c.CeilingCelsius)
		slow := 0.
		for _, w := range c.Weather[k*h : (k+1)*h] {
			p.base[k] += (b.IdleCelsius + w.AmbientCelsius - b.AmbientCelsius) / p.seconds
			p.load[k] += w.Load / p.seconds
			p.solar[k] += w.SolarShare * b.FullWatts / p.seconds
			slow += slowdown(w.Load) / p.seconds
		}
		quiet := c.Objectives.Quiet(c.Start.Add(time.Duration(k*h) * time.Second))
		p.curves[k] = c.curve(slow, p.load[k], quiet)
	}
	p.unavoidable(c.CeilingCelsius)
	if goal := c.Objectives.Battery; c.Battery != nil && (goal.Until != 0 || goal.For != 0) {
		p.battery = true
		p.most = c.Battery.CapacityWattHours * 3600
		p.start = storedShare(c.Battery.StartPercent/100) * p.most
		p.least = storedShare(goal.Reserve()/100) * p.most
		p.resist(c.Battery.ResistanceOhms)
		p.least += min(p.left(make([]float64, n)), 0) // what doing nothing leads to
	}
	return p
}

// touch lays the tangent of the leakage in interval k at a temperature.
func (p *problem) touch(k int, celsius float64) {
	if l := p.board.Leakage; l.Share > 0 {
		p.leakSlope[k] = (p.board.leak(celsius) + l.Share) / l.Kelvin
		p.leakAt[k] = p.board.leak(celsius) - p.leakSlope[k]*celsius
	}
}

// unavoidable sets the room: the ceiling, or where the board would be without us.
func (p *problem) unavoidable(ceiling float64) {
	rises := make([]float64, len(p.gain))
	celsius := p.base[0]
	for k := range p.base {
		// Leakage as it is, at the temperature before.
		q := p.load[k] + p.board.leak(celsius)
		celsius = p.base[k] + p.gamma*q
		for i := range rises {
			celsius += p.mean[i] * rises[i]
			rises[i] = p.decay[i]*rises[i] + (1-p.decay[i])*p.gain[i]*q
		}
		p.room[k] = max(ceiling, celsius)
	}
}

// celsius is the mean temperature of interval k at a total drive, and q, the
// drive with leakage, that goes with it.
func (p *problem) celsius(k int, rises []float64, drive float64) (celsius, q float64) {
	sum := p.base[k] + p.gamma*(drive+p.leakAt[k])
	for i, r := range rises {
		sum += p.mean[i] * r
	}
	celsius = sum / (1 - p.gamma*p.leakSlope[k])
	return celsius, drive + p.leakAt[k] + p.leakSlope[k]*celsius
}

func (p *problem) step(rises []float64, q float64) {
	for i := range rises {
		rises[i] = p.decay[i]*rises[i] + (1-p.decay[i])*p.gain[i]*q
	}
}

// watts is the board's power at a drive with leakage.
func (p *problem) watts(q float64) float64 {
	return p.board.IdleWatts + (p.board.FullWatts-p.board.IdleWatts)*q
}

// resist finds what the resistance takes at most of the open voltage that the
// battery can have: that without inference.
func (p *problem) resist(ohms float64) {
	p.energies(make([]float64, len(p.curves)), func(k int, energy, _ float64) {
		volts := openVolts(shareOfStored(energy / p.most))
		p.resistance[k] = ohms / (volts * volts)
	})
}

// energies lives through a plan of busy shares, and tells of each interval what is
// stored at its beginning and what leaves the cell, in watts.
func (p *problem) energies(plan []float64, each func(k int, energy, cell float64)) {
	rises := make([]float64, len(p.gain))
	energy := p.start
	for k, u := range plan {
		_, q := p.celsius(k, rises, utilisation(u, p.load[k]))
		p.step(rises, q)
		cell := cellWatts(p.watts(q), p.solar[k])
		each(k, energy, cell)
		energy = min(energy-(cell+p.loss(k, cell))*p.seconds, p.most)
	}
	each(len(plan), energy, 0)
}

// loss is what the battery's resistance takes while it gives some power.
func (p *problem) loss(k int, cell float64) float64 {
	cell = max(cell, 0)
	return p.resistance[k] * cell * cell
}

// left is by how much a plan of busy shares keeps the goal: what is stored at the
// end above what was wanted, or at the lowest point if that is less.
func (p *problem) left(plan []float64) float64 {
	lowest, last := p.start, p.start
	p.energies(plan, func(_ int, energy, _ float64) { lowest, last = min(lowest, energy), energy })
	return min(last-p.least, lowest)
}

// prices are what the limits cost, in correct frames.
type prices struct {
	heat   []float64 // per kelvin in each interval
	energy float64   // per joule in the cell
	slope  []float64 // joules out of the cell per joule of the board: which way the converter works, and what the battery loses
}

// Bound solves the relaxed problem.
func (c *Case) Bound() Bound {
	p := c.relax()
	n := len(p.curves)
	s := solver{problem: p, future: make([]float64, n), next: make([]float64, n), plan: make([]float64, n), rises: make([]float64, len(p.gain)), costs: make([]float64, len(p.gain))}
	s.prices = prices{heat: make([]float64, n), slope: make([]float64, n)}
	total := p.requestedPerInterval * float64(n)
	best := Bound{Utility: math.Inf(1)}
	// Every tangent gives a bound. The first touches at the ceiling, the next where the plan is.
	for range 2 {
		var b Bound
		if p.battery {
			b = s.solveBattery()
		} else {
			b.Utility, b.Plan = s.solve(0, 40)
		}
		if b.Utility < best.Utility {
			best = b
		}
		s.touchPlan()
	}
	return Bound{Utility: best.Utility / total, Plan: best.Plan / total}
}

type solver struct {
	*problem
	prices
	plan   []float64 // busy shares
	future []float64 // price of a unit of q in each interval through what it does later
	next   []float64
	rises  []float64
	costs  []float64
}

// solve finds prices of heat at a price of energy, and returns the lowest bound
// and the utility of the best plan, in correct frames. The bound is without the
// worth of the energy at hand; where energy has a price, the plan is the last.
func (s *solver) solve(energy float64, rounds int) (bound, plan float64) {
	s.energy = energy
	clear(s.future)
	bound, plan = math.Inf(1), math.Inf(-1)
	for round := range rounds {
		utility := s.forward()
		s.backward()
		bound = min(bound, s.dual())
		if energy > 0 {
			plan = utility
		} else if plan = max(plan, utility); bound-plan < 1e-4*plan {
			break
		}
		// Half way, or the plan and the prices chase each other.
		step := 1 / (1 + 0.15*float64(round))
		for k := range s.future {
			s.future[k] += step * (s.next[k] - s.future[k])
		}
	}
	return bound, plan
}

// touchPlan lays the tangents where the plan is.
func (s *solver) touchPlan() {
	clear(s.rises)
	for k, u := range s.plan {
		celsius, q := s.celsius(k, s.rises, utilisation(u, s.load[k]))
		s.step(s.rises, q)
		s.touch(k, celsius)
		if s.battery {
			cell := max(cellWatts(s.watts(q), s.solar[k]), 0)
			s.lossAt[k], s.lossSlope[k] = s.loss(k, cell), 2*s.resistance[k]*cell
		}
	}
}

// share is how much of the interval's drive one busy share is.
func (s *solver) share(k int) float64 { return 1 - s.load[k] }

// perQ is by how much more drive raises the drive with leakage.
func (s *solver) perQ(k int) float64 { return 1 / (1 - s.gamma*s.leakSlope[k]) }

// forward plans as deep as the prices and the ceiling allow, and returns the utility.
func (s *solver) forward() float64 {
	clear(s.rises)
	utility := 0.
	for k := range s.plan {
		f := s.curves[k]
		price := s.future[k] * s.perQ(k) * s.share(k) / s.requestedPerInterval
		wanted := f.best(price)
		cool, _ := s.celsius(k, s.rises, s.load[k])
		perBusy := s.gamma * s.perQ(k) * s.share(k)
		u := min(wanted, max((s.room[k]-cool)/perBusy, 0))
		s.heat[k] = 0
		if u < wanted-1e-12 {
			// The ceiling binds: its price is what is left of the worth of one more busy share.
			s.heat[k] = max(f.slope(u)-price, 0) * s.requestedPerInterval / perBusy
		}
		s.plan[k] = u
		utility += f.at(u) * s.requestedPerInterval
		_, q := s.celsius(k, s.rises, utilisation(u, s.load[k]))
		s.slope[k] = 1 / converterEfficiency
		if s.watts(q) < s.solar[k] {
			s.slope[k] = converterEfficiency
		}
		s.slope[k] *= 1 + s.lossSlope[k]
		s.step(s.rises, q)
	}
	return utility
}

// backward finds, from the last interval on, the price of heat that explains the
// plan, and what a unit of q costs through what it does later.
func (s *solver) backward() {
	clear(s.costs)
	dynamic := s.board.FullWatts - s.board.IdleWatts
	for k := len(s.plan) - 1; k >= 0; k-- {
		later := s.energy * s.slope[k] * dynamic * s.seconds
		for i, cost := range s.costs {
			later += cost * (1 - s.decay[i]) * s.gain[i]
		}
		s.next[k] = later
		if s.heat[k] > 0 {
			perBusy := s.gamma * s.perQ(k) * s.share(k)
			price := later * s.perQ(k) * s.share(k) / s.requestedPerInterval
			s.heat[k] = max(s.curves[k].slope(s.plan[k])-price, 0) * s.requestedPerInterval / perBusy
		}
		through := (s.heat[k] + later*s.leakSlope[k]) * s.perQ(k)
		for i := range s.costs {
			s.costs[i] = s.costs[i]*s.decay[i] + through*s.mean[i]
		}
	}
}

// dual is the bound at the prices, without the worth of the energy at hand.
func (s *solver) dual() float64 {
	clear(s.rises)
	sum := 0.
	for k := range s.plan {
		celsius, q := s.celsius(k, s.rises, s.load[k]) // without us
		s.step(s.rises, q)
		perBusy := (s.heat[k]*s.gamma + s.next[k]) * s.perQ(k) * s.share(k) / s.requestedPerInterval
		f := s.curves[k]
		u := f.best(perBusy)
		sum += (f.at(u) - perBusy*u) * s.requestedPerInterval
		sum += s.heat[k] * (s.room[k] - celsius)
		sum -= s.energy * (s.slope[k]*(s.watts(q)-s.solar[k]) - s.lossAt[k]) * s.seconds
	}
	return sum
}

// solveBattery looks for the price of a joule at which the plan just keeps the goal.
// The price is the same all the time, so the bound counts what a full battery spills.
func (s *solver) solveBattery() Bound {
	at := func(energy float64) (bound, plan, left float64) {
		bound, plan = s.solve(energy, 12)
		return bound + energy*(s.start-s.least), plan, s.left(s.plan)
	}
	bound, plan, left := at(0)
	if left >= 0 {
		return Bound{Utility: bound, Plan: plan}
	}
	best := bound
	// The most that a joule can be worth: all of a frame for the least that it costs.
	low, high := 0., 4*s.requestedPerInterval/((s.board.FullWatts-s.board.IdleWatts)*s.seconds*s.curves[0].points[1].busy)
	lowPlan, lowLeft := plan, left
	highPlan, highLeft := 0., s.left(make([]float64, len(s.plan)))
	for range 24 {
		middle := (low + high) / 2
		bound, plan, left := at(middle)
		best = min(best, bound)
		if left < 0 {
			low, lowPlan, lowLeft = middle, plan, left
		} else {
			high, highPlan, highLeft = middle, plan, left
		}
	}
	if highLeft <= lowLeft { // nothing can be done
		return Bound{Utility: best, Plan: highPlan}
	}
	// Between the two lies a mix that keeps the goal exactly.
	return Bound{Utility: best, Plan: highPlan + (lowPlan-highPlan)*highLeft/(highLeft-lowLeft)}
}
