package train

import (
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/train/arch"
	"github.com/fathom-edge/fathom/train/fastcpu"
)

func TestSubNetworksTakeTurns(t *testing.T) {
	c := &Config{Net: Net{A: []Depth{{9}, {7}, {5}, {3}}, B: []Depth{{8}, {6}, {4}}}}
	for _, x := range []struct {
		subs int
		want []string // for each turn, the depths of A and B
	}{
		{0, []string{"9 7 5 3 | 8 6 4"}},
		{1, []string{"9 7 | 8 6", "9 5 | 8 4", "9 3 | 8 6", "9 7 | 8 4", "9 5 | 8 6", "9 3 | 8 4"}},
		{2, []string{"9 7 5 | 8 6 4", "9 5 3 | 8 6 4", "9 7 3 | 8 6 4"}},
		{3, []string{"9 7 5 3 | 8 6 4"}},
	} {
		c.Loss.SubsPerStep = x.subs
		var got []string
		for turn := range c.turns() {
			var names []string
			for _, d := range c.takes(c.Net.A, turn) {
				names = append(names, d.String())
			}
			names = append(names, "|")
			for _, d := range c.takes(c.Net.B, turn) {
				names = append(names, d.String())
			}
			got = append(got, strings.Join(names, " "))
		}
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%d in a step (-want +got):\n%s", x.subs, diff)
		}
	}
}

// A step of a turn trains its own sub-network's part of the net, and those of the Teammate, alone.
func TestATurnTrainsItsSubNetwork(t *testing.T) {
	cfg := tiny()
	cfg.Batch, cfg.Loss.SubsPerStep = 4, 1
	cfg.Net.Leader, cfg.Net.B = nil, nil
	cfg.Net.A, cfg.Net.Norm = []Depth{{1, 1}, {0, 1}, {0, 0}}, PerDepth
	tr := trainer(t, cfg)
	var sets []string
	for range 2 {
		before := map[string]float32{}
		for v := range tr.store.IterVariables() {
			if strings.HasSuffix(v.Path(), "running_mean") && strings.Contains(v.Path(), "transition2") {
				before[v.Path()] = tensors.MustCopyFlatData[float32](v.MustValue())[0]
			}
		}
		steps(t, tr, 1)
		for v := range tr.store.IterVariables() {
			if strings.HasSuffix(v.Path(), "running_mean") && strings.Contains(v.Path(), "transition2") &&
				tensors.MustCopyFlatData[float32](v.MustValue())[0] != before[v.Path()] {
				_, set, _ := strings.Cut(v.Path(), "@")
				sets = append(sets, strings.TrimSuffix(set, "/running_mean"))
			}
		}
	}
	for _, want := range []string{"1-1", "0-1"} {
		if !strings.Contains(strings.Join(sets, " "), want) {
			t.Errorf("sets %v moved, want %s too", sets, want)
		}
	}
}

func TestDistillationIsRampedUp(t *testing.T) {
	c := &Config{Loss: Loss{DistillWarmup: 4}}
	var got []float32
	for step := range 6 {
		got = append(got, c.ramp(step))
	}
	if diff := cmp.Diff([]float32{0, 0.25, 0.5, 0.75, 1, 1}, got); diff != "" {
		t.Errorf("ramp (-want +got):\n%s", diff)
	}
	if r := (&Config{}).ramp(0); r != 1 {
		t.Errorf("ramp without warm-up is %v, want 1", r)
	}
	backend, err := fastcpu.New()
	if err != nil {
		t.Fatal(err)
	}
	total, err := graph.CallOnce(backend, func(ramp *graph.Node) *graph.Node {
		one := graph.Scalar(ramp.Graph(), ramp.DType(), 1)
		return Total([]Term{{"ce", 3, false, one}, {"from_mate", 8, true, one}}, ramp)
	}, float32(0.25))
	if err != nil {
		t.Fatal(err)
	}
	if v := tensors.ToScalar[float32](total); v != 5 {
		t.Errorf("3 + 8 x 0.25 is %v", v)
	}
}

// Mixup's targets are distributions: the loss is the blend of the losses of both labels.
func TestCrossEntropyOfBlendedTargets(t *testing.T) {
	backend, err := fastcpu.New()
	if err != nil {
		t.Fatal(err)
	}
	logits := [][]float64{{1, 2, -1}, {0.5, 0, 1}}
	got, err := graph.CallOnce(backend, crossEntropy, tensors.FromFlatDataAndDimensions([]float32{1, 2, -1, 0.5, 0, 1}, 2, 3),
		tensors.FromFlatDataAndDimensions([]float32{0.7, 0, 0.3, 0, 1, 0}, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	first, second := logSoftmax(logits[0], 1), logSoftmax(logits[1], 1)
	want := float32(-(0.7*first[0] + 0.3*first[2] + second[1]) / 2)
	if v := tensors.ToScalar[float32](got); v < want-1e-6 || v > want+1e-6 {
		t.Errorf("cross-entropy %v, want %v", v, want)
	}
}

// By hand, at 32x32: the stem is 16x16x16, stage 1 works on 16x16x16, stage 2 on 8x8x32; the head has 4 classes.
func TestTrainingMACs(t *testing.T) {
	const (
		stem       = 16 * 16 * 27 * 16
		block1     = 2 * 16 * 16 * 144 * 16
		transition = 8 * 8 * 144 * 32
		block2     = 2 * 8 * 8 * 288 * 32
		head       = 32 * 4
		tail       = transition + block2 + head
	)
	for _, c := range []struct {
		name string
		net  Net
		subs int
		want int64
	}{
		{"one depth", Net{A: []Depth{{1, 1}}}, 0, stem + block1 + tail},
		{"a sub-network that parts after a block", Net{A: []Depth{{2, 1}, {1, 1}}}, 0, stem + 2*block1 + tail + tail},
		{"the sub-network of the sub-network", Net{A: []Depth{{2, 1}, {1, 1}, {1, 0}}}, 0, stem + 2*block1 + 2*tail + head},
		{"in turns", Net{A: []Depth{{2, 1}, {1, 1}, {0, 1}}}, 1, stem + 2*block1 + 2*tail},
		{"nothing is shared between nets", Net{Leader: Depth{1, 1}, A: []Depth{{1, 1}}, B: []Depth{{1, 0}}}, 0,
			2*(stem+block1+tail) + stem + block1 + transition + head},
		{"sets per stage part at the stem", Net{Norm: PerStage, A: []Depth{{1, 1}, {0, 1}}}, 0, 2*stem + block1 + 2*tail},
	} {
		cfg := tiny()
		c.net.Config = arch.Config{Stem: 16, Channels: []int{16, 32}}
		cfg.Net, cfg.Loss.SubsPerStep = c.net, c.subs
		if got := trainer(t, cfg).TrainingMACs(); got != c.want {
			t.Errorf("%s: %d MACs, want %d", c.name, got, c.want)
		}
	}
}
