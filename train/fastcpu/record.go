package fastcpu

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// node is one recorded operation.
type node struct {
	op     string
	inputs []*value
	outs   []shapes.Shape
	attr   any
	kernel kernelFunc // nil: delegated (or a parameter or constant)
	// emit builds a delegated operation in a program of the Go backend.
	emit func(f compute.Function, in []compute.Value) (compute.Value, error)
	id   int
}

// value is one output of a node; it is this package's [compute.Value].
type value struct {
	node *node
	out  int
}

func (v *value) shape() shapes.Shape { return v.node.outs[v.out] }

// kernelFunc computes out from in. inPlace says that out[0] is in[i] for some i of equal size (see node kernels).
type kernelFunc func(x *execution, n *node, in, out []*buffer)

type builder struct {
	compute.Builder // a builder of the Go backend, only ever used for shapes
	backend         *Backend
	name            string
	main            *function
}

func newBuilder(b *Backend, name string) *builder {
	shadow := b.Backend.Builder(name)
	bld := &builder{Builder: shadow, backend: b, name: name}
	bld.main = &function{Function: shadow.Main(), builder: bld}
	return bld
}

func (b *builder) Main() compute.Function { return b.main }

func (b *builder) OpShape(v compute.Value) (shapes.Shape, error) { return b.main.Shape(v) }

func (b *builder) NewFunction(name string) (compute.Function, error) {
	return nil, fmt.Errorf("fastcpu: function %s: only the main function is supported: %w", name, compute.ErrNotImplemented)
}

func (b *builder) Compile() (compute.Executable, error) { return compile(b.backend, b.main) }

// function records the operations of a main function. Operations without a method here belong to the embedded Go
// backend function, which refuses the foreign values with an error.
type function struct {
	compute.Function
	builder *builder
	nodes   []*node
	params  []*node
	names   []string
	outputs []*value
}

func (f *function) Builder() compute.Builder { return f.builder }

func (f *function) Closure() (compute.Function, error) {
	return nil, fmt.Errorf("fastcpu: closures: %w", compute.ErrNotImplemented)
}

func (f *function) Shape(v compute.Value) (shapes.Shape, error) {
	val, ok := v.(*value)
	if !ok {
		return shapes.Invalid(), fmt.Errorf("fastcpu: value of type %T is not of this backend", v)
	}
	return val.shape(), nil
}

func (f *function) add(n *node) *value {
	n.id = len(f.nodes)
	f.nodes = append(f.nodes, n)
	return &value{node: n}
}

func cast(vs ...compute.Value) ([]*value, error) {
	out := make([]*value, len(vs))
	for i, v := range vs {
		val, ok := v.(*value)
		if !ok {
			return nil, fmt.Errorf("fastcpu: value of type %T is not of this backend", v)
		}
		out[i] = val
	}
	return out, nil
}

type emitFunc func(f compute.Function, in []compute.Value) (compute.Value, error)

// delegate records an operation that the Go backend runs. Its shape comes from building it there once.
func (f *function) delegate(op string, emit emitFunc, ins ...compute.Value) (compute.Value, error) {
	n, err := f.delegated(op, emit, ins...)
	if err != nil {
		return nil, err
	}
	return f.add(n), nil
}

func (f *function) delegated(op string, emit emitFunc, ins ...compute.Value) (*node, error) {
	inputs, err := cast(ins...)
	if err != nil {
		return nil, err
	}
	bld := f.builder.backend.Backend.Builder(op)
	out, err := emitInto(bld.Main(), emit, inputs)
	if err != nil {
		return nil, fmt.Errorf("fastcpu: %s: %w", op, err)
	}
	shape, err := bld.OpShape(out)
	if err != nil {
		return nil, err
	}
	return &node{op: op, inputs: inputs, outs: []shapes.Shape{shape}, emit: emit}, nil
}

func emitInto(g compute.Function, emit emitFunc, inputs []*value) (compute.Value, error) {
	params := make([]compute.Value, len(inputs))
	for i, in := range inputs {
		p, err := g.Parameter(fmt.Sprintf("p%d", i), in.shape(), nil)
		if err != nil {
			return nil, err
		}
		params[i] = p
	}
	return emit(g, params)
}

func (f *function) native(op string, kernel kernelFunc, attr any, shape shapes.Shape, inputs ...*value) compute.Value {
	return f.add(&node{op: op, kernel: kernel, attr: attr, outs: []shapes.Shape{shape}, inputs: inputs})
}

func (f *function) Parameter(name string, shape shapes.Shape, _ *compute.ShardingSpec) (compute.Value, error) {
	v := f.add(&node{op: "Parameter", outs: []shapes.Shape{shape}})
	f.params = append(f.params, v.node)
	f.names = append(f.names, name)
	return v, nil
}

