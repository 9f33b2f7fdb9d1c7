package train

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// conv is a convolution of size x size without bias, padded by (size-1)/2 on each side as torch does it.
// x is NHWC; the weight is [size, size, in, out].
func (n *net) conv(name string, x *graph.Node, out, size, stride int) *graph.Node {
	in := x.Shape().Dimensions[3]
	w := n.variable(name, "weight", func() *tensors.Tensor { return n.normal(name, math.Sqrt(2/float64(size*size*in)), size, size, in, out) })
	pad := (size - 1) / 2
	return graph.Convolve(x, w.NodeValue(x)).StridePerAxis(stride, stride).PaddingPerDim([][2]int{{pad, pad}, {pad, pad}}).Done()
}

// linear is x w + b, for x [batch, in] and w [in, out].
func (n *net) linear(name string, x *graph.Node, out int) *graph.Node {
	in := x.Shape().Dimensions[1]
	w := n.variable(name, "weight", func() *tensors.Tensor { return n.normal(name, math.Sqrt(1/float64(in)), in, out) })
	b := n.variable(name, "bias", func() *tensors.Tensor { return constant(0, out) })
	return graph.Add(graph.Dot(x, w.NodeValue(x)).Product(), graph.ExpandAxes(b.NodeValue(x), 0))
}

func relu(x *graph.Node) *graph.Node {
	return graph.Where(graph.GreaterThan(x, graph.ScalarZero(x.Graph(), dtypes.Float32)), x, graph.ZerosLike(x))
}

// variable returns the variable net/layer/name, creating it at the first visit.
func (n *net) variable(layer, name string, initial func() *tensors.Tensor) *model.Variable {
	scope := n.scope.At("%s", n.name).At("%s", layer)
	if v := scope.GetVariable(name); v != nil {
		return v
	}
	return scope.VariableWithValue(name, initial())
}
