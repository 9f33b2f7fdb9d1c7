package evaluate

import (
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/convert/graph"
)

// prepareInt8 is the kernel of a node with int8 inputs and output.
func prepareInt8(n *graph.Node, a Arithmetic) (kernel, error) {
	switch n.Op {
	case graph.OpConv, graph.OpDepthwise, graph.OpFullyConnected:
		return int8Layer(n, a)
	case graph.OpAdd, graph.OpShift:
		return int8Add(n, a), nil
	case graph.OpMul, graph.OpScale:
		return int8Mul(n, a), nil
	case graph.OpRelu, graph.OpRelu6:
		return int8Relu(n, a), nil
	case graph.OpMean:
		return int8Mean(n, a), nil
	case graph.OpAveragePool, graph.OpMaxPool:
		return int8Pool(n), nil
	case graph.OpSigmoid:
		return int8Sigmoid(n), nil
	}
	return nil, fmt.Errorf("cannot be evaluated in int8")
}

// prepareQuantize is QUANTIZE of float32 or of int8 with another scale.
func prepareQuantize(n *graph.Node, a Arithmetic) kernel {
	to := *n.Storage.Output
	if !n.Inputs[0].Quantized() {
		return func(in []Value) Value { return a.Quantize(n.Shape, in[0].Floats, to) }
	}
	from := *n.Inputs[0].Storage.Output
	scale := Reference.rescale(false, []float32{from.Scale}, to.Scale) // XNNPACK has none
	return func(in []Value) Value {
		v := out(n)
		for i, q := range in[0].Codes {
			v.Codes[i] = clamp(scale(int64(q)-int64(from.Zero))+float64(to.Zero), math.MinInt8, math.MaxInt8)
		}
		return v
	}
}

func int8Layer(n *graph.Node, a Arithmetic) (kernel, error) {
	l, err := newLayer(n)
	if err != nil {
		return nil, err
	}
	weights, bias := n.StoredWeight(0), n.StoredWeight(1)
	if weights.Values == nil || bias.Values == nil {
		return nil, fmt.Errorf("its weights are not quantized")
	}
	in, to := *n.Inputs[0].Storage.Output, *n.Storage.Output
	scales := make([]rescale, l.outputs)
	for o := range scales {
		scales[o] = a.rescale(n.Op != graph.OpDepthwise, []float32{in.Scale, weights.Scales[o%len(weights.Scales)]}, to.Scale)
	}
	low, high := bounds(n)
	return func(in []Value) Value {
		v := out(n)
		l.run(in[0], func(pixel int, sums []float64) {
			codes := v.Codes[pixel*l.outputs:]
			for o, sum := range sums {
				codes[o] = clamp(scales[o](int64(sum)+int64(bias.Values[o]))+float64(to.Zero), low, high)
			}
		})
		return v
	}, nil
}

// operand is one side of a sum or product: an input or the weights.
type operand struct {
	scale   graph.Scale
	weights []int32 // nil for an input
	indices []int32 // of broadcast
}

func operands(n *graph.Node) [2]operand {
	x := operand{scale: *n.Inputs[0].Storage.Output, indices: broadcast(n.Shape, n.Inputs[0].Shape)}
	y := operand{indices: broadcast(n.Shape, secondShape(n))}
	if len(n.Inputs) > 1 {
		y.scale = *n.Inputs[1].Storage.Output
	} else {
		s := n.StoredWeight(0)
		y.scale, y.weights = graph.Scale{Scale: s.Scales[0], Zero: s.Zero}, s.Values
	}
	return [2]operand{x, y}
}

// at is value i of the operand, which is input k if it has no weights.
func (o operand) at(in []Value, k, i int) int64 {
	if o.weights != nil {
		return int64(o.weights[pick(o.indices, i)])
	}
	return int64(in[k].Codes[pick(o.indices, i)])
}

func int8Add(n *graph.Node, a Arithmetic) kernel {
	ops := operands(n)
	to := *n.Storage.Output
	low, high := bounds(n)
	add := addReference
	if a == XNNPACK {
		add = addXNNPACK
	}
	sum := add(ops[0].scale, ops[1].scale, to)
	return func(in []Value) Value {
		v := out(n)
		for i := range v.Codes {
			v.Codes[i] = clamp(float64(sum(ops[0].at(in, 0, i), ops[1].at(in, 1, i))+int64(to.Zero)), low, high)
		}
		return v
	}
}

// addReference brings both to a common scale of 20 more bits first.
func addReference(x, y, to graph.Scale) func(a, b int64) int64 {
	const bits = 20
	twice := 2 * max(float64(x.Scale), float64(y.Scale))
	fx, fy := newFixed(float64(x.Scale)/twice), newFixed(float64(y.Scale)/twice)
	ft := newFixed(twice / (float64(int64(1)<<bits) * float64(to.Scale)))
	return func(a, b int64) int64 {
		return ft.double(fx.double((a-int64(x.Zero))<<bits) + fy.double((b-int64(y.Zero))<<bits))
	}
}

