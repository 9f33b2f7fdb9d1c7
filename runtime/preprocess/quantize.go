package preprocess

import (
	"fmt"
	"math"
)

// Quantization says which real number an int8 stands for: Scale*(q - ZeroPoint).
type Quantization struct {
	Scale     float32 `json:"scale"`
	ZeroPoint int     `json:"zero_point"`
}

// Validate reports parameters with which nothing could be quantized.
func (q Quantization) Validate() error {
	if !finite(q.Scale) || q.Scale <= 0 {
		return fmt.Errorf("preprocess: quantization scale is %v: must be a finite number above 0", q.Scale)
	}
	if q.ZeroPoint < math.MinInt8 || q.ZeroPoint > math.MaxInt8 {
		return fmt.Errorf("preprocess: zero point is %d: must be -128 to 127", q.ZeroPoint)
	}
	return nil
}

// Quantize writes the nearest int8 of each value, halves away from zero (as
// TFLite's QUANTIZE), to dst; both have one length. Values beyond the ends of
// the scale become the ends, and a value that is not a number the zero point.
func (q Quantization) Quantize(dst []int8, src []float32) {
	for i, v := range src {
		dst[i] = q.code(v)
	}
}

func (q Quantization) code(v float32) int8 {
	steps := float64(v / q.Scale)
	switch {
	case steps > -256 && steps < 256:
		// A float32 and the half are exact in float64, so that cutting off the rest
		// rounds halves away from zero.
		code := int32(steps+math.Copysign(0.5, steps)) + int32(q.ZeroPoint)
		return int8(max(math.MinInt8, min(code, math.MaxInt8)))
	case steps > 0:
		return math.MaxInt8
	case steps < 0:
		return math.MinInt8
	}
	return int8(q.ZeroPoint) // not a number
}

// Dequantize writes the real number of each int8 to dst, of the same length.
func (q Quantization) Dequantize(dst []float32, src []int8) {
	for i, v := range src {
		dst[i] = q.Scale * float32(int(v)-q.ZeroPoint)
	}
}

// Range is the least and the greatest value that a tensor of the spec can hold.
func (s Spec) Range() (low, high float32) {
	low, high = (0-s.Mean[0])/s.Std[0], (1-s.Mean[0])/s.Std[0]
	for c := range 3 {
		low = min(low, (0-s.Mean[c])/s.Std[c])
		high = max(high, (1-s.Mean[c])/s.Std[c])
	}
	if s.Fit == FitLetterbox {
		low, high = min(low, 0), max(high, 0)
	}
	return low, high
}
