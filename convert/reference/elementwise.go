package reference

import (
	"errors"
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// elementwise applies a function of float64 to every element.
func elementwise(f func(float64) float64) func(*onnx.NodeProto) (kernel, error) {
	return plain(func(in arguments) (value, error) {
		return each(in, func(x float32) float32 { return float32(f(float64(x))) })
	})
}

// prepareClip: min(max(x, lowest), highest); the bounds are inputs, or attributes
// before operator set 11.
func prepareClip(n *onnx.NodeProto) (kernel, error) {
	low, err := onnx.Float(n, "min", float32(math.Inf(-1)))
	if err != nil {
		return nil, err
	}
	high, err := onnx.Float(n, "max", float32(math.Inf(1)))
	if err != nil {
		return nil, err
	}
	return func(in arguments) (value, error) {
		lowest, err := in.scalar(1, low)
		if err != nil {
			return value{}, err
		}
		highest, err := in.scalar(2, high)
		if err != nil {
			return value{}, err
		}
		return each(in, func(x float32) float32 { return min(max(x, lowest), highest) })
	}, nil
}

func identity(in arguments) (value, error) { return in.any(0) }

func negate(in arguments) (value, error) {
	x, err := in.any(0)
	if err != nil || !x.isInt {
		return each(in, func(x float32) float32 { return -x })
	}
	return x.mapInts(func(v int64) int64 { return -v }), nil
}

func not(in arguments) (value, error) {
	x, err := in.any(0)
	if err == nil && !x.isInt {
		err = errors.New("input 0 holds floats, want booleans")
	}
	if err != nil {
		return value{}, err
	}
	return x.mapInts(func(v int64) int64 { return 1 - v }), nil
}

func (v value) mapInts(f func(int64) int64) value {
	made := value{Tensor: Tensor{Shape: v.Shape}, isInt: true, ints: make([]int64, len(v.ints))}
	for i, x := range v.ints {
		made.ints[i] = f(x)
	}
	return made
}

// each applies f to every element of the first input.
func each(in arguments, f func(float32) float32) (value, error) {
	x, err := in.float(0)
	if err != nil {
		return value{}, err
	}
	y, err := newTensor(x.Shape...)
	if err != nil {
		return value{}, err
	}
	for i, v := range x.Data {
		y.Data[i] = f(v)
	}
	return value{Tensor: y}, nil
}

// arithmetic applies a function to two inputs of one type, broadcast to each
// other as in NumPy; nil where the operator has no such type.
func arithmetic(floats func(a, b float32) float32, ints func(a, b int64) (int64, error)) kernel {
	return func(in arguments) (value, error) {
		a, err := in.any(0)
		if err != nil {
			return value{}, err
		}
		b, err := in.any(1)
		if err != nil {
			return value{}, err
		}
		return combine(a, b, floats, ints)
	}
}

func combine(a, b value, floats func(a, b float32) float32, ints func(a, b int64) (int64, error)) (value, error) {
	if a.isInt != b.isInt || (a.isInt && ints == nil) || (!a.isInt && floats == nil) {
		return value{}, fmt.Errorf("inputs hold int64 and float32 (or the wrong of the two)")
	}
	shape, err := broadcast(a.Shape, b.Shape)
	if err != nil {
		return value{}, err
	}
	n, err := elements(shape)
	if err != nil {
		return value{}, err
	}
	y := value{Tensor: Tensor{Shape: shape}, isInt: a.isInt}
	from, to := newReader(a.Shape, shape), newReader(b.Shape, shape)
	for range n {
		i, j := from.next(), to.next()
		if !a.isInt {
			y.Data = append(y.Data, floats(a.Data[i], b.Data[j]))
			continue
		}
		v, err := ints(a.ints[i], b.ints[j])
		if err != nil {
			return value{}, err
		}
		y.ints = append(y.ints, v)
	}
	return y, nil
}

// folded applies a function to any number of inputs, one after the other.
func folded(floats func(a, b float32) float32, ints func(a, b int64) (int64, error)) kernel {
	return func(in arguments) (value, error) {
		y, err := in.any(0)
		for i := 1; i < len(in) && err == nil; i++ {
			var x value
			if x, err = in.any(i); err == nil {
				y, err = combine(y, x, floats, ints)
			}
		}
		return y, err
	}
}

// comparison gives booleans.
func comparison(holds func(a, b float64) bool) kernel {
	return func(in arguments) (value, error) {
		a, err := in.any(0)
		if err != nil {
			return value{}, err
		}
		b, err := in.any(1)
		if err != nil {
			return value{}, err
		}
		y, err := combine(a.real(), b.real(), func(a, b float32) float32 {
			if holds(float64(a), float64(b)) {
				return 1
			}
			return 0
		}, nil)
		return y.whole(), err
	}
}

// real is v as floats, exact up to 2^24.
func (v value) real() value {
	if !v.isInt {
		return v
	}
	made := value{Tensor: Tensor{Shape: v.Shape, Data: make([]float32, len(v.ints))}}
	for i, x := range v.ints {
		made.Data[i] = float32(x)
	}
	return made
}

// whole is v as integers, rounded towards zero.
func (v value) whole() value {
	if v.isInt {
		return v
	}
	made := value{Tensor: Tensor{Shape: v.Shape}, isInt: true, ints: make([]int64, len(v.Data))}
	for i, x := range v.Data {
		made.ints[i] = int64(max(min(x, 1<<62), -1<<62))
	}
	return made
}

// divide rounds towards zero.
func divide(a, b int64) (int64, error) {
	if b == 0 {
		return 0, errors.New("division by zero")
	}
	if b == -1 {
		return -a, nil
	}
	return a / b, nil
}

// prepareMod: the remainder with the divisor's sign, or with the dividend's if
// fmod is set.
func prepareMod(n *onnx.NodeProto) (kernel, error) {
	fmod, err := onnx.Int(n, "fmod", 0)
	if err != nil {
		return nil, err
	}
	return arithmetic(func(a, b float32) float32 { return float32(math.Mod(float64(a), float64(b))) }, func(a, b int64) (int64, error) {
		if b == 0 {
			return 0, errors.New("division by zero")
		}
		if b == -1 {
			return 0, nil
		}
		r := a % b
		if fmod == 0 && r != 0 && (r < 0) != (b < 0) {
			r += b
		}
		return r, nil
	}), nil
}

// prepareCast: between floats, integers and booleans.
func prepareCast(n *onnx.NodeProto) (kernel, error) {
	to, err := onnx.Int(n, "to", 0)
	if err != nil {
		return nil, err
	}
	if int32(to) != onnx.TypeFloat && !onnx.IsInteger(int32(to)) {
		return nil, fmt.Errorf("cast to element type %d is not supported", to)
	}
	return func(in arguments) (value, error) {
		x, err := in.any(0)
		if err != nil {
			return value{}, err
		}
		switch int32(to) {
		case onnx.TypeFloat:
			return x.real(), nil
		case onnx.TypeBool:
			if !x.isInt {
				x, err = each(in, func(x float32) float32 { return float32(math.Ceil(math.Abs(float64(x)))) })
			}
			return x.whole().mapInts(func(v int64) int64 { return min(max(v, -v), 1) }), err
		}
		return x.whole(), nil
	}, nil
}

// broadcast returns the common shape of two tensors.
func broadcast(a, b []int) ([]int, error) {
	shape := make([]int, max(len(a), len(b)))
	for i := range shape {
		da, db := dimension(a, len(shape), i), dimension(b, len(shape), i)
		if da != db && da != 1 && db != 1 {
			return nil, fmt.Errorf("shapes %v and %v cannot be broadcast to each other", a, b)
		}
		shape[i] = max(da, db)
	}
	return shape, nil
}

// dimension returns dimension i of a shape that is aligned to the right in rank
// dimensions.
func dimension(shape []int, rank, i int) int {
	if i -= rank - len(shape); i >= 0 {
		return shape[i]
	}
	return 1
}

// reader walks over a tensor in the order of a shape that it is broadcast to.
type reader struct {
	shape, steps, at []int // steps: elements to go along each dimension
	offset           int
}

func newReader(from, to []int) *reader {
	r := &reader{shape: to, steps: make([]int, len(to)), at: make([]int, len(to))}
	step := 1
	for i := len(to) - 1; i >= 0; i-- {
		if d := dimension(from, len(to), i); d > 1 {
			r.steps[i] = step
			step *= d
		}
	}
	return r
}

// next returns the index of the current element and moves on.
func (r *reader) next() int {
	current := r.offset
	for i := len(r.shape) - 1; i >= 0; i-- {
		r.at[i]++
		r.offset += r.steps[i]
		if r.at[i] < r.shape[i] {
			break
		}
		r.offset -= r.steps[i] * r.shape[i]
		r.at[i] = 0
	}
	return current
}
