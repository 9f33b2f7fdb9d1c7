package fastcpu

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/notimplemented"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// node is one recorded operation.
type node struct {
	op     string
	inputs []*value
	outs   []shapes.Shape
	attr   any
	// One of these says how it runs; parameters, constants and views (see source) have none.
	kernel  kernelFunc
	element *element
	emit    emitFunc // builds it in a program of the Go backend
	id      int
}

// value is one output of a node; it is this package's [compute.Value].
type value struct {
	node *node
	out  int
}

func (v *value) shape() shapes.Shape { return v.node.outs[v.out] }

// kernelFunc computes out from in.
type kernelFunc func(n *node, in, out []*buffer)

// emitFunc builds an operation in a function of the Go backend.
type emitFunc func(f compute.Function, in []compute.Value) ([]compute.Value, error)

type builder struct {
	compute.Builder // a builder of the Go backend, only ever used for shapes
	backend         *Backend
	name            string
	main            *function
}

func newBuilder(b *Backend, name string) *builder {
	shadow := b.Backend.Builder(name)
	bld := &builder{Builder: shadow, backend: b, name: name}
	bld.main = &function{builder: bld}
	bld.main.ErrFn = func(op compute.OpType) error { return fmt.Errorf("fastcpu: %s: %w", op, compute.ErrNotImplemented) }
	return bld
}

func (b *builder) Main() compute.Function { return b.main }

func (b *builder) OpShape(v compute.Value) (shapes.Shape, error) { return b.main.Shape(v) }

func (b *builder) NewFunction(name string) (compute.Function, error) {
	return nil, fmt.Errorf("fastcpu: function %s: only the main function is supported: %w", name, compute.ErrNotImplemented)
}

func (b *builder) Compile() (compute.Executable, error) { return compile(b.backend, b.main) }

// function records the operations of a main function. Operations without a method here are not implemented.
type function struct {
	notimplemented.Function
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

// delegate records an operation with one result that the Go backend runs.
func (f *function) delegate(op string, emit func(g compute.Function, in []compute.Value) (compute.Value, error), ins ...compute.Value) (compute.Value, error) {
	n, err := f.delegated(op, emit, ins...)
	if err != nil {
		return nil, err
	}
	return f.add(n), nil
}

func (f *function) delegated(op string, emit func(g compute.Function, in []compute.Value) (compute.Value, error), ins ...compute.Value) (*node, error) {
	return f.delegatedAll(op, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		v, err := emit(g, in)
		return []compute.Value{v}, err
	}, ins...)
}

// delegatedAll prepares a node that the Go backend runs. Its shapes come from building it there once.
func (f *function) delegatedAll(op string, emit emitFunc, ins ...compute.Value) (*node, error) {
	inputs, err := cast(ins...)
	if err != nil {
		return nil, err
	}
	bld := f.builder.backend.Backend.Builder(op)
	outs, err := emitInto(bld.Main(), emit, inputs)
	if err != nil {
		return nil, fmt.Errorf("fastcpu: %s: %w", op, err)
	}
	n := &node{op: op, inputs: inputs, emit: emit}
	for _, out := range outs {
		shape, err := bld.OpShape(out)
		if err != nil {
			return nil, err
		}
		n.outs = append(n.outs, shape)
	}
	return n, nil
}

func emitInto(g compute.Function, emit emitFunc, inputs []*value) ([]compute.Value, error) {
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
	if isF32(x, w) {
		if n := planConv(x.shape(), w.shape(), shape, axes, strides, paddings, inputDilations, kernelDilations, channelGroups, batchGroups); n != nil {
			n.inputs, n.outs = vals, []shapes.Shape{shape}
			return f.add(n), nil
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
