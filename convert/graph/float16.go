package graph

import "math"

// MaxFloat16 is the largest finite float16.
const MaxFloat16 = 65504

// ToFloat16 rounds to the nearest IEEE 754 half precision number, ties to even.
func ToFloat16(v float32) uint16 {
	bits := math.Float32bits(v)
	sign := uint16(bits >> 16 & 0x8000)
	abs := bits & 0x7fffffff
	switch {
	case abs > 0x7f800000: // not a number
		return sign | 0x7e00
	case abs >= 0x47800000: // 65536 and above
		return sign | 0x7c00
	case abs >= 0x38800000: // normal; a carry out of the fraction rightly raises the exponent
		abs -= 0x38000000
		return sign | uint16((abs+0xfff+abs>>13&1)>>13)
	}
	// Subnormal: a whole number of 2^-24. The product is exact in float64.
	return sign | uint16(math.RoundToEven(math.Ldexp(float64(math.Float32frombits(abs)), 24)))
}

// FromFloat16 is the exact value of a half precision number.
func FromFloat16(h uint16) float32 {
	exponent, fraction := int(h>>10&0x1f), float64(h&0x3ff)
	var v float64
	switch exponent {
	case 0x1f:
		v = math.Inf(1)
		if fraction != 0 {
			v = math.NaN()
		}
	case 0:
		v = math.Ldexp(fraction, -24)
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if h&0x8000 != 0 {
		v = -v
	}
	return float32(v)
}