func (f *function) Constant(flat any, dims ...int) (compute.Value, error) {
	v, err := f.delegate("Constant", func(g compute.Function, _ []compute.Value) (compute.Value, error) {
		return g.Constant(flat, dims...)
	})
	if err != nil {
		return nil, err
	}
	n := v.(*value).node
	buf := f.builder.backend.alloc(n.outs[0])
	if err := copyFlat(buf.flat, flat); err != nil {
		return nil, err
	}
	n.attr = buf
	return v, nil
}

func (f *function) Return(outputs []compute.Value, _ []*compute.ShardingSpec) error {
	vals, err := cast(outputs...)
	f.outputs = vals
	return err
}

// ---- element-wise ----

func isF32(vs ...*value) bool {
	for _, v := range vs {
		if v.shape().DType != dtypes.Float32 {
			return false
		}
	}
	return true
}

// scalarOf returns the scalar that v is a broadcast of, or v.
func scalarOf(v *value) *value {
	if v.node.op == "BroadcastInDim" && v.node.inputs[0].shape().Size() == 1 {
		return v.node.inputs[0]
	}
	return v
}

func (f *function) binary(op binaryOp, lhs, rhs compute.Value) (compute.Value, error) {
	vals, err := cast(lhs, rhs)
	if err != nil {
		return nil, err
	}
	a, b := vals[0], vals[1]
	if isF32(a, b) && (a.shape().Equal(b.shape()) || a.shape().Rank() == 0 || b.shape().Rank() == 0) {
		shape := a.shape()
		if shape.Rank() == 0 {
			shape = b.shape()
		}
		sa, sb := scalarOf(a), scalarOf(b)
		if sa.shape().Size() == 1 && sb.shape().Size() == 1 && shape.Size() > 1 {
			sa = a
		}
		if sa.shape().Size() == shape.Size() || sb.shape().Size() == shape.Size() {
			return f.native(op.String(), binaryKernel, op, shape, sa, sb), nil
		}
	}
	return f.delegate(op.String(), func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return op.emit(g, in[0], in[1])
	}, lhs, rhs)
}

func (f *function) Add(a, b compute.Value) (compute.Value, error) { return f.binary(opAdd, a, b) }
func (f *function) Sub(a, b compute.Value) (compute.Value, error) { return f.binary(opSub, a, b) }
func (f *function) Mul(a, b compute.Value) (compute.Value, error) { return f.binary(opMul, a, b) }
func (f *function) Div(a, b compute.Value) (compute.Value, error) { return f.binary(opDiv, a, b) }
func (f *function) Max(a, b compute.Value) (compute.Value, error) { return f.binary(opMax, a, b) }

func (f *function) Sqrt(x compute.Value) (compute.Value, error) {
	vals, err := cast(x)
	if err != nil {
		return nil, err
	}
	if isF32(vals[0]) {
		return f.native("Sqrt", sqrtKernel, nil, vals[0].shape(), vals[0]), nil
	}
	return f.delegate("Sqrt", func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.Sqrt(in[0]) }, x)
}

func (f *function) Where(cond, onTrue, onFalse compute.Value) (compute.Value, error) {
	vals, err := cast(cond, onTrue, onFalse)
	if err != nil {
		return nil, err
	}
	c := vals[0].node
	a, b := scalarOf(vals[1]), scalarOf(vals[2])
	if c.op == "GreaterThan" && isF32(a, b, c.inputs[0], c.inputs[1]) && scalarOf(c.inputs[1]).shape().Size() == 1 {
		shape := c.inputs[0].shape()
		ok := func(v *value) bool { return v.shape().Equal(shape) || v.shape().Size() == 1 }
		if ok(a) && ok(b) {
			return f.native("SelectGreater", selectKernel, nil, shape, c.inputs[0], scalarOf(c.inputs[1]), a, b), nil
		}
	}
	return f.delegate("Where", func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Where(in[0], in[1], in[2])
	}, cond, onTrue, onFalse)
}

// ---- layers ----

func (f *function) ConvGeneral(input, kernel compute.Value, axes compute.ConvolveAxesConfig, strides []int, paddings [][2]int,
	inputDilations, kernelDilations []int, channelGroups, batchGroups int) (compute.Value, error) {
	vals, err := cast(input, kernel)
	if err != nil {
		return nil, err
	}
	x, w := vals[0], vals[1]
	shape, err := shapeinference.ConvGeneral(x.shape(), w.shape(), axes, strides, paddings, inputDilations, kernelDilations,
		channelGroups, batchGroups)
	if err != nil {
		return nil, err
	}
	if isF32(x, w) && channelGroups <= 1 && batchGroups <= 1 {
		if p, ok := planImageConv(x.shape(), w.shape(), shape, axes, strides, paddings, inputDilations, kernelDilations); ok {
			return f.native("Conv", convKernel, p, shape, x, w), nil
		}
		if p, ok := planKernelGrad(x.shape(), w.shape(), shape, axes, strides, paddings, inputDilations, kernelDilations); ok {
			return f.native("ConvKernelGrad", convKernelGrad, p, shape, x, w), nil
		}
	}
	return f.delegate("ConvGeneral", func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.ConvGeneral(in[0], in[1], axes, strides, paddings, inputDilations, kernelDilations, channelGroups, batchGroups)
	}, input, kernel)
}

