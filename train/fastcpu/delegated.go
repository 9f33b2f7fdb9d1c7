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

func (f *function) Abs(x compute.Value) (compute.Value, error) {
	return f.unary("Abs", x, compute.Function.Abs)
}
func (f *function) Neg(x compute.Value) (compute.Value, error) {
	return f.unary("Neg", x, compute.Function.Neg)
}
func (f *function) Exp(x compute.Value) (compute.Value, error) {
	return f.unary("Exp", x, compute.Function.Exp)
}
func (f *function) Log(x compute.Value) (compute.Value, error) {
	return f.unary("Log", x, compute.Function.Log)
}
func (f *function) Sign(x compute.Value) (compute.Value, error) {
	return f.unary("Sign", x, compute.Function.Sign)
}
func (f *function) Cos(x compute.Value) (compute.Value, error) {
	return f.unary("Cos", x, compute.Function.Cos)
}
func (f *function) LogicalNot(x compute.Value) (compute.Value, error) {
	return f.unary("LogicalNot", x, compute.Function.LogicalNot)
}
func (f *function) IsFinite(x compute.Value) (compute.Value, error) {
	return f.unary("IsFinite", x, compute.Function.IsFinite)
}

func (f *function) pair(op string, a, b compute.Value, emit func(g compute.Function, a, b compute.Value) (compute.Value, error)) (compute.Value, error) {
	return f.delegate(op, func(g compute.Function, in []compute.Value) (compute.Value, error) { return emit(g, in[0], in[1]) }, a, b)
}

func (f *function) Min(a, b compute.Value) (compute.Value, error) {
	return f.pair("Min", a, b, compute.Function.Min)
}
func (f *function) Pow(a, b compute.Value) (compute.Value, error) {
	return f.pair("Pow", a, b, compute.Function.Pow)
}
func (f *function) Rem(a, b compute.Value) (compute.Value, error) {
	return f.pair("Rem", a, b, compute.Function.Rem)
}
func (f *function) Equal(a, b compute.Value) (compute.Value, error) {
	return f.pair("Equal", a, b, compute.Function.Equal)
}
func (f *function) NotEqual(a, b compute.Value) (compute.Value, error) {
	return f.pair("NotEqual", a, b, compute.Function.NotEqual)
}
func (f *function) GreaterThan(a, b compute.Value) (compute.Value, error) {
	return f.pair("GreaterThan", a, b, compute.Function.GreaterThan)
}
func (f *function) GreaterOrEqual(a, b compute.Value) (compute.Value, error) {
	return f.pair("GreaterOrEqual", a, b, compute.Function.GreaterOrEqual)
}
func (f *function) LessThan(a, b compute.Value) (compute.Value, error) {
	return f.pair("LessThan", a, b, compute.Function.LessThan)
}
func (f *function) LessOrEqual(a, b compute.Value) (compute.Value, error) {
	return f.pair("LessOrEqual", a, b, compute.Function.LessOrEqual)
}
func (f *function) LogicalAnd(a, b compute.Value) (compute.Value, error) {
	return f.pair("LogicalAnd", a, b, compute.Function.LogicalAnd)
}
func (f *function) LogicalOr(a, b compute.Value) (compute.Value, error) {
	return f.pair("LogicalOr", a, b, compute.Function.LogicalOr)
}

func (f *function) reduce(op string, x compute.Value, axes []int, emit func(g compute.Function, x compute.Value, axes ...int) (compute.Value, error)) (compute.Value, error) {
	return f.unary(op, x, func(g compute.Function, x compute.Value) (compute.Value, error) { return emit(g, x, axes...) })
}

func (f *function) ReduceSum(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce("ReduceSum", x, axes, compute.Function.ReduceSum)
}
func (f *function) ReduceMax(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce("ReduceMax", x, axes, compute.Function.ReduceMax)
}
func (f *function) ReduceMin(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce("ReduceMin", x, axes, compute.Function.ReduceMin)
}
func (f *function) ReduceLogicalAnd(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce("ReduceLogicalAnd", x, axes, compute.Function.ReduceLogicalAnd)
}
func (f *function) Reverse(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce("Reverse", x, axes, compute.Function.Reverse)
}
func (f *function) Transpose(x compute.Value, permutation ...int) (compute.Value, error) {
	return f.reduce("Transpose", x, permutation, compute.Function.Transpose)
}

func (f *function) BroadcastInDim(x compute.Value, shape shapes.Shape, axes []int) (compute.Value, error) {
	return f.unary("BroadcastInDim", x, func(g compute.Function, x compute.Value) (compute.Value, error) {
		return g.BroadcastInDim(x, shape, axes)
	})
}

func (f *function) ConvertDType(x compute.Value, dtype dtypes.DType) (compute.Value, error) {
	return f.unary("ConvertDType", x, func(g compute.Function, x compute.Value) (compute.Value, error) {
		return g.ConvertDType(x, dtype)
	})
}

func (f *function) ArgMinMax(x compute.Value, axis int, dtype dtypes.DType, isMin bool) (compute.Value, error) {
	return f.unary("ArgMinMax", x, func(g compute.Function, x compute.Value) (compute.Value, error) {
		return g.ArgMinMax(x, axis, dtype, isMin)
	})
}

func (f *function) Iota(shape shapes.Shape, axis int) (compute.Value, error) {
	return f.delegate("Iota", func(g compute.Function, _ []compute.Value) (compute.Value, error) { return g.Iota(shape, axis) })
}

func (f *function) DotGeneral(lhs compute.Value, lhsContracting, lhsBatch []int, rhs compute.Value, rhsContracting, rhsBatch []int,
	config compute.DotGeneralConfig) (compute.Value, error) {
	return f.pair("DotGeneral", lhs, rhs, func(g compute.Function, a, b compute.Value) (compute.Value, error) {
		return g.DotGeneral(a, lhsContracting, lhsBatch, b, rhsContracting, rhsBatch, config)
	})
}
