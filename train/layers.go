package train

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/fathom-edge/fathom/train/arch"
)

// At implements [arch.Layers].
func (n *net) At(stage, block int) { n.stage, n.block = stage, block }

// Shape implements [arch.Layers].
func (n *net) Shape(x arch.Value) []int { return x.(stack).x.Shape().Dimensions[1:] }

// Conv pads as torch does it. Images are NHWC; the weight is [size, size, in, out], or [size, size, 1, out] if depthwise.
func (n *net) Conv(name string, x arch.Value, c arch.Conv) arch.Value {
	s := x.(stack)
	in, groups := s.x.Shape().Dimensions[3], 1
	if c.Depthwise {
		in, groups = 1, in
	}
	w := n.variable(name, "weight", func() *tensors.Tensor {
		return n.normal(name, math.Sqrt(2/float64(c.Size*c.Size*in)), c.Size, c.Size, in, c.Out)
	})
	pad := (c.Size - 1) / 2
	return s.with(graph.Convolve(s.x, w.NodeValue(s.x)).StridePerAxis(c.Stride, c.Stride).
		PaddingPerDim([][2]int{{pad, pad}, {pad, pad}}).ChannelGroupCount(groups).Done())
}

// Linear's weight is [in, out].
func (n *net) Linear(name string, x arch.Value, out int, scale float32) arch.Value {
	s := x.(stack)
	dims := s.x.Shape().Dimensions
	in := dims[len(dims)-1]
	w := n.variable(name, "weight", func() *tensors.Tensor {
		return n.normal(name, float64(scale)*math.Sqrt(1/float64(in)), in, out)
	})
	b := n.variable(name, "bias", func() *tensors.Tensor { return constant(0, out) })
	y := graph.Reshape(s.x, -1, in)
	y = graph.Add(graph.Dot(y, w.NodeValue(y)).Product(), graph.ExpandAxes(b.NodeValue(y), 0))
	return s.with(graph.Reshape(y, append(append([]int{}, dims[:len(dims)-1]...), out)...))
}

// Activate implements [arch.Layers].
func (n *net) Activate(_ string, f arch.Activation, x arch.Value) arch.Value {
	s := x.(stack)
	zero := graph.ScalarZero(s.x.Graph(), dtypes.Float32)
	switch f {
	case arch.ReLU:
		return s.with(graph.Where(graph.GreaterThan(s.x, zero), s.x, graph.ZerosLike(s.x)))
	case arch.ReLU6:
		y := graph.Where(graph.GreaterThan(s.x, zero), s.x, graph.ZerosLike(s.x))
		six := graph.Scalar(y.Graph(), y.DType(), 6)
		return s.with(graph.Where(graph.GreaterThan(y, six), graph.MulScalar(graph.OnesLike(y), 6), y))
	case arch.GELU:
		phi := graph.AddScalar(graph.Erf(graph.MulScalar(s.x, math.Sqrt2/2)), 1)
		return s.with(graph.Mul(graph.MulScalar(s.x, 0.5), phi))
	default:
		panic(fmt.Sprintf("train: activation %d", f))
	}
}

// Add implements [arch.Layers].
func (n *net) Add(_ string, x, y arch.Value) arch.Value {
	s := x.(stack)
	return s.with(graph.Add(s.x, y.(stack).x))
}

// Tokens implements [arch.Layers].
func (n *net) Tokens(_ string, x arch.Value) arch.Value {
	s := x.(stack)
	d := s.x.Shape().Dimensions
	return s.with(graph.Reshape(s.x, d[0], d[1]*d[2], d[3]))
}

// Positions implements [arch.Layers].
func (n *net) Positions(name string, x arch.Value) arch.Value {
	s := x.(stack)
	dims := s.x.Shape().Dimensions[1:]
	w := n.variable(name, "weight", func() *tensors.Tensor { return n.normal(name, 0.02, dims...) })
	return s.with(graph.Add(s.x, graph.ExpandAxes(w.NodeValue(s.x), 0)))
}

// Attention implements [arch.Layers].
func (n *net) Attention(_ string, qkv arch.Value, heads int) arch.Value {
	s := qkv.(stack)
	d := s.x.Shape().Dimensions
	rows, tokens, width := d[0], d[1], d[2]/3
	part := func(i int) *graph.Node { // [rows*heads, tokens, width/heads]
		p := graph.Slice(s.x, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(i*width, (i+1)*width))
		p = graph.TransposeAllAxes(graph.Reshape(p, rows, tokens, heads, width/heads), 0, 2, 1, 3)
		return graph.Reshape(p, rows*heads, tokens, width/heads)
	}
	scores := graph.MulScalar(graph.Einsum("bqd,bkd->bqk", part(0), part(1)), 1/math.Sqrt(float64(width/heads)))
	y := graph.Einsum("bqk,bkd->bqd", graph.Exp(graph.LogSoftmax(scores)), part(2))
	y = graph.TransposeAllAxes(graph.Reshape(y, rows, heads, tokens, width/heads), 0, 2, 1, 3)
	return s.with(graph.Reshape(y, rows, tokens, width))
}

// Mean implements [arch.Layers].
func (n *net) Mean(_ string, x arch.Value) arch.Value {
	s := x.(stack)
	if s.x.Rank() == 3 {
		return s.with(graph.ReduceMean(s.x, 1))
	}
	return s.with(graph.ReduceMean(s.x, 1, 2))
}

// variable returns the variable net/layer/name, creating it at the first visit.
func (n *net) variable(layer, name string, initial func() *tensors.Tensor) *model.Variable {
	scope := n.scope.At("%s", n.name).At("%s", layer)
	if v := scope.GetVariable(name); v != nil {
		return v
	}
	return scope.VariableWithValue(name, initial())
}

// normal draws initial weights that depend on the seed and the layer's name alone.
func (n *net) normal(layer string, std float64, dims ...int) *tensors.Tensor {
	h := fnv.New64a()
	h.Write([]byte(n.name + "/" + layer))
	r := rand.New(rand.NewPCG(n.seed, h.Sum64()))
	data := make([]float32, product(dims))
	for i := range data {
		data[i] = float32(r.NormFloat64() * std)
	}
	return tensors.FromFlatDataAndDimensions(data, dims...)
}

func constant(v float32, dims ...int) *tensors.Tensor {
	data := make([]float32, product(dims))
	for i := range data {
		data[i] = v
	}
	return tensors.FromFlatDataAndDimensions(data, dims...)
}

func product(dims []int) int {
	p := 1
	for _, d := range dims {
		p *= d
	}
	return p
}