func (f *function) BatchNormForTraining(operand, scale, offset compute.Value, epsilon float32, axis int) (
	normalized, mean, variance compute.Value, err error) {
	vals, err := cast(operand, scale, offset)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := checkBatchNorm(vals[0], axis); err != nil {
		return nil, nil, nil, err
	}
	c := vals[1].shape()
	n := f.add(&node{op: "BatchNorm", kernel: batchNormKernel, attr: epsilon, inputs: vals,
		outs: []shapes.Shape{vals[0].shape(), c, c}}).node
	return &value{n, 0}, &value{n, 1}, &value{n, 2}, nil
}

func (f *function) BatchNormForInference(operand, scale, offset, mean, variance compute.Value, epsilon float32, axis int) (compute.Value, error) {
	vals, err := cast(operand, scale, offset, mean, variance)
	if err != nil {
		return nil, err
	}
	if err := checkBatchNorm(vals[0], axis); err != nil {
		return nil, err
	}
	return f.native("BatchNormInference", batchNormInferenceKernel, epsilon, vals[0].shape(), vals...), nil
}

func (f *function) BatchNormGradient(operand, scale, mean, variance, gradOutput compute.Value, epsilon float32, axis int) (
	gradOperand, gradScale, gradOffset compute.Value, err error) {
	vals, err := cast(operand, scale, mean, variance, gradOutput)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := checkBatchNorm(vals[0], axis); err != nil {
		return nil, nil, nil, err
	}
	c := vals[1].shape()
	n := f.add(&node{op: "BatchNormGrad", kernel: batchNormGradKernel, attr: epsilon, inputs: vals,
		outs: []shapes.Shape{vals[0].shape(), c, c}}).node
	return &value{n, 0}, &value{n, 1}, &value{n, 2}, nil
}

func checkBatchNorm(x *value, axis int) error {
	if s := x.shape(); s.DType != dtypes.Float32 || axis != s.Rank()-1 {
		return fmt.Errorf("fastcpu: batch normalization of %s on axis %d: only float32 with channels last: %w", s, axis, compute.ErrNotImplemented)
	}
	return nil
}

// ---- movement ----

func (f *function) Identity(x compute.Value) (compute.Value, error) { return x, nil }

func (f *function) Reshape(x compute.Value, dims ...int) (compute.Value, error) {
	vals, err := cast(x)
	if err != nil {
		return nil, err
	}
	shape, err := shapeinference.Reshape(vals[0].shape(), dims)
	if err != nil {
		return nil, err
	}
	if !isF32(vals[0]) {
		return f.delegate("Reshape", func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.Reshape(in[0], dims...) }, x)
	}
	return f.native("Reshape", copyKernel, nil, shape, vals[0]), nil
}

func (f *function) Slice(x compute.Value, starts, limits, strides []int) (compute.Value, error) {
	n, err := f.delegated("Slice", func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Slice(in[0], starts, limits, strides)
	}, x)
	if err != nil {
		return nil, err
	}
	in, out := n.inputs[0].shape(), n.outs[0]
	if isF32(n.inputs[0]) && in.Rank() > 0 && out.Dimensions[0] == limits[0]-starts[0] && in.Size()/in.Dimensions[0] == out.Size()/max(1, out.Dimensions[0]) {
		row := in.Size() / in.Dimensions[0]
		return f.native("SliceRows", sliceRowsKernel, starts[0]*row, out, n.inputs[0]), nil
	}
	return f.add(n), nil
}

func (f *function) Pad(x, fill compute.Value, axesConfig ...compute.PadAxis) (compute.Value, error) {
	n, err := f.delegated("Pad", func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Pad(in[0], in[1], axesConfig...)
	}, x, fill)
	if err != nil {
		return nil, err
	}
	if len(axesConfig) > 0 && isF32(n.inputs...) && axesConfig[0].Interior == 0 && axesConfig[0].Start >= 0 && axesConfig[0].End >= 0 {
		rowsOnly := true
		for _, a := range axesConfig[1:] {
			rowsOnly = rowsOnly && a == compute.PadAxis{}
		}
		if out := n.outs[0]; rowsOnly {
			return f.native("PadRows", padRowsKernel, axesConfig[0].Start*(out.Size()/out.Dimensions[0]), out, n.inputs...), nil
		}
	}
	return f.add(n), nil
}

func (f *function) Concatenate(axis int, operands ...compute.Value) (compute.Value, error) {
	n, err := f.delegated("Concatenate", func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Concatenate(axis, in...)
	}, operands...)
	if err != nil {
		return nil, err
	}
	if axis == 0 && isF32(n.inputs...) {
		return f.native("ConcatRows", concatRowsKernel, nil, n.outs[0], n.inputs...), nil
	}
	return f.add(n), nil
}
