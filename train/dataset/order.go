package dataset

import "math/rand/v2"

// What random numbers are drawn for: streams that do not depend on each other.
const (
	streamOrder uint64 = iota + 1
	streamView
	streamMix
)

// reseed puts the generator at the start of a stream, which depends on the three numbers alone.
func reseed(pcg *rand.PCG, seed, stream, number uint64) {
	pcg.Seed(mix(seed^mix(stream)), mix(number^mix(seed+stream)))
}

// mix is the finalizer of SplitMix64: neighbouring numbers come out unrelated.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// order says which sample each training image of a run is. One goroutine may use it.
type order struct {
	seed  uint64
	n     int // length of the split, or Endless
	epoch int // that shuffled is of
	// shuffled holds the samples in the order of the epoch; nil before the first.
	shuffled []uint32
}

// sample is the sample at the given ordinal.
func (o *order) sample(ordinal int) int {
	if o.n == Endless {
		return ordinal
	}
	if epoch := ordinal / o.n; o.shuffled == nil || o.epoch != epoch {
		o.shuffle(epoch)
	}
	return int(o.shuffled[ordinal%o.n])
}

func (o *order) shuffle(epoch int) {
	if o.shuffled == nil {
		o.shuffled = make([]uint32, o.n)
	}
	for i := range o.shuffled {
		o.shuffled[i] = uint32(i)
	}
	var pcg rand.PCG
	reseed(&pcg, o.seed, streamOrder, uint64(epoch))
	rand.New(&pcg).Shuffle(o.n, func(i, j int) { o.shuffled[i], o.shuffled[j] = o.shuffled[j], o.shuffled[i] })
	o.epoch = epoch
}
