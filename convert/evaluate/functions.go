package evaluate

import "math"

// The functions below are exact to about 1e-15 (erf: 2e-7) and give the same
// bits everywhere: every product is rounded by an explicit conversion before it
// is added to anything.

// exp is computed as 2^k * e^r with |r| <= ln(2)/2 and Taylor's series.
func exp(x float64) float64 {
	switch {
	case x > 709:
		return math.Inf(1)
	case x < -745:
		return 0
	}
	const high, low = 6.93147180369123816490e-01, 1.90821492927058770002e-10 // ln 2 in two parts
	k := math.Round(float64(x * (1 / math.Ln2)))
	r := x - float64(k*high) - float64(k*low)
	sum := 1.0
	for i := 13; i > 0; i-- {
		sum = 1 + float64(float64(r*sum)/float64(i))
	}
	return math.Ldexp(sum, int(k))
}

func sigmoid(x float64) float64 { return 1 / (1 + exp(-x)) }

func tanh(x float64) float64 {
	if x < 0 {
		return -tanh(-x)
	}
	return 1 - 2/(1+exp(2*x))
}

// logarithm is ln(2^k*m) with m in [sqrt(1/2), sqrt(2)), by the series of artanh.
func logarithm(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return math.Log(x) // infinite or not a number, everywhere alike
	}
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = 2*m, k-1
	}
	t := (m - 1) / (m + 1)
	square := float64(t * t)
	sum := 0.0
	for i := 21; i > 0; i -= 2 {
		sum = float64(sum*square) + 1/float64(i)
	}
	return float64(float64(2*t)*sum) + float64(float64(k)*math.Ln2)
}

// erf after Abramowitz and Stegun, formula 7.1.26.
func erf(x float64) float64 {
	if x < 0 {
		return -erf(-x)
	}
	t := 1 / (1 + float64(0.3275911*x))
	sum := 1.061405429
	for _, a := range [...]float64{-1.453152027, 1.421413741, -0.284496736, 0.254829592} {
		sum = float64(sum*t) + a
	}
	return 1 - float64(float64(sum*t)*exp(-float64(x*x)))
}

func gelu(x float64) float64 {
	return float64(float64(0.5*x) * (1 + erf(x/math.Sqrt2)))
}

func geluTanh(x float64) float64 {
	cube := float64(float64(x*x) * x)
	inner := float64(math.Sqrt(2/math.Pi) * (x + float64(0.044715*cube)))
	return float64(float64(0.5*x) * (1 + tanh(inner)))
}
