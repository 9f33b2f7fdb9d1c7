package sim

import (
	"math"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/governor"
)

// bruteForce tries every plan that holds one of the given busy shares for a number
// of intervals at a time, on the board as it is: with its leakage, at its own
// temperature, and the battery's resistance, at its own voltage. It returns the
// best utility of those that keep the limits.
func bruteForce(p *problem, ohms float64, shares []float64, hold int) float64 {
	b := p.board
	best := math.Inf(-1)
	var try func(k int, rises []float64, energy, utility float64)
	try = func(k int, rises []float64, energy, utility float64) {
		if k >= len(p.curves) {
			if !p.battery || energy >= p.least {
				best = max(best, utility)
			}
			return
		}
		for _, u := range shares {
			r := append([]float64{}, rises...)
			e, sum, ok := energy, utility, true
			for i := k; i < min(k+hold, len(p.curves)) && ok; i++ {
				drive := utilisation(u, p.load[i])
				// The mean temperature with the leakage that belongs to it.
				celsius := p.base[i]
				var q float64
				for range 12 {
					q = drive + b.leak(celsius)
					celsius = p.base[i] + p.gamma*q
					for j := range r {
						celsius += p.mean[j] * r[j]
					}
				}
				ok = celsius <= p.room[i]+1e-9
				p.step(r, q)
				cell := cellWatts(p.watts(q), p.solar[i])
				if ohms > 0 {
					open := openVolts(shareOfStored(e / p.most))
					amps := (open - math.Sqrt(open*open-4*ohms*cell)) / (2 * ohms)
					cell = amps * open
				}
				e = min(e-cell*p.seconds, p.most)
				ok = ok && (!p.battery || e >= 0)
				sum += p.curves[i].at(u) * p.requestedPerInterval
			}
			if ok {
				try(k+hold, r, e, sum)
			}
		}
	}
	try(0, make([]float64, len(p.gain)), p.start, 0)
	return best / (p.requestedPerInterval * float64(len(p.curves)))
}

func TestBoundAgainstBruteForce(t *testing.T) {
	ladder := []Depth{{"a", 1, 0.6}, {"b", 3, 0.8}, {"c", 6, 0.9}}
	ramp := quiet("ramp", 8*time.Minute, 0, 0.9)
	ramp.Ambient = Signal{{Points: []SignalPoint{{0, 38}, {8 * time.Minute, 20}}}}
	busy := quiet("busy", 8*time.Minute, 30, 0.6)
	busy.Load = Signal{{Steps: []SignalPoint{{0, 0}, {3 * time.Minute, 0.5}, {5 * time.Minute, 0.1}}}}
	battery := quiet("battery", 8*time.Minute, 10, 0.9)
	battery.Battery = &TraceBattery{DeepestLasts: 6 * time.Minute, StartPercent: 90}
	battery.Objectives.Battery.For = 8 * time.Minute
	weak := battery
	weak.Name = "weak"
	weak.Battery = &TraceBattery{DeepestLasts: 6 * time.Minute, StartPercent: 90, ResistanceOhms: 0.04}
	sunny := battery
	sunny.Name = "sunny"
	sunny.Solar = Signal{{Steps: []SignalPoint{{0, 0}, {4 * time.Minute, 0.3}}}}

	shares := []float64{0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.9}
	for _, tt := range []struct {
		trace Trace
		board func() BoardModel
		// gap is what the coarse plans of the brute force may miss.
		gap float64
	}{
		{quiet("warm", 8*time.Minute, 32, 0.9), Pi4ClosedCase, 0.025},
		{quiet("warm", 8*time.Minute, 30, 0.9), Pi3SolidCase, 0.025},
		{ramp, Zero2Case, 0.025},
		{busy, Pi4ClosedCase, 0.025},
		{battery, Pi4Bare, 0.002},
		{sunny, Pi4Bare, 0.002},
		{weak, Pi4Bare, 0.01},
	} {
		t.Run(tt.trace.Name, func(t *testing.T) {
			c := newCase(t, Setup{Board: tt.board(), Trace: tt.trace, Ladder: ladder, CeilingCelsius: 72})
			bound := c.Bound()
			ohms := 0.
			if c.Battery != nil {
				ohms = c.Battery.ResistanceOhms
			}
			best := bruteForce(c.relax(), ohms, shares, 24) // 24 intervals of 5 s
			t.Logf("bound %.4f, plan %.4f, best of %.0f plans %.4f", bound.Utility, bound.Plan, math.Pow(float64(len(shares)), 4), best)
			if best > bound.Utility+1e-9 {
				t.Errorf("a plan reaches %.4f, above the bound of %.4f", best, bound.Utility)
			}
			if bound.Utility-best > tt.gap {
				t.Errorf("bound %.4f, best plan %.4f: want it within %g", bound.Utility, best, tt.gap)
			}
			if bound.Plan > bound.Utility+1e-9 || bound.Utility-bound.Plan > 0.005 {
				t.Errorf("bound %.4f, own plan %.4f: want it below by at most 0.005", bound.Utility, bound.Plan)
			}
		})
	}
}

// Where nothing limits, the bound is the deepest rung in time.
func TestBoundOfACoolBoard(t *testing.T) {
	c := newCase(t, Setup{Trace: quiet("cool", time.Hour, -20, 0.5)})
	b := c.Bound()
	near(t, "bound", b.Utility, 0.905, 1e-4)
	near(t, "plan", b.Plan, 0.905, 1e-4)
}

// No fixed depth that keeps the limits is above the bound, but for the luck of single frames.
func TestNoFixedDepthIsAboveTheBound(t *testing.T) {
	for _, name := range []string{"sealed-noon", "build-jobs"} {
		trace, err := FindTrace(name)
		if err != nil {
			t.Fatal(err)
		}
		trace.Duration = 40 * time.Minute
		for _, board := range []func() BoardModel{Pi4ClosedCase, Pi5Cooler} {
			all, err := Compare(t.Context(), []Setup{{Board: board(), Trace: trace}}, CompareOptions{Policies: []governor.Spec{{Name: governor.StepwiseName}}})
			if err != nil {
				t.Fatal(err)
			}
			r := all[0]
			for i, a := range append(r.Fixed, r.Policies...) {
				if a.Meets(r.Limits(0)) && a.Utility() > r.Bound.Utility+0.001 {
					t.Errorf("%s on %s: account %d has %.4f, bound %.4f", name, r.Case.Board.Name, i, a.Utility(), r.Bound.Utility)
				}
			}
			if r.Fixed[r.Best].Utility() < r.Fixed[0].Utility() {
				t.Errorf("%s: the best fixed depth is below the shallowest", name)
			}
		}
	}
}

func TestHullIsConcaveAndAbove(t *testing.T) {
	points := []curvePoint{{0, 0}, {0.2, 0.5}, {0.3, 0.4}, {0.5, 0.7}, {0.5, 0.75}, {0.6, 0.76}, {0.9, 0.9}, {1, 0.85}}
	f := curve{hull(append([]curvePoint{}, points...))}
	for _, p := range points {
		if f.at(p.busy) < p.utility-1e-12 {
			t.Errorf("at %g: %g, below the point %g", p.busy, f.at(p.busy), p.utility)
		}
	}
	before := math.Inf(1)
	for x := 0.; x < 1; x += 0.01 {
		if s := f.slope(x); s > before+1e-12 {
			t.Errorf("the slope rises at %g", x)
		} else {
			before = s
		}
	}
}
