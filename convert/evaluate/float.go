package evaluate

import (
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/convert/graph"
)

// prepareFloat is the kernel of a float32 node.
func prepareFloat(n *graph.Node) (kernel, error) {
	switch n.Op {
	case graph.OpConst:
		return func([]Value) Value { return Value{Shape: n.Shape, Floats: n.Weights[0].Data} }, nil
	case graph.OpConv, graph.OpDepthwise, graph.OpFullyConnected:
		return floatLayer(n)
	case graph.OpAveragePool, graph.OpMaxPool:
		return floatPool(n), nil
	case graph.OpMean:
		return floatReduce(n, []int{1, 2}), nil
	case graph.OpReduceMean, graph.OpReduceSum, graph.OpReduceMax:
		return floatReduce(n, n.Attrs.Axes), nil
	case graph.OpSoftmax:
		return floatSoftmax(n), nil
	case graph.OpMatMul:
		return floatMatMul(n)
	}
	if f := unary(n); f != nil {
		return func(in []Value) Value {
			v := out(n)
			for i, x := range in[0].Floats {
				v.Floats[i] = activate(n, f(float64(x)))
			}
			return v
		}, nil
	}
	if f := binary(n.Op); f != nil {
		return floatBinary(n, f), nil
	}
	return nil, fmt.Errorf("cannot be evaluated")
}

// activate applies a fused activation and rounds.
func activate(n *graph.Node, x float64) float32 {
	switch n.Attrs.Activation {
	case graph.Relu:
		x = max(x, 0)
	case graph.Relu6:
		x = min(max(x, 0), 6)
	}
	return float32(x)
}

// unary is the function of an element-wise operator with one input.
func unary(n *graph.Node) func(float64) float64 {
	alpha := float64(n.Attrs.Alpha)
	switch n.Op {
	case graph.OpRelu:
		return func(x float64) float64 { return max(x, 0) }
	case graph.OpRelu6:
		return func(x float64) float64 { return min(max(x, 0), 6) }
	case graph.OpLeakyRelu:
		return func(x float64) float64 {
			if x < 0 {
				return float64(alpha * x)
			}
			return x
		}
	case graph.OpElu:
		return func(x float64) float64 {
			if x < 0 {
				return exp(x) - 1
			}
			return x
		}
	case graph.OpHardSwish:
		return func(x float64) float64 { return float64(x*min(max(x+3, 0), 6)) / 6 }
	case graph.OpSigmoid:
		return sigmoid
	case graph.OpTanh:
		return tanh
	case graph.OpGelu:
		if n.Attrs.Approximate {
			return geluTanh
		}
		return gelu
	case graph.OpExp:
		return exp
	case graph.OpLog:
		return logarithm
	case graph.OpSqrt:
		return math.Sqrt
	case graph.OpSquare:
		return func(x float64) float64 { return x * x }
	case graph.OpNeg:
		return func(x float64) float64 { return -x }
	case graph.OpAbs:
		return math.Abs
	}
	return nil
}

// binary is the function of an element-wise operator with two inputs, of which
// the second may be the node's weights.
func binary(op graph.Op) func(x, y float64) float64 {
	switch op {
	case graph.OpAdd, graph.OpShift:
		return func(x, y float64) float64 { return x + y }
	case graph.OpSub:
		return func(x, y float64) float64 { return x - y }
	case graph.OpMul, graph.OpScale:
		return func(x, y float64) float64 { return x * y }
	case graph.OpDiv:
		return func(x, y float64) float64 { return x / y }
	case graph.OpMaximum:
		return func(x, y float64) float64 { return max(x, y) }
	case graph.OpMinimum:
		return func(x, y float64) float64 { return min(x, y) }
	case graph.OpPRelu:
		return func(x, alpha float64) float64 {
			if x < 0 {
				return float64(alpha * x)
			}
			return x
		}
	}
	return nil
}

func floatBinary(n *graph.Node, f func(x, y float64) float64) kernel {
	first := broadcast(n.Shape, n.Inputs[0].Shape)
	second := broadcast(n.Shape, secondShape(n))
	return func(in []Value) Value {
		v := out(n)
		x := in[0].Floats
		var y []float32
		if len(in) > 1 {
			y = in[1].Floats
		} else {
			y = n.Weights[0].Data
		}
		for i := range v.Floats {
			v.Floats[i] = activate(n, f(float64(x[pick(first, i)]), float64(y[pick(second, i)])))
		}
		return v
	}
}

// secondShape is of the second operand: an input or the weights.
func secondShape(n *graph.Node) []int {
	if len(n.Inputs) > 1 {
		return n.Inputs[1].Shape
	}
	return n.Weights[0].Shape
}

func floatLayer(n *graph.Node) (kernel, error) {
	l, err := newLayer(n)
	if err != nil {
		return nil, err
	}
	bias := make([]float64, l.outputs)
	for o, b := range n.Weights[1].Data {
		bias[o] = float64(stored(n, 1, b))
	}
	return func(in []Value) Value {
		v := out(n)
		l.run(in[0], func(pixel int, sums []float64) {
			to := v.Floats[pixel*l.outputs:]
			for o, sum := range sums {
				to[o] = activate(n, sum+bias[o])
			}
		})
		return v
	}, nil
}

