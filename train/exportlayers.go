package train

import (
	"math"

	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/train/arch"
)

// exporter writes one path as an ONNX graph; it implements [arch.Layers] on values of type tensor, in the operators that
// torch.onnx writes. Its first error stays in err.
type exporter struct {
	t            *Trainer
	path         Path
	sets         normSets
	stage, block int
	graph        *onnx.GraphProto
	err          error
}

// tensor is a value of the graph and its shape as [arch.Layers] has it; images are [1, channels, height, width] in ONNX.
type tensor struct {
	name  string
	shape []int
}

func (t *Trainer) onnxModel(p Path) (*onnx.ModelProto, error) {
	e := &exporter{t: t, path: p, sets: t.cfg.Net.sets(p.mate()), graph: &onnx.GraphProto{Name: p.String()}}
	s := t.data.Spec()
	e.graph.Input = append(e.graph.Input, onnx.FloatValue(inputName, 1, 3, int64(s.Height), int64(s.Width)))
	e.graph.Output = append(e.graph.Output, onnx.FloatValue(outputName, 1, int64(t.classes())))
	y := arch.Forward(e, t.arch, p.Depth, t.classes(), tensor{inputName, []int{s.Height, s.Width, 3}}).(tensor)
	if e.err != nil {
		return nil, e.err
	}
	for _, n := range e.graph.Node {
		if n.Output[0] == y.name {
			n.Output[0] = outputName
		}
	}
	return onnx.NewModel(producer, e.graph), nil
}

// At implements [arch.Layers].
func (e *exporter) At(stage, block int) { e.stage, e.block = stage, block }

// Shape implements [arch.Layers].
func (e *exporter) Shape(x arch.Value) []int { return x.(tensor).shape }

// node adds an operation with one output, named after itself. Operands are value names or attributes.
func (e *exporter) node(op, name string, operands ...any) string {
	name = e.path.mate() + "." + name
	n := onnx.NewNode(op, name, nil, []string{name})
	for _, o := range operands {
		switch o := o.(type) {
		case string:
			n.Input = append(n.Input, o)
		case *onnx.AttributeProto:
			n.Attribute = append(n.Attribute, o)
		}
	}
	e.graph.Node = append(e.graph.Node, n)
	return name
}

func (e *exporter) initializer(name string, dims []int, data []float32) string {
	name = e.path.mate() + "." + name
	e.graph.Initializer = append(e.graph.Initializer, onnx.FloatTensor(name, wide(dims), data))
	return name
}

func wide(dims []int) []int64 {
	out := make([]int64, len(dims))
	for i, d := range dims {
		out[i] = int64(d)
	}
	return out
}

// weight writes a variable as an initializer, its axes in the given order (none is as it is).
func (e *exporter) weight(layer, name string, order ...int) string {
	if e.err != nil {
		return ""
	}
	data, dims, err := e.t.weight(e.path.mate(), layer, name)
	if err != nil {
		e.err = err
		return ""
	}
	if len(order) > 0 {
		data, dims = permute(data, dims, order...)
	}
	return e.initializer(layer+"."+name, dims, data)
}

func (e *exporter) scalar(name string, v float64) string {
	return e.initializer(name, nil, []float32{float32(v)})
}

func (e *exporter) integers(name string, dims []int64, v ...int64) string {
	name = e.path.mate() + "." + name
	e.graph.Initializer = append(e.graph.Initializer, onnx.Int64Tensor(name, dims, v))
	return name
}

// reshape writes a Reshape to the given dimensions.
func (e *exporter) reshape(name, x string, dims ...int64) string {
	return e.node("Reshape", name, x, e.integers(name+".shape", []int64{int64(len(dims))}, dims...))
}

// Conv implements [arch.Layers].
func (e *exporter) Conv(name string, x arch.Value, c arch.Conv) arch.Value {
	t := x.(tensor)
	in, groups := t.shape[2], int64(1)
	if c.Depthwise {
		groups = int64(in)
	}
	size, stride, pad := int64(c.Size), int64(c.Stride), (c.Size-1)/2
	p := int64(pad)
	y := e.node("Conv", name, t.name, e.weight(name, "weight", 3, 2, 0, 1), onnx.IntsAttribute("dilations", 1, 1),
		onnx.IntAttribute("group", groups), onnx.IntsAttribute("kernel_shape", size, size), onnx.IntsAttribute("pads", p, p, p, p),
		onnx.IntsAttribute("strides", stride, stride))
	out := func(n int) int { return (n+2*pad-c.Size)/c.Stride + 1 }
	return tensor{y, []int{out(t.shape[0]), out(t.shape[1]), c.Out}}
}

// Norm implements [arch.Layers].
func (e *exporter) Norm(name string, x arch.Value, _ float32) arch.Value {
	t := x.(tensor)
	key, err := e.sets.key(e.path.Depth, e.stage, e.block)
	if err != nil && e.err == nil {
		e.err = err
	}
	name = setName(name, key)
	return tensor{e.node("BatchNormalization", name, t.name, e.weight(name, "weight"), e.weight(name, "bias"),
		e.weight(name, "running_mean"), e.weight(name, "running_var"), onnx.FloatAttribute("epsilon", normEpsilon),
		onnx.FloatAttribute("momentum", normMomentum)), t.shape}
}

// LayerNorm implements [arch.Layers].
func (e *exporter) LayerNorm(name string, x arch.Value) arch.Value {
	t := x.(tensor)
	return tensor{e.node("LayerNormalization", name, t.name, e.weight(name, "weight"), e.weight(name, "bias"),
		onnx.IntAttribute("axis", -1), onnx.FloatAttribute("epsilon", normEpsilon)), t.shape}
}

