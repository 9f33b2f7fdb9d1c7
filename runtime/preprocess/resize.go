package preprocess

// Resampling is exact: each axis has whole weights, so that the value of a colour
// is sum/den with sum = Σ wy·wx·p and den = 255·Σwx·Σwy, whole numbers both. Two
// ways lead there, to the last bit the same:
//
//   - narrow, where the sums along a row fit the lanes of a pixel and those of
//     the whole window fit 32 bits: one multiplication for two or three colours;
//   - wide, for the rest (a window of 3001x2001 pixels brought to 224x224, say).

// narrow reports whether frames with these axes can be resampled the fast way.
func narrow(x, y *axis) bool {
	return 255*uint64(x.den) <= lane && 255*uint64(x.den)*uint64(y.den) < 1<<32
}

// mixNarrow resamples a row of pixels. A position of dst takes two words: red and
// green in the halves of the first, blue in the second.
func (a *axis) mixNarrow(dst, row []uint64) {
	dst = dst[:2*len(a.taps)]
	for i := range a.taps {
		t := &a.taps[i]
		p := row[t.start : t.start+t.n]
		var sum uint64
		switch len(p) {
		case 1:
			sum = uint64(t.first) * p[0]
		case 2:
			sum = uint64(t.first)*p[0] + uint64(t.last)*p[1]
		case 3:
			sum = uint64(t.first)*p[0] + uint64(t.mid)*p[1] + uint64(t.last)*p[2]
		default:
			end := len(p) - 1
			var mid uint64
			for _, v := range p[1:end] {
				mid += v
			}
			sum = uint64(t.first)*p[0] + uint64(t.mid)*mid + uint64(t.last)*p[end]
		}
		d := dst[2*i : 2*i+2 : 2*i+2]
		d[0] = sum&lane | sum>>laneBits&lane<<32
		d[1] = sum >> (2 * laneBits)
	}
}

// rowNarrow writes row y of the tensor's picture.
func (p *Preprocessor) rowNarrow(line []float32, src *source, y int) {
	sums := p.sumNarrow(src, p.y.taps[y], len(line)/3*2)
	den := 255 * uint64(p.x.den) * uint64(p.y.den)
	if den < exactInverse && p.inverse != [3]float64{} {
		p.finish(line, sums, 1/float64(den))
		return
	}
	divide(line, sums, float64(den))
	p.normalize(line)
}

// sumNarrow adds up so many words of the rows of a tap.
func (p *Preprocessor) sumNarrow(src *source, t tap, words int) []uint64 {
	sums := p.sums[:words]
	first, w := p.mix(src, t.start)[:words], uint64(t.first)
	if t.n == 1 {
		for i, v := range first {
			sums[i] = w * v
		}
		return sums
	}
	second, x := p.mix(src, t.start+1)[:words], uint64(t.weight(1))
	for i, v := range first {
		sums[i] = w*v + x*second[i]
	}
	for k := 2; k < t.n; k++ {
		w := uint64(t.weight(k))
		for i, v := range p.mix(src, t.start+k)[:words] {
			sums[i] += w * v
		}
	}
	return sums
}

// Under exactInverse, sum/den and sum·(1/den) in float64 become the same float32.
// A border between two float32 is m/2^j with m < 2^25, so it is 1/(den·2^25) > 2^-51
// or more away from any sum/den that is not itself one (relative to it), and the two
// roundings of the product are 2^-52 off at most. None is itself one: den would have
// to be a multiple of 2^25·255.
const exactInverse = 1 << 26

// inverses are 1/std, by which a product in float64 becomes the float32 that division by std
// gives; none where a quotient could be subnormal. A border between two float32 is m·2^j with
// m odd and above 2^24, so that m·std has too many bits to be a float32 itself, and any other
// x/std is 2^-49 or more away from it (relative to it). The roundings of the product are 2^-52 off.
func (s Spec) inverses() (inverse [3]float64) {
	const low, high = 0x1p-60, 0x1p60 // shares of brightness are multiples of 2^-60 where they are not 0
	for c := range inverse {
		mean := max(s.Mean[c], -s.Mean[c])
		if s.Std[c] < low || s.Std[c] > high || mean != 0 && mean < low {
			return [3]float64{}
		}
		inverse[c] = 1 / float64(s.Std[c])
	}
	return inverse
}