func floatPool(n *graph.Node) kernel {
	average := n.Op == graph.OpAveragePool
	return func(in []Value) Value {
		v := out(n)
		channels := n.Shape[3]
		windows(n, func(pixel int, sources []int) {
			for c := range channels {
				total := math.Inf(-1)
				if average {
					total = 0
				}
				for _, s := range sources {
					x := float64(in[0].Floats[s*channels+c])
					if average {
						total += x
					} else {
						total = max(total, x)
					}
				}
				if average {
					total /= float64(len(sources))
				}
				v.Floats[pixel*channels+c] = activate(n, total)
			}
		})
		return v
	}
}

// windows visits each output pixel of a pool with the input pixels that its
// window covers; pads do not count.
func windows(n *graph.Node, visit func(pixel int, sources []int)) {
	a, in := n.Attrs, n.Inputs[0].Shape
	begin := padsBefore(n, in)
	var sources []int
	for y := range n.Shape[1] {
		for x := range n.Shape[2] {
			sources = sources[:0]
			for ky := range a.Kernel[0] {
				for kx := range a.Kernel[1] {
					sy, sx := y*a.Stride[0]-begin[0]+ky, x*a.Stride[1]-begin[1]+kx
					if sy >= 0 && sy < in[1] && sx >= 0 && sx < in[2] {
						sources = append(sources, sy*in[2]+sx)
					}
				}
			}
			visit(y*n.Shape[2]+x, sources)
		}
	}
}

// groups lists, for each input value, the output value that it is reduced to,
// and how many values each output has.
func groups(in []int, axes []int) (target []int, count int) {
	kept := make([]int, len(in))
	count = 1
	for i, d := range in {
		kept[i] = d
		for _, a := range axes {
			if a == i {
				kept[i] = 1
				count *= d
			}
		}
	}
	each(in, func(at []int) {
		index := 0
		for i, d := range kept {
			index *= d
			if d > 1 {
				index += at[i]
			}
		}
		target = append(target, index)
	})
	return target, count
}

func floatReduce(n *graph.Node, axes []int) kernel {
	target, count := groups(n.Inputs[0].Shape, axes)
	return func(in []Value) Value {
		v := out(n)
		totals := make([]float64, len(v.Floats))
		if n.Op == graph.OpReduceMax {
			for i := range totals {
				totals[i] = math.Inf(-1)
			}
		}
		for i, x := range in[0].Floats {
			t := &totals[target[i]]
			if n.Op == graph.OpReduceMax {
				*t = max(*t, float64(x))
			} else {
				*t += float64(x)
			}
		}
		for i, t := range totals {
			if n.Op == graph.OpMean || n.Op == graph.OpReduceMean {
				t /= float64(count)
			}
			v.Floats[i] = activate(n, t)
		}
		return v
	}
}

func floatSoftmax(n *graph.Node) kernel {
	length := n.Shape[len(n.Shape)-1]
	return func(in []Value) Value {
		v := out(n)
		for at := 0; at < len(v.Floats); at += length {
			x, y := in[0].Floats[at:at+length], v.Floats[at:at+length]
			top := math.Inf(-1)
			for _, a := range x {
				top = max(top, float64(a))
			}
			sum := 0.0
			for _, a := range x {
				sum += exp(float64(a) - top)
			}
			for i, a := range x {
				y[i] = float32(exp(float64(a)-top) / sum)
			}
		}
		return v
	}
}

// floatMatMul multiplies the last two axes; those before them broadcast.
func floatMatMul(n *graph.Node) (kernel, error) {
	rank := len(n.Shape)
	x, y := n.Inputs[0].Shape, n.Inputs[1].Shape
	if rank < 2 || len(x) < 2 || len(y) < 2 {
		return nil, fmt.Errorf("its inputs are %v and %v", x, y)
	}
	depth := x[len(x)-1]
	if n.Attrs.AdjX {
		depth = x[len(x)-2]
	}
	rows, columns := n.Shape[rank-2], n.Shape[rank-1]
	batches := n.Shape[:rank-2]
	first, second := broadcast(batches, x[:len(x)-2]), broadcast(batches, y[:len(y)-2])
	return func(in []Value) Value {
		v := out(n)
		sums := make([]float64, rows*columns)
		for b := range elements(batches) {
			left := matrix(in[0].Floats[pick(first, b)*rows*depth:][:rows*depth], depth, n.Attrs.AdjX)
			right := matrix(in[1].Floats[pick(second, b)*columns*depth:][:columns*depth], depth, !n.Attrs.AdjY)
			multiply(sums, left, right, depth)
			for i, s := range sums {
				v.Floats[b*rows*columns+i] = float32(s)
			}
		}
		return v
	}, nil
}

// matrix returns rows of length depth; transposed, the data has depth rows.
func matrix(data []float32, depth int, transposed bool) []float64 {
	rows := len(data) / depth
	m := make([]float64, len(data))
	for i, v := range data {
		if transposed {
			m[i%rows*depth+i/rows] = float64(v)
		} else {
			m[i] = float64(v)
		}
	}
	return m
}
