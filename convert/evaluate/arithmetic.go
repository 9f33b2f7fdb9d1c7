package evaluate

import (
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/convert/graph"
)

// Arithmetic says whose rounding int8 nodes follow.
type Arithmetic int

const (
	// XNNPACK is what boards run: sums are scaled in float32 and rounded to
	// nearest, ties to even; additions in fixed point with 21-bit factors.
	XNNPACK Arithmetic = iota
	// Reference is TFLite's specification: a 31-bit fixed-point factor and a
	// shift, each of which rounds (gemmlowp's "double rounding").
	Reference
	// Builtin is what TFLite's own kernels do: as Reference, but in convolutions
	// and fully connected layers the shift rounds ties upwards, not away from zero.
	Builtin
)

func (a Arithmetic) String() string {
	switch a {
	case XNNPACK:
		return "XNNPACK"
	case Reference:
		return "reference"
	case Builtin:
		return "builtin"
	}
	return fmt.Sprintf("Arithmetic(%d)", int(a))
}

// code is QUANTIZE of one value.
func (a Arithmetic) code(v float32, s graph.Scale) int8 {
	var steps float64
	if a == XNNPACK {
		steps = math.RoundToEven(float64(v * (1 / s.Scale)))
	} else {
		steps = math.Round(float64(v / s.Scale))
	}
	return clamp(steps+float64(s.Zero), math.MinInt8, math.MaxInt8)
}

// clamp narrows a whole number; one that is not a number becomes the least.
func clamp(v, low, high float64) int8 {
	if !(v > low) {
		return int8(low)
	}
	return int8(min(v, high))
}

// fixed is a factor as a 31-bit fraction and a power of two.
type fixed struct {
	fraction int64
	shift    int // to the left if positive
}

// newFixed is TFLite's QuantizeMultiplier.
func newFixed(factor float64) fixed {
	fraction, shift := math.Frexp(factor)
	q := int64(math.Round(fraction * (1 << 31)))
	if q == 1<<31 {
		q, shift = q/2, shift+1
	}
	if shift < -31 {
		return fixed{}
	}
	return fixed{q, shift}
}

// double is TFLite's MultiplyByQuantizedMultiplier.
func (f fixed) double(x int64) int64 {
	return roundingShift(highMul(int64(int32(x<<max(f.shift, 0))), f.fraction), max(-f.shift, 0))
}

// upwards is double with the shift's ties rounded upwards.
func (f fixed) upwards(x int64) int64 {
	product := highMul(int64(int32(x<<max(f.shift, 0))), f.fraction)
	if f.shift >= 0 {
		return product
	}
	return (product + 1<<(-f.shift-1)) >> -f.shift
}

// highMul is gemmlowp's SaturatingRoundingDoublingHighMul; the one case that
// saturates needs a fraction of -2^31, which no factor has.
func highMul(x, fraction int64) int64 {
	product := x * fraction
	nudge := int64(1 << 30)
	if product < 0 {
		nudge = 1 - 1<<30
	}
	return (product + nudge) / (1 << 31)
}

// roundingShift is gemmlowp's RoundingDivideByPOT: ties away from zero.
func roundingShift(x int64, bits int) int64 {
	mask := int64(1)<<bits - 1
	threshold := mask >> 1
	if x < 0 {
		threshold++
	}
	shifted := x >> bits
	if x&mask > threshold {
		shifted++
	}
	return shifted
}

// rescale brings an exact sum to the output's scale, without its zero.
type rescale func(sum int64) float64

// rescale returns the rounding of sums of products (layers), or of other
// operators, by a factor that is given as the quotient of scales.
func (a Arithmetic) rescale(layer bool, numerator []float32, denominator float32) rescale {
	if a == XNNPACK {
		factor := numerator[0]
		for _, s := range numerator[1:] {
			factor *= s
		}
		factor /= denominator
		return func(sum int64) float64 { return math.RoundToEven(float64(float32(sum) * factor)) }
	}
	factor := float64(numerator[0])
	for _, s := range numerator[1:] {
		factor *= float64(s)
	}
	f := newFixed(factor / float64(denominator))
	if layer && a == Builtin {
		return func(sum int64) float64 { return float64(f.upwards(sum)) }
	}
	return func(sum int64) float64 { return float64(f.double(sum)) }
}

// bounds of the codes that a fused activation lets through.
func bounds(n *graph.Node) (low, high float64) {
	s := *n.Storage.Output
	at := func(v float32) float64 {
		return float64(s.Zero) + math.Round(float64(v/s.Scale))
	}
	low, high = math.MinInt8, math.MaxInt8
	switch n.Attrs.Activation {
	case graph.Relu:
		low = max(low, at(0))
	case graph.Relu6:
		low, high = max(low, at(0)), min(high, at(6))
	}
	return low, high
}
