package quant

import (
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/convert/graph"
)

const (
	greatestWeight = 127
	// A bias must stay well within int32, and the factor from sums to outputs
	// above what XNNPACK takes at least, 2^-32.
	biasLimit   = 1 << 30
	leastFactor = 1. / (1 << 24)
)

// layer quantizes the weights and the bias of a layer.
func (p *plan) layer(n *graph.Node, in, out graph.Scale) ([]graph.Stored, error) {
	w, bias := n.Weights[0], n.Weights[1].Data
	outputs := len(bias)
	channel := channelOf(n)
	groups := outputs
	if n.Op == graph.OpFullyConnected {
		groups = 1
	}
	scales := make([]float32, groups)
	for i, v := range w.Data {
		g := channel(i) % groups
		scales[g] = max(scales[g], float32(math.Abs(float64(v)))/greatestWeight)
	}
	for o, v := range bias {
		g := o % groups
		least := max(math.Abs(float64(v))/float64(in.Scale)/biasLimit, leastFactor*float64(out.Scale)/float64(in.Scale))
		scales[g] = max(scales[g], float32(least))
	}
	weights := graph.Stored{Number: graph.Int8, Values: make([]int32, len(w.Data)), Scales: scales}
	if n.Op == graph.OpDepthwise {
		weights.Axis = 3
	}
	for i, v := range w.Data {
		code := math.RoundToEven(float64(v) / float64(scales[channel(i)%groups]))
		weights.Values[i] = int32(min(max(code, -greatestWeight), greatestWeight))
	}
	shift := make([]float64, outputs)
	if p.correct {
		shift = p.meanError(n, weights, channel)
	}
	stored := graph.Stored{Number: graph.Int32, Values: make([]int32, outputs), Scales: make([]float32, groups)}
	for g := range groups {
		stored.Scales[g] = in.Scale * scales[g]
		if factor := stored.Scales[g] / out.Scale; factor >= 256 {
			return nil, fmt.Errorf("its sums would have to grow by %g to the scale of its output (are its weights huge?)", factor)
		}
	}
	for o, v := range bias {
		code := math.RoundToEven((float64(v) - shift[o]) / float64(stored.Scales[o%groups]))
		if !(math.Abs(code) < math.MaxInt32) {
			return nil, fmt.Errorf("the bias of output %d, %g, does not fit int32", o, v)
		}
		stored.Values[o] = int32(code)
	}
	return []graph.Stored{weights, stored}, nil
}

// channelOf tells the output channel of weight i: filters are OHWI, matrices
// [out, in], depthwise filters 1HWO.
func channelOf(n *graph.Node) func(i int) int {
	outputs := len(n.Weights[1].Data)
	per := len(n.Weights[0].Data) / outputs
	if n.Op == graph.OpDepthwise {
		return func(i int) int { return i % outputs }
	}
	return func(i int) int { return i / per }
}

// meanError is by how much rounded weights shift each output on average: the sum
// over inputs of (rounded - exact) * mean. After Nagel et al., Data-Free
// Quantization Through Weight Equalization and Bias Correction (2019), with
// means from calibration; that pads are zero and not the mean is left out.
func (p *plan) meanError(n *graph.Node, weights graph.Stored, channel func(int) int) []float64 {
	outputs := len(n.Weights[1].Data)
	means := p.stats[n.Inputs[0]].means
	shift := make([]float64, outputs)
	for i, v := range n.Weights[0].Data {
		o := channel(i)
		input := i % len(means)
		if n.Op == graph.OpDepthwise {
			input = o / (outputs / len(means))
		}
		rounded := float64(float64(weights.Values[i]) * float64(weights.Scales[o%len(weights.Scales)]))
		shift[o] += float64((rounded - float64(v)) * means[input])
	}
	return shift
}

// constant quantizes the second operand of a sum or product, with a scale of at
// least the given one.
func constant(values []float32, least float64) graph.Stored {
	var r interval
	for _, v := range values {
		r = r.union(interval{float64(v), float64(v)})
	}
	if r.width() == 0 {
		r.high = 1 // nothing but zeros
	}
	if float64(r.scale().Scale) < least {
		r = r.widened(least)
	}
	scale := r.scale()
	stored := graph.Stored{Number: graph.Int8, Scales: []float32{scale.Scale}, Zero: scale.Zero, Values: make([]int32, len(values))}
	for i, v := range values {
		code := math.RoundToEven(float64(v)/float64(scale.Scale)) + float64(scale.Zero)
		stored.Values[i] = int32(min(max(code, math.MinInt8), math.MaxInt8))
	}
	return stored
}
