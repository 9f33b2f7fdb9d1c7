package reference

import (
	"fmt"
	"math"
)

// relu: max(x, 0).
func relu(in arguments) (value, error) {
	return each(in, func(x float32) float32 { return max(x, 0) })
}

// clip: min(max(x, lowest), highest); inputs are x, lowest, highest.
func clip(in arguments) (value, error) {
	lowest, err := in.scalar(1, float32(math.Inf(-1)))
	if err != nil {
		return value{}, err
	}
	highest, err := in.scalar(2, float32(math.Inf(1)))
	if err != nil {
		return value{}, err
	}
	return each(in, func(x float32) float32 { return min(max(x, lowest), highest) })
}

func identity(in arguments) (value, error) {
	v, err := in.at(0)
	if err != nil {
		return value{}, err
	}
	return *v, nil
}

func add(in arguments) (value, error) {
	return both(in, func(a, b float32) float32 { return a + b })
}

func mul(in arguments) (value, error) {
	return both(in, func(a, b float32) float32 { return a * b })
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

// both applies f to two inputs, broadcast to each other as in NumPy.
func both(in arguments, f func(a, b float32) float32) (value, error) {
	t, err := in.floats(2)
	if err != nil {
		return value{}, err
	}
	shape, err := broadcast(t[0].Shape, t[1].Shape)
	if err != nil {
		return value{}, err
	}
	y, err := newTensor(shape...)
	if err != nil {
		return value{}, err
	}
	a, b := newReader(t[0].Shape, shape), newReader(t[1].Shape, shape)
	for i := range y.Data {
		y.Data[i] = f(t[0].Data[a.next()], t[1].Data[b.next()])
	}
	return value{Tensor: y}, nil
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