// addXNNPACK multiplies both by factors of 21 bits and rounds the sum once,
// ties upwards.
func addXNNPACK(x, y, to graph.Scale) func(a, b int64) int64 {
	fx, fy := x.Scale/to.Scale, y.Scale/to.Scale
	_, exponent := math.Frexp(float64(max(fx, fy)))
	shift := 20 - (exponent - 1)
	mx := int64(math.RoundToEven(math.Ldexp(float64(fx), shift)))
	my := int64(math.RoundToEven(math.Ldexp(float64(fy), shift)))
	return func(a, b int64) int64 {
		return ((a-int64(x.Zero))*mx + (b-int64(y.Zero))*my + 1<<(shift-1)) >> shift
	}
}

func int8Mul(n *graph.Node, a Arithmetic) kernel {
	ops := operands(n)
	to := *n.Storage.Output
	low, high := bounds(n)
	scale := a.rescale(false, []float32{ops[0].scale.Scale, ops[1].scale.Scale}, to.Scale)
	return func(in []Value) Value {
		v := out(n)
		for i := range v.Codes {
			product := (ops[0].at(in, 0, i) - int64(ops[0].scale.Zero)) * (ops[1].at(in, 1, i) - int64(ops[1].scale.Zero))
			v.Codes[i] = clamp(scale(product)+float64(to.Zero), low, high)
		}
		return v
	}
}

// int8Relu clips and rescales; XNNPACK leaves it to TFLite.
func int8Relu(n *graph.Node, _ Arithmetic) kernel {
	from, to := *n.Inputs[0].Storage.Output, *n.Storage.Output
	clipped := *n
	clipped.Attrs.Activation = graph.Relu
	if n.Op == graph.OpRelu6 {
		clipped.Attrs.Activation = graph.Relu6
	}
	low, high := bounds(&clipped)
	scale := Reference.rescale(false, []float32{from.Scale}, to.Scale)
	return func(in []Value) Value {
		v := out(n)
		for i, q := range in[0].Codes {
			v.Codes[i] = clamp(scale(int64(q)-int64(from.Zero))+float64(to.Zero), low, high)
		}
		return v
	}
}

// int8Mean is over height and width. TFLite's own kernels scale in fixed point
// if the axes are kept, and in float32 if they are not.
func int8Mean(n *graph.Node, a Arithmetic) kernel {
	from, to := *n.Inputs[0].Storage.Output, *n.Storage.Output
	target, count := groups(n.Inputs[0].Shape, []int{1, 2})
	var mean rescale // of values without their zero
	switch {
	case a == XNNPACK:
		mean = a.rescale(false, []float32{from.Scale}, to.Scale*float32(count))
	case n.Attrs.KeepDims:
		f := newFixed(float64(from.Scale) / float64(to.Scale))
		mean = func(sum int64) float64 {
			scaled := f.double(sum)
			half := int64(count / 2)
			if scaled < 0 {
				half = -half
			}
			return float64((scaled + half) / int64(count))
		}
	default:
		scale := from.Scale / to.Scale
		bias := -float32(from.Zero) * scale
		mean = func(sum int64) float64 {
			average := float32(sum+int64(count*from.Zero)) / float32(count)
			return math.Round(float64(float32(average*scale) + bias))
		}
	}
	return func(in []Value) Value {
		v := out(n)
		sums := make([]int64, len(v.Codes))
		for i, q := range in[0].Codes {
			sums[target[i]] += int64(q) - int64(from.Zero)
		}
		for i, s := range sums {
			v.Codes[i] = clamp(mean(s)+float64(to.Zero), math.MinInt8, math.MaxInt8)
		}
		return v
	}
}

// int8Pool keeps the scale of its input; averages round half away from zero.
func int8Pool(n *graph.Node) kernel {
	average := n.Op == graph.OpAveragePool
	low, high := bounds(n)
	return func(in []Value) Value {
		v := out(n)
		channels := n.Shape[3]
		windows(n, func(pixel int, sources []int) {
			for c := range channels {
				total := int64(math.MinInt8)
				if average {
					total = 0
				}
				for _, s := range sources {
					q := int64(in[0].Codes[s*channels+c])
					if average {
						total += q
					} else {
						total = max(total, q)
					}
				}
				if average {
					half := int64(len(sources) / 2)
					if total < 0 {
						half = -half
					}
					total = (total + half) / int64(len(sources))
				}
				v.Codes[pixel*channels+c] = clamp(float64(total), low, high)
			}
		})
		return v
	}
}

// int8Sigmoid is a table, as in TFLite and XNNPACK.
func int8Sigmoid(n *graph.Node) kernel {
	from, to := *n.Inputs[0].Storage.Output, *n.Storage.Output
	var table [256]int8
	for i := range table {
		x := from.Scale * float32(i+math.MinInt8-from.Zero)
		table[i] = clamp(math.Round(sigmoid(float64(x))/float64(to.Scale))+float64(to.Zero), math.MinInt8, math.MaxInt8)
	}
	return func(in []Value) Value {
		v := out(n)
		for i, q := range in[0].Codes {
			v.Codes[i] = table[int(q)-math.MinInt8]
		}
		return v
	}
}
