package preprocess

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestQuantize(t *testing.T) {
	q := Quantization{Scale: 0.5, ZeroPoint: -3}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	values := []float32{0, 0.25, -0.25, 0.24, 1, -1.3, 65, 65.1, 1e30, -62.5, -63, inf, -inf, nan}
	want := []int8{-3, -2, -4, -3, -1, -6, 127, 127, 127, -128, -128, 127, -128, -3}
	got := make([]int8, len(values))
	q.Quantize(got, values)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Every code comes back as itself, on scales that are no powers of two.
func TestQuantizeRoundTrip(t *testing.T) {
	for _, q := range []Quantization{{0.1, 0}, {4. / 255, -1}, {3e-9, 127}, {7e12, -128}} {
		codes, again := make([]int8, 256), make([]int8, 256)
		for i := range codes {
			codes[i] = int8(i - 128)
		}
		real := make([]float32, 256)
		q.Dequantize(real, codes)
		q.Quantize(again, real)
		if diff := cmp.Diff(codes, again); diff != "" {
			t.Errorf("%+v: -want +got:\n%s", q, diff)
		}
	}
}

func TestQuantizationValidate(t *testing.T) {
	for _, q := range []Quantization{{0, 0}, {-1, 0}, {float32(math.NaN()), 0}, {float32(math.Inf(1)), 0}, {1, 128}, {1, -129}} {
		if q.Validate() == nil {
			t.Errorf("%+v passes", q)
		}
	}
	if err := (Quantization{1, -128}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestRange(t *testing.T) {
	s := Spec{Mean: [3]float32{0.5, 0.25, 0}, Std: [3]float32{0.25, 0.25, 0.5}}
	if low, high := s.Range(); low != -2 || high != 3 {
		t.Errorf("range %g to %g, want -2 to 3", low, high)
	}
}

// rounded is the definition.
func rounded(q Quantization, v float32) int8 {
	if v != v {
		return int8(q.ZeroPoint)
	}
	return int8(max(math.MinInt8, min(math.Round(float64(v/q.Scale))+float64(q.ZeroPoint), math.MaxInt8)))
}

func FuzzQuantize(f *testing.F) {
	f.Add(float32(0.5), float32(1), 0)
	f.Add(float32(0.49999997), float32(1), -128)
	f.Add(float32(-1e-40), float32(1e-3), 127)
	f.Add(float32(255.5), float32(1), -128)
	f.Fuzz(func(t *testing.T, v, scale float32, zero int) {
		q := Quantization{scale, zero}
		if q.Validate() != nil {
			return
		}
		got := make([]int8, 1)
		q.Quantize(got, []float32{v})
		if want := rounded(q, v); got[0] != want {
			t.Fatalf("%v at %+v is %d, want %d", v, q, got[0], want)
		}
	})
}

func BenchmarkQuantize(b *testing.B) {
	q, values := Quantization{Scale: 0.0186, ZeroPoint: -14}, make([]float32, 150528)
	for i := range values {
		values[i] = float32(i%255)/50 - 2.1
	}
	codes := make([]int8, len(values))
	for b.Loop() {
		q.Quantize(codes, values)
	}
}
