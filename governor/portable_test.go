package governor

import (
	"math"
	"testing"
)

func TestPortableMathAgreesWithPackageMath(t *testing.T) {
	for x := -50.; x <= 50; x += 0.137 {
		if got, want := exp(x), math.Exp(x); math.Abs(got-want) > 4e-15*want {
			t.Errorf("exp(%g) = %g, want %g", x, got, want)
		}
		if got := ln(math.Exp(x)); math.Abs(got-x) > 1e-14*max(math.Abs(x), 1) {
			t.Errorf("ln(exp(%g)) = %g", x, got)
		}
		if got, want := tail(x/5), 0.5*math.Erfc(x/5/math.Sqrt2); math.Abs(got-want) > 1e-7 {
			t.Errorf("tail(%g) = %g, want %g", x/5, got, want)
		}
	}
	if exp(-1e9) <= 0 || math.IsInf(exp(1e9), 0) || tail(40) < 0 || tail(-40) > 1 {
		t.Error("the functions leave their range")
	}
}
