package evaluate

import (
	"math"
	"testing"
)

func TestFunctions(t *testing.T) {
	for name, f := range map[string]struct {
		got, want func(float64) float64
		tolerance float64 // relative to 1 + |want|
	}{
		"exp":     {exp, math.Exp, 1e-14},
		"tanh":    {tanh, math.Tanh, 1e-14},
		"sigmoid": {sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 1e-14},
		"erf":     {erf, math.Erf, 2e-7},
		"log":     {func(x float64) float64 { return logarithm(math.Abs(x)) }, func(x float64) float64 { return math.Log(math.Abs(x)) }, 1e-14},
		"gelu":    {gelu, func(x float64) float64 { return 0.5 * x * (1 + math.Erf(x/math.Sqrt2)) }, 1e-6},
	} {
		for x := -30.0; x <= 30; x += 0.0371 {
			if got, want := f.got(x), f.want(x); math.Abs(got-want) > f.tolerance*(1+math.Abs(want)) {
				t.Errorf("%s(%g) = %g, want %g", name, x, got, want)
				break
			}
		}
	}
	for _, c := range []struct{ got, want float64 }{
		{exp(1000), math.Inf(1)}, {exp(-1000), 0}, {tanh(400), 1}, {tanh(-400), -1}, {logarithm(0), math.Inf(-1)},
	} {
		if c.got != c.want {
			t.Errorf("%g, want %g", c.got, c.want)
		}
	}
}

// TestFixed compares with the real product; factor and shift each round.
func TestFixed(t *testing.T) {
	for _, factor := range []float64{1e-6, 0.0123, 0.3, 0.5, 0.999999999999, 1, 1.7, 40} {
		f := newFixed(factor)
		for _, x := range []int64{-100000, -77, -1, 0, 1, 63, 99999} {
			if got := float64(f.double(x)); math.Abs(got-factor*float64(x)) > 1 {
				t.Errorf("%d * %g = %g", x, factor, got)
			}
			if got := float64(f.upwards(x)); math.Abs(got-factor*float64(x)) > 1 {
				t.Errorf("upwards: %d * %g = %g", x, factor, got)
			}
		}
	}
	// Ties: 10 quarters, away from zero and upwards.
	quarter := newFixed(0.25)
	if got := [4]int64{quarter.double(10), quarter.double(-10), quarter.upwards(10), quarter.upwards(-10)}; got != [4]int64{3, -3, 3, -2} {
		t.Errorf("ties round to %v", got)
	}
	if f := newFixed(1e-12); f.double(1<<30) != 0 {
		t.Error("a factor below 2^-32 is nothing")
	}
}
