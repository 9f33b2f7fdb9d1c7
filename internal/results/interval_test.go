package results

import "testing"

func TestMedianInterval(t *testing.T) {
	var values []float64
	for i := range 101 {
		values = append(values, float64((i*37)%101))
	}
	got := MedianInterval(values)
	// The median of 101 values in a row: order statistics 40 and 60 bound it (binomial, 95 %).
	if got.Median != 50 || got.Low < 36 || got.Low > 44 || got.High < 56 || got.High > 64 {
		t.Errorf("median %v, 95 %% interval %v … %v", got.Median, got.Low, got.High)
	}
	if one := MedianInterval([]float64{3}); one.Median != 3 || one.Low != 3 || one.High != 3 {
		t.Errorf("of one value: %+v", one)
	}
	if m := Median([]float64{4, 1, 3, 2}); m != 2.5 {
		t.Errorf("median of four %v", m)
	}
}