// Activate implements [arch.Layers].
func (e *exporter) Activate(name string, f arch.Activation, x arch.Value) arch.Value {
	t := x.(tensor)
	y := t.name
	switch f {
	case arch.ReLU:
		y = e.node("Relu", name, y)
	case arch.ReLU6:
		y = e.node("Clip", name, y, e.scalar(name+".min", 0), e.scalar(name+".max", 6))
	case arch.GELU:
		phi := e.node("Erf", name+".erf", e.node("Div", name+".div", y, e.scalar(name+".root2", math.Sqrt2)))
		phi = e.node("Add", name+".add", phi, e.scalar(name+".one", 1))
		y = e.node("Mul", name, e.node("Mul", name+".mul", y, phi), e.scalar(name+".half", 0.5))
	}
	return tensor{y, t.shape}
}

// Add implements [arch.Layers].
func (e *exporter) Add(name string, x, y arch.Value) arch.Value {
	return tensor{e.node("Add", name, x.(tensor).name, y.(tensor).name), x.(tensor).shape}
}

// Linear is Gemm on the pooled vector, and MatMul with Add on tokens.
func (e *exporter) Linear(name string, x arch.Value, out int, _ float32) arch.Value {
	t := x.(tensor)
	if len(t.shape) == 1 {
		return tensor{e.node("Gemm", name, t.name, e.weight(name, "weight", 1, 0), e.weight(name, "bias"),
			onnx.FloatAttribute("alpha", 1), onnx.FloatAttribute("beta", 1), onnx.IntAttribute("transB", 1)), []int{out}}
	}
	y := e.node("MatMul", name+".matmul", t.name, e.weight(name, "weight"))
	return tensor{e.node("Add", name, y, e.weight(name, "bias")), []int{t.shape[0], out}}
}

// Tokens implements [arch.Layers].
func (e *exporter) Tokens(name string, x arch.Value) arch.Value {
	t := x.(tensor)
	tokens, width := t.shape[0]*t.shape[1], t.shape[2]
	y := e.reshape(name+".reshape", t.name, 1, int64(width), int64(tokens))
	return tensor{e.node("Transpose", name, y, onnx.IntsAttribute("perm", 0, 2, 1)), []int{tokens, width}}
}

// Positions implements [arch.Layers].
func (e *exporter) Positions(name string, x arch.Value) arch.Value {
	t := x.(tensor)
	if e.err != nil {
		return t
	}
	data, dims, err := e.t.weight(e.path.mate(), name, "weight")
	if err != nil {
		e.err = err
		return t
	}
	return tensor{e.node("Add", name, t.name, e.initializer(name+".weight", append([]int{1}, dims...), data)), t.shape}
}

// Attention implements [arch.Layers].
func (e *exporter) Attention(name string, qkv arch.Value, heads int) arch.Value {
	t := qkv.(tensor)
	tokens, width := int64(t.shape[0]), int64(t.shape[1]/3)
	each := width / int64(heads)
	x := e.reshape(name+".split", t.name, 1, tokens, 3, int64(heads), each)
	x = e.node("Transpose", name+".order", x, onnx.IntsAttribute("perm", 2, 0, 3, 1, 4)) // [3, 1, heads, tokens, each]
	part := func(i int64, what string) string {
		return e.node("Gather", name+"."+what, x, e.integers(name+"."+what+".index", nil, i), onnx.IntAttribute("axis", 0))
	}
	k := e.node("Transpose", name+".kt", part(1, "k"), onnx.IntsAttribute("perm", 0, 1, 3, 2))
	scores := e.node("MatMul", name+".scores", part(0, "q"), k)
	scores = e.node("Mul", name+".scaled", scores, e.scalar(name+".scale", 1/math.Sqrt(float64(each))))
	y := e.node("MatMul", name+".mix", e.node("Softmax", name+".softmax", scores, onnx.IntAttribute("axis", -1)), part(2, "v"))
	y = e.node("Transpose", name+".back", y, onnx.IntsAttribute("perm", 0, 2, 1, 3))
	return tensor{e.reshape(name, y, 1, tokens, width), []int{int(tokens), int(width)}}
}

// Mean implements [arch.Layers].
func (e *exporter) Mean(name string, x arch.Value) arch.Value {
	t := x.(tensor)
	width := t.shape[len(t.shape)-1]
	if len(t.shape) == 3 {
		y := e.node("GlobalAveragePool", name, t.name)
		return tensor{e.node("Flatten", name+".flatten", y, onnx.IntAttribute("axis", 1)), []int{width}}
	}
	return tensor{e.node("ReduceMean", name, t.name, onnx.IntsAttribute("axes", 1), onnx.IntAttribute("keepdims", 0)), []int{width}}
}

// permute reorders a row-major tensor: axis i of the result is axis order[i] of data.
func permute(data []float32, dims []int, order ...int) ([]float32, []int) {
	stride := make([]int, len(dims))
	n := 1
	for i := len(dims) - 1; i >= 0; i-- {
		stride[i] = n
		n *= dims[i]
	}
	out := make([]float32, 0, len(data))
	var walk func(axis, at int)
	walk = func(axis, at int) {
		if axis == len(order) {
			out = append(out, data[at])
			return
		}
		for i := range dims[order[axis]] {
			walk(axis+1, at+i*stride[order[axis]])
		}
	}
	if len(data) > 0 {
		walk(0, 0)
	}
	turned := make([]int, len(order))
	for i, o := range order {
		turned[i] = dims[o]
	}
	return out, turned
}
