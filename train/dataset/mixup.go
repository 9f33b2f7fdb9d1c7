package dataset

import (
	"math"
	"math/rand/v2"
)

// maxMixup bounds the parameter of the Beta distribution, whose sampler rejects more the larger it is.
const maxMixup = 4

// mixup blends every image of the batch with the next one, and the last with the first. The larger share is the image's
// own, so that its label stays the likeliest; as partners are drawn by chance, that changes nothing in the pairs.
func (b *Batch) mixup(alpha float64, seed uint64, first int) {
	var pcg rand.PCG
	rng := rand.New(&pcg)
	n := len(b.Labels)
	size, classes := len(b.Images)/n, len(b.Targets)/n
	start := append([]float32(nil), b.Images[:size]...)
	for i := range n {
		reseed(&pcg, seed, streamMix, uint64(first+i))
		other := beta(rng, alpha)
		other = min(other, 1-other)
		image, target := b.Images[i*size:(i+1)*size], b.Targets[i*classes:(i+1)*classes]
		next := start
		if i+1 < n {
			next = b.Images[(i+1)*size : (i+2)*size]
		}
		for j := range image {
			image[j] += (next[j] - image[j]) * float32(other)
		}
		target[b.Labels[i]] -= float32(other)
		target[b.Labels[(i+1)%n]] += float32(other)
	}
}

// beta draws from Beta(alpha, alpha) by Jöhnk's method (Metrika 8, 1964).
func beta(rng *rand.Rand, alpha float64) float64 {
	for {
		x, y := math.Pow(rng.Float64(), 1/alpha), math.Pow(rng.Float64(), 1/alpha)
		if s := x + y; s > 0 && s <= 1 {
			return x / s
		}
	}
}
