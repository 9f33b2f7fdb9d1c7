package fastcpu

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// This file lists the operations that always run in the Go backend.

func (f *function) unary(op string, x compute.Value, emit func(g compute.Function, x compute.Value) (compute.Value, error)) (compute.Value, error) {
	return f.delegate(op, func(g compute.Function, in []compute.Value) (compute.Value, error) { return emit(g, in[0]) }, x)
}

func (f *function) pair(op string, a, b compute.Value, emit emitPair) (compute.Value, error) {
	return f.delegate(op, func(g compute.Function, in []compute.Value) (compute.Value, error) { return emit(g, in[0], in[1]) }, a, b)
}

func (f *function) reduce(op string, x compute.Value, axes []int, emit func(g compute.Function, x compute.Value, axes ...int) (compute.Value, error)) (compute.Value, error) {
	return f.unary(op, x, func(g compute.Function, x compute.Value) (compute.Value, error) { return emit(g, x, axes...) })
}

func (f *function) Sin(x compute.Value) (compute.Value, error) {
	return f.unary("Sin", x, compute.Function.Sin)
}
func (f *function) Cos(x compute.Value) (compute.Value, error) {
	return f.unary("Cos", x, compute.Function.Cos)
}
func (f *function) Log1p(x compute.Value) (compute.Value, error) {
	return f.unary("Log1p", x, compute.Function.Log1p)
}
func (f *function) Expm1(x compute.Value) (compute.Value, error) {
	return f.unary("Expm1", x, compute.Function.Expm1)
}
func (f *function) Floor(x compute.Value) (compute.Value, error) {
	return f.unary("Floor", x, compute.Function.Floor)
}
func (f *function) Ceil(x compute.Value) (compute.Value, error) {
	return f.unary("Ceil", x, compute.Function.Ceil)
}
func (f *function) Round(x compute.Value) (compute.Value, error) {
	return f.unary("Round", x, compute.Function.Round)
}
func (f *function) IsNaN(x compute.Value) (compute.Value, error) {
	return f.unary("IsNaN", x, compute.Function.IsNaN)
}
func (f *function) BitwiseNot(x compute.Value) (compute.Value, error) {
	return f.unary("BitwiseNot", x, compute.Function.BitwiseNot)
}

func (f *function) Rem(a, b compute.Value) (compute.Value, error) {
	return f.pair("Rem", a, b, compute.Function.Rem)
}
func (f *function) BitwiseAnd(a, b compute.Value) (compute.Value, error) {
	return f.pair("BitwiseAnd", a, b, compute.Function.BitwiseAnd)
}
func (f *function) BitwiseOr(a, b compute.Value) (compute.Value, error) {
	return f.pair("BitwiseOr", a, b, compute.Function.BitwiseOr)
}
func (f *function) BitwiseXor(a, b compute.Value) (compute.Value, error) {
	return f.pair("BitwiseXor", a, b, compute.Function.BitwiseXor)
}
func (f *function) ShiftLeft(a, b compute.Value) (compute.Value, error) {
	return f.pair("ShiftLeft", a, b, compute.Function.ShiftLeft)
}
func (f *function) ShiftRightLogical(a, b compute.Value) (compute.Value, error) {
	return f.pair("ShiftRightLogical", a, b, compute.Function.ShiftRightLogical)
}
func (f *function) ShiftRightArithmetic(a, b compute.Value) (compute.Value, error) {
	return f.pair("ShiftRightArithmetic", a, b, compute.Function.ShiftRightArithmetic)
}

func (f *function) ReduceProduct(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce("ReduceProduct", x, axes, compute.Function.ReduceProduct)
}
func (f *function) ReduceLogicalAnd(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce("ReduceLogicalAnd", x, axes, compute.Function.ReduceLogicalAnd)
}
func (f *function) ReduceLogicalOr(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce("ReduceLogicalOr", x, axes, compute.Function.ReduceLogicalOr)
}

func (f *function) ReduceWindow(x compute.Value, reduction compute.ReduceOpType, window, strides, inputDilations, windowDilations []int,
	paddings [][2]int) (compute.Value, error) {
	return f.unary("ReduceWindow", x, func(g compute.Function, x compute.Value) (compute.Value, error) {
		return g.ReduceWindow(x, reduction, window, strides, inputDilations, windowDilations, paddings)
	})
}

func (f *function) ArgMinMax(x compute.Value, axis int, dtype dtypes.DType, isMin bool) (compute.Value, error) {
	return f.unary("ArgMinMax", x, func(g compute.Function, x compute.Value) (compute.Value, error) {
		return g.ArgMinMax(x, axis, dtype, isMin)
	})
}

func (f *function) Bitcast(x compute.Value, dtype dtypes.DType) (compute.Value, error) {
	return f.unary("Bitcast", x, func(g compute.Function, x compute.Value) (compute.Value, error) { return g.Bitcast(x, dtype) })
}

func (f *function) Iota(shape shapes.Shape, axis int) (compute.Value, error) {
	return f.delegate("Iota", func(g compute.Function, _ []compute.Value) (compute.Value, error) { return g.Iota(shape, axis) })
}

func (f *function) Gather(x, indices compute.Value, indexVectorAxis int, offsetAxes, collapsedAxes, startIndexMap, sizes []int, sorted bool) (compute.Value, error) {
	return f.pair("Gather", x, indices, func(g compute.Function, x, indices compute.Value) (compute.Value, error) {
		return g.Gather(x, indices, indexVectorAxis, offsetAxes, collapsedAxes, startIndexMap, sizes, sorted)
	})
}

func (f *function) ScatterSum(x, indices, updates compute.Value, indexVectorAxis int, windowAxes, insertedAxes, scatterAxes []int,
	sorted, unique bool) (compute.Value, error) {
	return f.delegate("ScatterSum", func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.ScatterSum(in[0], in[1], in[2], indexVectorAxis, windowAxes, insertedAxes, scatterAxes, sorted, unique)
	}, x, indices, updates)
}

func (f *function) RNGBitGenerator(state compute.Value, shape shapes.Shape) (newState, values compute.Value, err error) {
	n, err := f.delegatedAll("RNGBitGenerator", func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		state, bits, err := g.RNGBitGenerator(in[0], shape)
		return []compute.Value{state, bits}, err
	}, state)
	if err != nil {
		return nil, nil, err
	}
	f.add(n)
	return &value{n, 0}, &value{n, 1}, nil
}

func (f *function) OptimizationBarrier(operands ...compute.Value) ([]compute.Value, error) {
	return operands, nil
}

func (f *function) SchedulingBarrier(x compute.Value, _ ...compute.Value) (compute.Value, error) {
	return x, nil
}
