package quant

import (
	"math"

	"github.com/fathom-edge/fathom/convert/graph"
)

// Method chooses the range of a tensor from what calibration saw of it.
type Method string

const (
	// MinMax covers all that was seen.
	MinMax Method = "min-max"
	// Percentile leaves out the outermost 0.01 % of the values on either side.
	Percentile Method = "percentile"
	// MSE shrinks the range as long as the mean squared error of rounding and
	// clipping, by the histogram, becomes smaller.
	MSE Method = "mse"
)

// Methods lists all methods.
func Methods() []Method { return []Method{MinMax, Percentile, MSE} }

const (
	outside   = 1e-4 // of Percentile, on either side
	mseSteps  = 64   // ranges that MSE tries for either end
	mseStep   = 0.95 // of the one before
	codes     = 255  // steps between the least and the greatest code
	leastCode = math.MinInt8
)

// interval is a range of real numbers that holds zero.
type interval struct{ low, high float64 }

func (i interval) width() float64 { return i.high - i.low }

func (i interval) union(j interval) interval {
	return interval{min(i.low, j.low), max(i.high, j.high)}
}

// choose applies the method.
func (m Method) choose(s *stats) interval {
	all := interval{float64(s.low), float64(s.high)}
	switch m {
	case Percentile:
		return s.percentile(all)
	case MSE:
		return s.mse(all)
	}
	return all
}

func (s *stats) percentile(all interval) interval {
	var total int64
	for _, c := range s.histogram {
		total += c
	}
	skip := int64(outside * float64(total))
	step := all.width() / bins
	first, last := 0, bins-1
	for seen := s.histogram[first]; seen <= skip && first < bins-1; seen += s.histogram[first] {
		first++
	}
	for seen := s.histogram[last]; seen <= skip && last > 0; seen += s.histogram[last] {
		last--
	}
	cut := interval{min(all.low+float64(float64(first)*step), 0), max(all.low+float64(float64(last+1)*step), 0)}
	if !(cut.width() > 0) {
		return all
	}
	return cut
}

// mse shrinks the farther end first, then the other, by mseStep a time.
func (s *stats) mse(all interval) interval {
	best := all
	least := s.error(all, all)
	shrink := func(end func(*interval) *float64) {
		r := best
		for range mseSteps {
			*end(&r) *= mseStep
			if e := s.error(all, r); e < least {
				best, least = r, e
			}
		}
	}
	low, high := func(r *interval) *float64 { return &r.low }, func(r *interval) *float64 { return &r.high }
	if -all.low > all.high {
		low, high = high, low
	}
	shrink(high)
	shrink(low)
	return best
}

// error is the sum of squared differences that a range causes; a bin stands for
// the values at its centre.
func (s *stats) error(all, r interval) float64 {
	scale := r.scale()
	step := all.width() / bins
	sum := 0.0
	for i, count := range s.histogram {
		if count == 0 {
			continue
		}
		x := all.low + float64((float64(i)+0.5)*step)
		code := math.RoundToEven(x/float64(scale.Scale)) + float64(scale.Zero)
		code = min(max(code, math.MinInt8), math.MaxInt8)
		d := x - float64(float64(scale.Scale)*(code-float64(scale.Zero)))
		sum += float64(float64(d*d) * float64(count))
	}
	return sum
}

// scale puts the range's ends at the least and the greatest code, moved so that
// zero is a code.
func (i interval) scale() graph.Scale {
	scale := float32(i.width() / codes)
	zero := math.RoundToEven(leastCode - i.low/float64(scale))
	return graph.Scale{Scale: scale, Zero: int(min(max(zero, math.MinInt8), math.MaxInt8))}
}
