package glyphs

import (
	"math"
	"math/rand/v2"
)

// labelOf spreads the labels evenly: a shuffle of all labels for each run of
// len(Labels) samples.
func labelOf(split Split, index uint64) int {
	n := uint64(len(Labels))
	block, at := index/n, int(index%n)
	rng := newRand(uint64(split)<<1|1, block)
	var order [64]uint8
	for i := range Labels {
		j := rng.IntN(i + 1)
		order[i] = order[j]
		order[j] = uint8(i)
	}
	return int(order[at])
}

// newRand seeds a generator from the version, a stream number and an index.
// The multiplications spread neighbouring indices over the seed space.
func newRand(stream, index uint64) source {
	version := uint64(Version)
	version *= 0x9e3779b97f4a7c15 // wraps
	return source{*rand.NewPCG(mix(version+stream), mix(index+stream<<56))}
}

func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// source draws the random numbers of one sample. Its own short methods keep
// the stream independent of math/rand's conveniences.
type source struct{ pcg rand.PCG }

func (s *source) Uint64() uint64 { return s.pcg.Uint64() }

// IntN returns a uniform integer in [0, n). The bias is below n / 2^32.
func (s *source) IntN(n int) int { return int(s.pcg.Uint64() >> 32 * uint64(n) >> 32) }

// Unit returns a uniform number in [0, 1) with 24 bits.
func (s *source) Unit() float64 { return float64(s.pcg.Uint64()>>40) / (1 << 24) }

// In returns a uniform number in the range.
func (s *source) In(r Range) float64 {
	return r.Min + float64((r.Max-r.Min)*s.Unit())
}

// Sym returns a uniform number in [-a, a).
func (s *source) Sym(a float64) float64 { return float64(a * (2*s.Unit() - 1)) }

// Chance is true with probability p.
func (s *source) Chance(p float64) bool { return s.Unit() < p }

// sincos is math.Sincos rounded to 30 binary digits: where two machines differ
// in the last digit, the result is the same.
func sincos(x float64) (sin, cos float64) {
	const one = 1 << 30
	sin, cos = math.Sincos(x)
	return math.Round(sin*one) / one, math.Round(cos*one) / one
}
