package train

import (
	"github.com/fathom-edge/fathom/glyphs"
	"github.com/fathom-edge/fathom/train/fastcpu"
	"math/rand/v2"
	"testing"
)

type noise struct{}

func (noise) Sample(_ glyphs.Split, i uint64, dst []byte) int {
	r := rand.New(rand.NewPCG(i, 2))
	for i := range dst {
		dst[i] = byte(r.Uint32())
	}
	return int(i % 34)
}

func BenchmarkStep(b *testing.B) {
	cfg := &Config{Name: "x", Seed: 1, Net: Net{Stem: 16, Channels: []int{16, 32, 64}, Leader: Depth{5, 5, 5}, A: []Depth{{3, 3, 3}, {1, 1, 1}}, B: []Depth{{4, 4, 4}, {2, 2, 2}}},
		Loss: Loss{Temperature: 2, CE: 1, SubCE: 0.3, FromLeader: 1, FromMate: 1, FromTeammate: 1}, Optimizer: Optimizer{LearningRate: 1e-3, WeightDecay: 1e-2, Warmup: 10}, Batch: 64, Steps: 100}
	be, err := fastcpu.New()
	if err != nil {
		b.Fatal(err)
	}
	tr, err := NewTrainer(cfg, be, noise{}, 34)
	if err != nil {
		b.Fatal(err)
	}
	l, _ := newLoader(noise{})
	x, err := l.load(glyphs.Train, 0, cfg.Batch)
	if err != nil {
		b.Fatal(err)
	}
	v, err := tr.learnBatch(0, x)
	if err != nil {
		b.Fatal(err)
	}
	b.Log(v, tr.store.NumParameters())
	for b.Loop() {
		if v, err = tr.learnBatch(1, x); err != nil {
			b.Fatal(err)
		}
	}
	b.Log(v)
	b.ReportMetric(float64(b.N*cfg.Batch)/b.Elapsed().Seconds(), "images/s")
}
