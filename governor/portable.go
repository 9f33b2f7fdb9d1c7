package governor

import "math"

// The functions of package math are not the same bits on every architecture,
// and a log has to replay on any machine. These are, to about 1e-15 relative.

// exp is e to the power of x; x is cut to ±700.
func exp(x float64) float64 {
	const ln2High, ln2Low = 6.93147180369123816490e-01, 1.90821492927058770002e-10
	x = min(max(x, -700), 700)
	k := math.Floor(float64(x*(1/math.Ln2)) + 0.5)
	r := x - float64(k*ln2High) - float64(k*ln2Low)
	sum := 0.
	for _, c := range inverseFactorials { // Horner's form of the Taylor series
		sum = c + float64(r*sum)
	}
	return math.Ldexp(sum, int(k))
}

// ln is the natural logarithm of a positive number.
func ln(x float64) float64 {
	fraction, exponent := math.Frexp(x)
	if fraction < math.Sqrt2/2 {
		fraction *= 2
		exponent--
	}
	s := (fraction - 1) / (fraction + 1)
	square, sum := s*s, 0.
	for _, c := range inverseOdds { // 2·artanh(s)
		sum = c + float64(square*sum)
	}
	product := float64(2 * s * sum)
	return product + float64(float64(exponent)*math.Ln2)
}

// From the highest power down.
var (
	inverseFactorials = [...]float64{1. / 6227020800, 1. / 479001600, 1. / 39916800, 1. / 3628800, 1. / 362880, 1. / 40320,
		1. / 5040, 1. / 720, 1. / 120, 1. / 24, 1. / 6, 1. / 2, 1, 1}
	inverseOdds = [...]float64{1. / 23, 1. / 21, 1. / 19, 1. / 17, 1. / 15, 1. / 13, 1. / 11, 1. / 9, 1. / 7, 1. / 5, 1. / 3, 1}
)

// quantile is the z whose tail has a probability in (0, 0.5].
func quantile(probability float64) float64 {
	low, high := 0., 8.
	for range 40 {
		if middle := (low + high) / 2; tail(middle) > probability {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// tail is the probability that a standard normal variable exceeds z
// (Abramowitz and Stegun 26.2.17, absolute error below 1e-7).
func tail(z float64) float64 {
	if z < 0 {
		return 1 - tail(-z)
	}
	t := 1 / (1 + float64(0.2316419*z))
	sum := 0.
	for _, b := range [...]float64{1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.319381530} {
		sum = t * (b + sum)
	}
	density := exp(-0.5*float64(z*z)) / math.Sqrt(2*math.Pi)
	return min(float64(density*sum), 0.5)
}