// finish is divide and normalize in one.
func (p *Preprocessor) finish(line []float32, sums []uint64, inverse float64) {
	m, s, swap := p.spec.Mean, p.inverse, p.spec.Channels == "BGR"
	for i := 0; i+2 < len(line) && len(sums) >= 2; i += 3 {
		d, rg, b := line[i:i+3:i+3], sums[0], sums[1]
		sums = sums[2:]
		first := float32(float64(int64(rg&0xffffffff)) * inverse)
		second := float32(float64(int64(rg>>32)) * inverse)
		third := float32(float64(int64(b)) * inverse)
		if swap {
			first, third = third, first
		}
		d[0] = float32(float64(first-m[0]) * s[0])
		d[1] = float32(float64(second-m[1]) * s[1])
		d[2] = float32(float64(third-m[2]) * s[2])
	}
}

// divide turns sums into shares of full brightness.
func divide(line []float32, sums []uint64, den float64) {
	for i := 0; i+2 < len(line) && len(sums) >= 2; i += 3 {
		d, rg, b := line[i:i+3:i+3], sums[0], sums[1]
		sums = sums[2:]
		d[0] = float32(float64(int64(rg&0xffffffff)) / den)
		d[1] = float32(float64(int64(rg>>32)) / den)
		d[2] = float32(float64(int64(b)) / den)
	}
}

// mixWide is mixNarrow with a word for each colour.
func (a *axis) mixWide(dst, row []uint64) {
	for i, t := range a.taps {
		var r, g, b uint64
		for k, v := range row[t.start : t.start+t.n] {
			w := uint64(t.weight(k))
			r += w * (v & lane)
			g += w * (v >> laneBits & lane)
			b += w * (v >> (2 * laneBits))
		}
		dst[3*i], dst[3*i+1], dst[3*i+2] = r, g, b
	}
}

// rowWide is rowNarrow with a word for each colour.
func (p *Preprocessor) rowWide(line []float32, src *source, y int) {
	sums := p.sums[:len(line)]
	clear(sums)
	t := p.y.taps[y]
	for k := range t.n {
		w := uint64(t.weight(k))
		for i, v := range p.mix(src, t.start+k)[:len(sums)] {
			sums[i] += w * v
		}
	}
	den := float64(255 * uint64(p.x.den) * uint64(p.y.den))
	for i, v := range sums {
		line[i] = float32(float64(v) / den)
	}
	p.normalize(line)
}

// mix is row y of the window, resampled along x. Neighbouring outputs share rows.
func (p *Preprocessor) mix(src *source, y int) []uint64 {
	slot := y & 1
	if p.mixedRow[slot] != y {
		src.row(p.pixels, p.window, y)
		if p.narrow {
			p.x.mixNarrow(p.mixed[slot], p.pixels)
		} else {
			p.x.mixWide(p.mixed[slot], p.pixels)
		}
		p.mixedRow[slot] = y
	}
	return p.mixed[slot]
}

// normalize turns shares of full brightness, red first, into the tensor's values
// in the tensor's order.
func (p *Preprocessor) normalize(line []float32) {
	m, s := p.spec.Mean, p.spec.Std
	if p.spec.Channels == "BGR" {
		for i := 0; i+2 < len(line); i += 3 {
			line[i], line[i+2] = line[i+2], line[i]
		}
	}
	for i := 0; i+2 < len(line); i += 3 {
		d := line[i : i+3 : i+3]
		d[0], d[1], d[2] = (d[0]-m[0])/s[0], (d[1]-m[1])/s[1], (d[2]-m[2])/s[2]
	}
}
