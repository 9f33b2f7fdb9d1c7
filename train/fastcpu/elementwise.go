package fastcpu

import (
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// elementOp is an element-wise operation on float32. Truth values are 1 and 0.
type elementOp int

const (
	opAdd elementOp = iota
	opSub
	opMul
	opDiv
	opMax
	opMin
	opPow
	opGreater
	opGreaterEqual
	opLess
	opLessEqual
	opEqual
	opNotEqual
	opCopy
	opNeg
	opAbs
	opSign
	opSqrt
	opRsqrt
	opExp
	opLog
	opTanh
	opErf
	opLogistic
	opNot
	opIsFinite
	opSelect // a is a truth value: a ? b : c
)

const (
	lanes        = 8       // elements of a vector
	parallelSize = 1 << 15 // elements below which one goroutine is faster
	blockSize    = 1 << 10 // elements that pass a program together; they fit a first-level cache
)

// vector is an operand of an element-wise operation: a slice as long as the output, or one number.
type vector struct {
	data   []float32
	scalar float32
}

func (v vector) at(i int) float32 {
	if v.data == nil {
		return v.scalar
	}
	return v.data[i]
}

// block computes d = op(a, b, c); operands that op does not have are ignored.
func (op elementOp) block(d []float32, a, b, c vector) {
	switch {
	case op < opCopy:
		binaryBlock(op, d, a, b)
	case op == opSelect:
		for i := selectVector(d, a, b, c); i < len(d); i++ {
			if a.at(i) != 0 {
				d[i] = b.at(i)
			} else {
				d[i] = c.at(i)
			}
		}
	default:
		x := a.data
		if x == nil {
			for i := range d {
				d[i] = a.scalar
			}
			x = d
		}
		for i := unaryVector(op, d, x); i < len(d); i++ {
			d[i] = unaryOne(op, x[i])
		}
	}
}

func binaryBlock(op elementOp, d []float32, a, b vector) {
	for i := binaryVector(op, d, a, b); i < len(d); i++ {
		d[i] = binaryOne(op, a.at(i), b.at(i))
	}
}

func truth(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

func binaryOne(op elementOp, a, b float32) float32 {
	switch op {
	case opAdd:
		return a + b
	case opSub:
		return a - b
	case opMul:
		return a * b
	case opDiv:
		return a / b
	case opMax:
		return max(a, b)
	case opMin:
		return min(a, b)
	case opPow:
		return float32(math.Pow(float64(a), float64(b)))
	case opGreater:
		return truth(a > b)
	case opGreaterEqual:
		return truth(a >= b)
	case opLess:
		return truth(a < b)
	case opLessEqual:
		return truth(a <= b)
	case opEqual:
		return truth(a == b)
	default:
		return truth(a != b)
	}
}

func unaryOne(op elementOp, a float32) float32 {
	x := float64(a)
	switch op {
	case opNeg:
		return -a
	case opAbs:
		return float32(math.Abs(x))
	case opSign:
		if a == 0 {
			return 0
		}
		return float32(math.Copysign(1, x))
	case opSqrt:
		return float32(math.Sqrt(x))
	case opRsqrt:
		return float32(1 / math.Sqrt(x))
	case opExp:
		return float32(math.Exp(x))
	case opLog:
		return float32(math.Log(x))
	case opTanh:
		return float32(math.Tanh(x))
	case opErf:
		return float32(math.Erf(x))
	case opLogistic:
		return float32(1 / (1 + math.Exp(-x)))
	case opNot:
		return truth(a == 0)
	case opIsFinite:
		return truth(a-a == 0)
	default:
		return a
	}
}

// ---- recording ----

func isF32(vs ...*value) bool { return all(dtypes.Float32, vs) }

func all(d dtypes.DType, vs []*value) bool {
	for _, v := range vs {
		if v.shape().DType != d {
			return false
		}
	}
	return true
}

// element records an element-wise operation with the given result; operands are equal to it in their dimensions or have
// ones there, or are scalars.
func (f *function) element(op elementOp, name string, shape shapes.Shape, inputs ...*value) *value {
	n := &node{op: name, inputs: inputs, outs: []shapes.Shape{shape}, element: &element{op: op}}
	for _, in := range inputs {
		n.element.patterns = append(n.element.patterns, broadcastPattern(in.shape(), shape, nil))
	}
	return f.add(n)
}

type emitPair func(g compute.Function, a, b compute.Value) (compute.Value, error)

// binary records an arithmetic operation.
func (f *function) binary(op elementOp, t compute.OpType, a, b compute.Value, emit emitPair) (compute.Value, error) {
	vals, err := cast(a, b)
	if err != nil {
		return nil, err
	}
	if !isF32(vals...) {
		return f.pair(t.String(), a, b, emit)
	}
	shape, err := shapeinference.BinaryOp(t, vals[0].shape(), vals[1].shape())
	if err != nil {
		return nil, err
	}
	return f.element(op, t.String(), shape, vals...), nil
}

// comparison records an operation with truth values as its result.
func (f *function) comparison(op elementOp, t compute.OpType, a, b compute.Value, emit emitPair) (compute.Value, error) {
	vals, err := cast(a, b)
	if err != nil {
		return nil, err
	}
	if !isF32(vals...) {
		return f.pair(t.String(), a, b, emit)
	}
	shape, err := shapeinference.ComparisonOp(t, vals[0].shape(), vals[1].shape())
	if err != nil {
		return nil, err
	}
	return f.element(op, t.String(), shape, vals...), nil
}

// logical records an operation on truth values.
func (f *function) logical(op elementOp, t compute.OpType, a, b compute.Value, emit emitPair) (compute.Value, error) {
	vals, err := cast(a, b)
	if err != nil {
		return nil, err
	}
	if !all(dtypes.Bool, vals) {
		return f.pair(t.String(), a, b, emit)
	}
	shape, err := shapeinference.BinaryOp(t, vals[0].shape(), vals[1].shape())
	if err != nil {
		return nil, err
	}
	return f.element(op, t.String(), shape, vals...), nil
}

// unaryOp records an operation on one float32 operand with a result of type result.
func (f *function) unaryOp(op elementOp, name string, result dtypes.DType, x compute.Value, emit func(g compute.Function, x compute.Value) (compute.Value, error)) (compute.Value, error) {
	vals, err := cast(x)
	if err != nil {
		return nil, err
	}
	if !isF32(vals...) {
		return f.unary(name, x, emit)
	}
	shape := vals[0].shape().Clone()
	shape.DType = result
	return f.element(op, name, shape, vals...), nil
}

func (f *function) Add(a, b compute.Value) (compute.Value, error) {
	return f.binary(opAdd, compute.OpTypeAdd, a, b, compute.Function.Add)
}
func (f *function) Sub(a, b compute.Value) (compute.Value, error) {
	return f.binary(opSub, compute.OpTypeSub, a, b, compute.Function.Sub)
}
func (f *function) Mul(a, b compute.Value) (compute.Value, error) {
	return f.binary(opMul, compute.OpTypeMul, a, b, compute.Function.Mul)
}
func (f *function) Div(a, b compute.Value) (compute.Value, error) {
	return f.binary(opDiv, compute.OpTypeDiv, a, b, compute.Function.Div)
}
func (f *function) Max(a, b compute.Value) (compute.Value, error) {
	return f.binary(opMax, compute.OpTypeMax, a, b, compute.Function.Max)
}
func (f *function) Min(a, b compute.Value) (compute.Value, error) {
	return f.binary(opMin, compute.OpTypeMin, a, b, compute.Function.Min)
}
func (f *function) Pow(a, b compute.Value) (compute.Value, error) {
	return f.binary(opPow, compute.OpTypePow, a, b, compute.Function.Pow)
}

func (f *function) GreaterThan(a, b compute.Value) (compute.Value, error) {
	return f.comparison(opGreater, compute.OpTypeGreaterThan, a, b, compute.Function.GreaterThan)
}
func (f *function) GreaterOrEqual(a, b compute.Value) (compute.Value, error) {
	return f.comparison(opGreaterEqual, compute.OpTypeGreaterOrEqual, a, b, compute.Function.GreaterOrEqual)
}
func (f *function) LessThan(a, b compute.Value) (compute.Value, error) {
	return f.comparison(opLess, compute.OpTypeLessThan, a, b, compute.Function.LessThan)
}
func (f *function) LessOrEqual(a, b compute.Value) (compute.Value, error) {
	return f.comparison(opLessEqual, compute.OpTypeLessOrEqual, a, b, compute.Function.LessOrEqual)
}
func (f *function) Equal(a, b compute.Value) (compute.Value, error) {
	return f.comparison(opEqual, compute.OpTypeEqual, a, b, compute.Function.Equal)
}
func (f *function) NotEqual(a, b compute.Value) (compute.Value, error) {
	return f.comparison(opNotEqual, compute.OpTypeNotEqual, a, b, compute.Function.NotEqual)
}

func (f *function) LogicalAnd(a, b compute.Value) (compute.Value, error) {
	return f.logical(opMul, compute.OpTypeLogicalAnd, a, b, compute.Function.LogicalAnd)
}
func (f *function) LogicalOr(a, b compute.Value) (compute.Value, error) {
	return f.logical(opMax, compute.OpTypeLogicalOr, a, b, compute.Function.LogicalOr)
}
func (f *function) LogicalXor(a, b compute.Value) (compute.Value, error) {
	return f.logical(opNotEqual, compute.OpTypeLogicalXor, a, b, compute.Function.LogicalXor)
}
func (f *function) LogicalNot(x compute.Value) (compute.Value, error) {
	vals, err := cast(x)
	if err != nil {
		return nil, err
	}
	if !all(dtypes.Bool, vals) {
		return f.unary("LogicalNot", x, compute.Function.LogicalNot)
	}
	return f.element(opNot, "LogicalNot", vals[0].shape(), vals...), nil
}

func (f *function) Neg(x compute.Value) (compute.Value, error) {
	return f.unaryOp(opNeg, "Neg", dtypes.Float32, x, compute.Function.Neg)
}
func (f *function) Abs(x compute.Value) (compute.Value, error) {
	return f.unaryOp(opAbs, "Abs", dtypes.Float32, x, compute.Function.Abs)
}
func (f *function) Sign(x compute.Value) (compute.Value, error) {
	return f.unaryOp(opSign, "Sign", dtypes.Float32, x, compute.Function.Sign)
}
func (f *function) Sqrt(x compute.Value) (compute.Value, error) {
	return f.unaryOp(opSqrt, "Sqrt", dtypes.Float32, x, compute.Function.Sqrt)
}
func (f *function) Rsqrt(x compute.Value) (compute.Value, error) {
	return f.unaryOp(opRsqrt, "Rsqrt", dtypes.Float32, x, compute.Function.Rsqrt)
}
func (f *function) Exp(x compute.Value) (compute.Value, error) {
	return f.unaryOp(opExp, "Exp", dtypes.Float32, x, compute.Function.Exp)
}
func (f *function) Log(x compute.Value) (compute.Value, error) {
	return f.unaryOp(opLog, "Log", dtypes.Float32, x, compute.Function.Log)
}
func (f *function) Tanh(x compute.Value) (compute.Value, error) {
	return f.unaryOp(opTanh, "Tanh", dtypes.Float32, x, compute.Function.Tanh)
}
func (f *function) Erf(x compute.Value) (compute.Value, error) {
	return f.unaryOp(opErf, "Erf", dtypes.Float32, x, compute.Function.Erf)
}
func (f *function) Logistic(x compute.Value) (compute.Value, error) {
	return f.unaryOp(opLogistic, "Logistic", dtypes.Float32, x, compute.Function.Logistic)
}
func (f *function) IsFinite(x compute.Value) (compute.Value, error) {
	return f.unaryOp(opIsFinite, "IsFinite", dtypes.Bool, x, compute.Function.IsFinite)
}

// ConvertDType implements [compute.Function].
func (f *function) ConvertDType(x compute.Value, dtype dtypes.DType) (compute.Value, error) {
	vals, err := cast(x)
	if err != nil {
		return nil, err
	}
	shape := vals[0].shape().Clone()
	shape.DType = dtype
	switch from := vals[0].shape().DType; {
	case from == dtype:
		return x, nil
	case from == dtypes.Bool && dtype == dtypes.Float32:
		return f.element(opCopy, "ConvertDType", shape, vals...), nil
	}
	return f.unary("ConvertDType", x, func(g compute.Function, x compute.Value) (compute.Value, error) {
		return g.ConvertDType(x, dtype)
	})
}

// Where implements [compute.Function].
func (f *function) Where(cond, onTrue, onFalse compute.Value) (compute.Value, error) {
	vals, err := cast(cond, onTrue, onFalse)
	if err != nil {
		return nil, err
	}
	shape, err := shapeinference.Where(vals[0].shape(), vals[1].shape(), vals[2].shape())
	if err != nil {
		return nil, err
	}
	if isF32(vals[1:]...) {
		return f.element(opSelect, "Where", shape, vals...), nil
	}
	return f.delegate("Where", func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Where(in[0], in[1], in[2])
	}, cond, onTrue, onFalse)
}

// Clamp implements [compute.Function].
func (f *function) Clamp(low, x, high compute.Value) (compute.Value, error) {
	y, err := f.Max(x, low)
	if err != nil {
		return nil, err
	}
	return f.Min(y, high)
}
