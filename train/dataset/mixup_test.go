package dataset

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestMixupBlendsImagesAndTargetsAlike(t *testing.T) {
	const n, classes = 20, 20
	o := Options{Batch: n, Seed: 5}
	data := numbered{8, n, classes, -1}
	plain := take(t, newLoader(t, data, o), 0, 1)[0]
	o.Augment.Mixup = 1
	mixed := take(t, newLoader(t, data, o), 0, 1)[0]
	blended := 0
	for i, label := range mixed.Labels {
		next := (i + 1) % n
		row := mixed.Targets[i*classes : (i+1)*classes]
		share := row[mixed.Labels[next]]
		if label != plain.Labels[i] || share < 0 || share > 0.5 || math.Abs(float64(row[label]+share-1)) > 1e-6 {
			t.Errorf("image %d of class %d: targets %v", i, label, row)
		}
		if share > 0.01 {
			blended++
		}
		size := len(plain.Images) / n
		want := plain.Images[i*size]*(1-share) + plain.Images[next*size]*share
		if got := mixed.Images[i*size]; math.Abs(float64(got-want)) > 1e-6 {
			t.Errorf("image %d is %v, want %v: %v of the next one", i, got, want, share)
		}
	}
	if blended < n/2 {
		t.Errorf("only %d of %d images are blended", blended, n)
	}
}

// Beta(a, a) has mean 1/2 and variance 1/(4(2a+1)).
func TestBeta(t *testing.T) {
	const draws = 20000
	for _, alpha := range []float64{0.1, 0.2, 1, 2, maxMixup} {
		rng := rand.New(rand.NewPCG(1, 2))
		var sum, squares float64
		for range draws {
			x := beta(rng, alpha)
			if x < 0 || x > 1 {
				t.Fatalf("alpha %v: %v", alpha, x)
			}
			sum += x
			squares += (x - 0.5) * (x - 0.5)
		}
		variance := 1 / (4 * (2*alpha + 1))
		if mean := sum / draws; math.Abs(mean-0.5) > 5*math.Sqrt(variance/draws) {
			t.Errorf("alpha %v: mean %v", alpha, mean)
		}
		if got := squares / draws; math.Abs(got-variance) > 0.05*variance {
			t.Errorf("alpha %v: variance %v, want %v", alpha, got, variance)
		}
	}
}
