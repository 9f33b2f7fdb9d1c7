package preprocess

// tap is how one output position of one axis is mixed from a run of source
// positions: the first has weight first, the last has weight last, those
// between have weight mid. With n = 1 only first counts.
type tap struct {
	start, n         int
	first, mid, last uint32
}

// axis resamples one axis. The weights are whole numbers whose sum is den for
// every tap, so that sums are exact on every machine.
type axis struct {
	taps []tap
	den  uint32
}

// resample fills the axis for src positions brought to dst positions: averages
// by covered area when it shrinks, linear interpolation between pixel centres,
// clamped at the borders, when it grows. Taps are reused where they fit.
func (a *axis) resample(src, dst int) {
	if cap(a.taps) < dst {
		a.taps = make([]tap, dst)
	}
	a.taps = a.taps[:dst]
	if src >= dst {
		a.area(src, dst)
	} else {
		a.linear(src, dst)
	}
}

// area measures in units of g/dst of a source pixel, with the greatest common
// divisor g of src and dst: output i covers [i*src/g, (i+1)*src/g) and source
// pixel k covers [k*dst/g, (k+1)*dst/g).
func (a *axis) area(src, dst int) {
	g := gcd(src, dst)
	src, dst = src/g, dst/g
	a.den = uint32(src)
	for i := range a.taps {
		from, to := i*src, (i+1)*src
		first, last := from/dst, (to-1)/dst
		t := tap{start: first, n: last - first + 1, mid: uint32(dst)}
		if t.n == 1 {
			t.first = uint32(to - from)
		} else {
			t.first = uint32((first+1)*dst - from)
			t.last = uint32(to - last*dst)
		}
		a.taps[i] = t
	}
}

// linear measures in units of g/(2*dst) of a source pixel: the centre of output i
// lies ((2i+1)*src - dst)/g units right of the centre of source pixel 0.
func (a *axis) linear(src, dst int) {
	g, end := gcd(src, dst), src-1
	src, dst = src/g, dst/g
	unit := 2 * dst
	a.den = uint32(unit)
	for i := range a.taps {
		at := (2*i+1)*src - dst
		at = max(0, min(at, end*unit))
		k, rest := at/unit, at%unit
		if rest == 0 {
			a.taps[i] = tap{start: k, n: 1, first: uint32(unit)}
		} else {
			a.taps[i] = tap{start: k, n: 2, first: uint32(unit - rest), last: uint32(rest)}
		}
	}
}

// weight is the share of source position start+k, in units of 1/den.
func (t tap) weight(k int) uint32 {
	switch k {
	case 0:
		return t.first
	case t.n - 1:
		return t.last
	}
	return t.mid
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
