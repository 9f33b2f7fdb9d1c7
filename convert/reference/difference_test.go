package reference

import (
	"math"
	"testing"
)

func TestMaxDifference(t *testing.T) {
	nan := float32(math.NaN())
	for _, tc := range []struct {
		a, b []float32
		want float64
	}{
		{[]float32{1, 2}, []float32{1, 2.5}, 0.5}, {[]float32{1}, nil, math.Inf(1)}, {[]float32{1, nan}, []float32{1, 2}, math.Inf(1)},
	} {
		if got := MaxDifference(tc.a, tc.b); got != tc.want {
			t.Errorf("%v against %v: %v, want %v", tc.a, tc.b, got, tc.want)
		}
	}
}
