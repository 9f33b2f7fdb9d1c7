package graph

import (
	"errors"
	"fmt"
	"math"
)

var errZero = errors.New("divides by zero")

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func addInts(a, b int64) (int64, error)      { return a + b, nil }
func subtractInts(a, b int64) (int64, error) { return a - b, nil }
func multiplyInts(a, b int64) (int64, error) { return a * b, nil }
func maxInts(a, b int64) (int64, error)      { return max(a, b), nil }
func minInts(a, b int64) (int64, error)      { return min(a, b), nil }
func andInts(a, b int64) (int64, error)      { return a & b, nil }
func orInts(a, b int64) (int64, error)       { return a | b, nil }

// divideInts rounds towards zero, as ONNX does.
func divideInts(a, b int64) (int64, error) {
	if b == 0 {
		return 0, errZero
	}
	if b == -1 { // the smallest integer has no opposite
		return -a, nil
	}
	return a / b, nil
}

// moduloInts has the sign of the divisor, as ONNX's Mod without fmod.
func moduloInts(a, b int64) (int64, error) {
	if b == 0 {
		return 0, errZero
	}
	if b == -1 {
		return 0, nil
	}
	r := a % b
	if r != 0 && (r < 0) != (b < 0) {
		r += b
	}
	return r, nil
}

func addFloats(a, b float32) float32      { return a + b }
func subtractFloats(a, b float32) float32 { return a - b }
func multiplyFloats(a, b float32) float32 { return a * b }
func divideFloats(a, b float32) float32   { return a / b }
func maxFloats(a, b float32) float32      { return max(a, b) }
func minFloats(a, b float32) float32      { return min(a, b) }

// foldArithmetic computes elementwise; floats is nil where there is no such
// operator.
func foldArithmetic(ints func(a, b int64) (int64, error), floats func(a, b float32) float32) func(*call) (*constant, error) {
	return func(c *call) (*constant, error) {
		a, b, err := c.pair()
		if err != nil {
			return nil, err
		}
		made := &constant{shape: a.shape, isInt: a.isInt}
		if a.isInt {
			made.ints = make([]int64, len(a.ints))
			for i := range made.ints {
				if made.ints[i], err = ints(a.ints[i], b.ints[i]); err != nil {
					return nil, err
				}
			}
			return made, c.im.spend(a.shape)
		}
		if floats == nil {
			return nil, unsupportedf("of float constants")
		}
		made.floats = make([]float32, len(a.floats))
		for i := range made.floats {
			made.floats[i] = floats(a.floats[i], b.floats[i])
		}
		return made, c.im.spend(a.shape)
	}
}

func foldCompare(ints func(a, b int64) bool, floats func(a, b float32) bool) func(*call) (*constant, error) {
	return func(c *call) (*constant, error) {
		a, b, err := c.pair()
		if err != nil {
			return nil, err
		}
		made := &constant{shape: a.shape, isInt: true, ints: make([]int64, a.len())}
		for i := range made.ints {
			if a.isInt {
				made.ints[i] = truth(ints(a.ints[i], b.ints[i]))
			} else {
				made.ints[i] = truth(floats(a.floats[i], b.floats[i]))
			}
		}
		return made, c.im.spend(a.shape)
	}
}

// pair returns two constants of one type, broadcast to each other.
func (c *call) pair() (a, b *constant, err error) {
	if len(c.inputs) != 2 {
		return nil, nil, unsupportedf("%d inputs, need 2", len(c.inputs))
	}
	if a, err = c.constant(0); err != nil {
		return nil, nil, err
	}
	if b, err = c.constant(1); err != nil {
		return nil, nil, err
	}
	if a.isInt != b.isInt {
		return nil, nil, fmt.Errorf("mixes integers and floats")
	}
	wanted := b.shape
	if a, err = c.broadcast(a, wanted); err != nil {
		return nil, nil, err
	}
	b, err = c.broadcast(b, a.shape)
	return a, b, err
}

func foldUnary(ints func(int64) int64, floats func(float32) float32) func(*call) (*constant, error) {
	return func(c *call) (*constant, error) {
		x, err := c.constant(0)
		if err != nil {
			return nil, err
		}
		made := &constant{shape: x.shape, isInt: x.isInt}
		if x.isInt {
			if ints == nil {
				return nil, unsupportedf("of integer constants")
			}
			for _, v := range x.ints {
				made.ints = append(made.ints, ints(v))
			}
			return made, c.im.spend(x.shape)
		}
		if floats == nil {
			return nil, unsupportedf("of float constants")
		}
		for _, v := range x.floats {
			made.floats = append(made.floats, floats(v))
		}
		return made, c.im.spend(x.shape)
	}
}

// foldSqrt is exact to the last bit on every machine.
func foldSqrt(c *call) (*constant, error) {
	return foldUnary(nil, func(v float32) float32 { return float32(math.Sqrt(float64(v))) })(c)
}

// foldPower knows the exponents that are exact: whole numbers from 0 to 4, their
// opposites, and halves of those.
func foldPower(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	exponent, err := c.scalar(1)
	if err != nil {
		return nil, err
	}
	twice := 2 * exponent
	if twice != float32(int(twice)) || twice < -8 || twice > 8 {
		return nil, unsupportedf("power %g of a constant", exponent)
	}
	half := int(twice)%2 != 0
	times := int(max(twice, -twice))
	if !half {
		times /= 2
	}
	made := &constant{shape: x.shape}
	for _, v := range x.floats {
		base, product := float64(v), 1.0
		if half {
			base = math.Sqrt(base)
		}
		for range times {
			product *= base
		}
		if twice < 0 {
			product = 1 / product
		}
		made.floats = append(made.floats, float32(product))
	}
	if x.isInt {
		return nil, unsupportedf("power of integers")
	}
	return made, c.im.spend(x.shape)
}

// foldRange: start, start+step, … as long as below the limit.
func foldRange(c *call) (*constant, error) {
	var v [3]*constant
	for i := range v {
		var err error
		if v[i], err = c.constant(i); err != nil {
			return nil, err
		}
		if v[i].len() != 1 || !v[i].isInt {
			return nil, unsupportedf("range of floats")
		}
	}
	start, limit, step := v[0].ints[0], v[1].ints[0], v[2].ints[0]
	if step == 0 {
		return nil, errors.New("its step is zero")
	}
	const far = 1 << 40 // so that nothing below overflows
	if max(start, limit, step) > far || min(start, limit, step) < -far {
		return nil, fmt.Errorf("range from %d to %d by %d is too large", start, limit, step)
	}
	count := (limit - start + step - step/max(step, -step)) / step
	count = max(count, 0)
	shape := toInts([]int64{count})
	if err := c.im.spend(shape); err != nil {
		return nil, err
	}
	made := &constant{shape: shape, isInt: true, ints: make([]int64, count)}
	for i := range made.ints {
		made.ints[i] = start + int64(i)*step
	}
	return made, nil
}

// foldProduct multiplies all elements.
func foldProduct(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	keep, err := c.int("keepdims", 1)
	if err != nil {
		return nil, err
	}
	if !x.isInt || len(x.shape) > 1 {
		return nil, unsupportedf("product of shape %v", x.shape)
	}
	product := int64(1)
	for _, v := range x.ints {
		product *= v
	}
	made := &constant{shape: []int{}, isInt: true, ints: []int64{product}}
	if keep != 0 {
		made.shape = []int{1}
	}
	return made, nil
}
