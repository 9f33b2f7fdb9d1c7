package quant

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/convert/graph"
)

// seen makes the statistics of values.
func seen(values []float32) *stats {
	s := &stats{histogram: make([]int64, bins)}
	for _, v := range values {
		s.low, s.high = min(s.low, v), max(s.high, v)
	}
	for _, v := range values {
		at := int(float64(v-s.low) / float64(s.high-s.low) * bins)
		s.histogram[min(at, bins-1)]++
	}
	return s
}

// bell is n values of a normal distribution and a single one far away.
func bell(n int, far float32) []float32 {
	rng := rand.New(rand.NewPCG(1, 1))
	values := []float32{far}
	for range n {
		values = append(values, float32(rng.NormFloat64()))
	}
	return values
}

func TestMethods(t *testing.T) {
	s := seen(bell(20000, 100))
	if r := MinMax.choose(s); r != (interval{float64(s.low), 100}) {
		t.Errorf("min-max chooses %v", r)
	}
	if r := Percentile.choose(s); r.low > -2.5 || r.high < 2.5 || r.high > 60 {
		t.Errorf("percentile chooses %v", r)
	}
	s = seen(bell(200000, 8)) // a few values less far away: clipping pays
	all := interval{float64(s.low), float64(s.high)}
	if r := MSE.choose(s); r.high > 7 || r.high < 3 || s.error(all, r) >= s.error(all, all) {
		t.Errorf("mse chooses %v", r)
	}
	// Without outliers nothing is to be gained by clipping much.
	even := make([]float32, 1000)
	for i := range even {
		even[i] = float32(i) / 1000
	}
	for _, m := range Methods() {
		if r := m.choose(seen(even)); r.low != 0 || r.high < 0.95 {
			t.Errorf("%s chooses %v of an even distribution", m, r)
		}
	}
}

func TestScale(t *testing.T) {
	for _, c := range []struct {
		r    interval
		want graph.Scale
	}{
		{interval{0, 255}, graph.Scale{Scale: 1, Zero: -128}},
		{interval{-255, 0}, graph.Scale{Scale: 1, Zero: 127}},
		{interval{-128, 127}, graph.Scale{Scale: 1, Zero: 0}},
		{interval{-0.3, 0.72}, graph.Scale{Scale: 0.004, Zero: -53}},
	} {
		got := c.r.scale()
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v: -want +got:\n%s", c.r, diff)
		}
	}
}

// TestBiasCorrection rounds weights that all lie just above a tie, under inputs
// whose mean is 1.
func TestBiasCorrection(t *testing.T) {
	in := &graph.Node{Op: graph.OpInput, Shape: []int{1, 4}}
	n := &graph.Node{Op: graph.OpFullyConnected, Inputs: []*graph.Node{in}, Shape: []int{1, 1},
		Weights: []graph.Tensor{{Shape: []int{1, 4}, Data: []float32{1.27, 0.1051, 0.1051, 0.1051}}, {Shape: []int{1}, Data: []float32{0.5}}}}
	p := &plan{correct: true, stats: map[*graph.Node]*stats{in: {means: []float64{1, 1, 1, 1}}}}
	stored, err := p.layer(n, graph.Scale{Scale: 0.01}, graph.Scale{Scale: 0.02})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int32{127, 11, 11, 11}, stored[0].Values); diff != "" {
		t.Fatalf("codes: -want +got:\n%s", diff)
	}
	unit := float64(stored[1].Scales[0])
	rounded := float64(stored[0].Scales[0])*160 + float64(stored[1].Values[0])*unit
	if want := 1.27 + 3*0.1051 + 0.5; math.Abs(rounded-want) > unit {
		t.Errorf("mean output %g, want %g", rounded, want)
	}
	p.correct = false
	stored, _ = p.layer(n, graph.Scale{Scale: 0.01}, graph.Scale{Scale: 0.02})
	if rounded := float64(stored[0].Scales[0])*160 + float64(stored[1].Values[0])*unit; math.Abs(rounded-2.0853) < 0.01 {
		t.Errorf("without correction the mean is %g: the test shows nothing", rounded)
	}
}

// TestSmallWeights has a bias that would not fit beside weights near zero.
func TestSmallWeights(t *testing.T) {
	in := &graph.Node{Op: graph.OpInput, Shape: []int{1, 2}}
	n := &graph.Node{Op: graph.OpFullyConnected, Inputs: []*graph.Node{in}, Shape: []int{1, 1},
		Weights: []graph.Tensor{{Shape: []int{1, 2}, Data: []float32{1e-12, 0}}, {Shape: []int{1}, Data: []float32{-3}}}}
	stored, err := (&plan{}).layer(n, graph.Scale{Scale: 0.01}, graph.Scale{Scale: 0.02})
	if err != nil {
		t.Fatal(err)
	}
	if got := float64(stored[1].Values[0]) * float64(stored[1].Scales[0]); math.Abs(got+3) > 1e-6 {
		t.Errorf("the bias became %g", got)
	}
}

// TestLimits adds a constant to values ten million times smaller, and multiplies
// the sum by others.
func TestLimits(t *testing.T) {
	small := conv("small", 3, 1e-7)
	small.Weights[1].Data = make([]float32, channels)
	three := &graph.Node{Name: "three", Op: graph.OpShift, Shape: image, Weights: []graph.Tensor{{Shape: []int{1}, Data: []float32{3}}}}
	net := depths(0.3)
	chain := piece(image, small, three)
	product := &graph.Node{Name: "product", Op: graph.OpMul, Shape: image, Inputs: []*graph.Node{chain.Input(), three}}
	chain.Nodes, chain.Output = append(chain.Nodes, product), product
	net.Pieces[1] = chain
	q, r := quantize(t, net, options())
	if diff := cmp.Diff([]string{"three (Shift)"}, r.Without); diff != "" {
		t.Errorf("in float32: -want +got:\n%s", diff)
	}
	for _, n := range q.Pieces[1].Nodes {
		for i, m := range n.Inputs {
			if !m.Quantized() || !n.Quantized() {
				continue
			}
			ratio := m.Storage.Output.Scale / n.Storage.Output.Scale
			if n.Op == graph.OpShift && (ratio < 1./1024 || ratio >= 256) {
				t.Errorf("%s: input %d has %g of the output's scale", n.Name, i, ratio)
			}
		}
	}
}

func TestConstant(t *testing.T) {
	for _, values := range [][]float32{{3}, {-0.5}, {0, 0}, {-1, 0.25, 2}} {
		s := constant(values, 0)
		for i, v := range values {
			if got := s.Scales[0] * float32(int(s.Values[i])-s.Zero); math.Abs(float64(got-v)) > float64(s.Scales[0])*0.51 {
				t.Errorf("%v: %g became %g", values, v, got)
			}
		}
	}
}
