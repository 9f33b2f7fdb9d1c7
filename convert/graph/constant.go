package graph

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// constant is a value that is known when the model is converted: a tensor of
// the file, or what was computed from such. Exactly one of floats and ints is
// in use; booleans are integers 0 and 1.
type constant struct {
	shape  []int
	floats []float32
	ints   []int64
	isInt  bool
}

func (c *constant) len() int {
	if c.isInt {
		return len(c.ints)
	}
	return len(c.floats)
}

func intConstant(values ...int64) *constant {
	return &constant{shape: []int{len(values)}, ints: values, isInt: true}
}

// readConstant reads a tensor of the file.
func readConstant(t *onnx.TensorProto) (*constant, error) {
	shape := toInts(t.GetDims())
	if err := checkConstantShape(shape); err != nil {
		return nil, err
	}
	if t.GetDataType() == onnx.TypeFloat {
		data, err := onnx.Floats(t)
		if err != nil {
			return nil, err
		}
		return &constant{shape: shape, floats: data}, nil
	}
	data, err := onnx.Integers(t)
	if err != nil {
		return nil, err
	}
	return &constant{shape: shape, ints: data, isInt: true}, nil
}

// checkConstantShape allows dimensions of zero, which shapes of scalars and
// empty lists have.
func checkConstantShape(shape []int) error {
	total := 1
	for _, d := range shape {
		if d < 0 || d > maxElements || (d > 0 && total > maxElements/d) {
			return fmt.Errorf("shape %v is too large", shape)
		}
		total *= d
	}
	return nil
}

// tensor is a float constant as the weights of a node.
func (c *constant) tensor() (Tensor, error) {
	if c.isInt {
		return Tensor{}, unsupportedf("a constant holds integers where float32 is needed")
	}
	if len(c.floats) == 0 {
		return Tensor{}, fmt.Errorf("a constant is empty")
	}
	if !finite(c.floats) {
		return Tensor{}, errNotFinite
	}
	return Tensor{Shape: c.shape, Data: c.floats}, nil
}

// finite says whether there is no infinity and no NaN, from which alone
// subtracting themselves does not give zero.
func finite[T float32 | float64](values []T) bool {
	for _, v := range values {
		if v-v != 0 {
			return false
		}
	}
	return true
}

// broadcastShapes is the shape that two tensors have in common after
// broadcasting, as NumPy does it.
func broadcastShapes(a, b []int) ([]int, error) {
	shape := make([]int, max(len(a), len(b)))
	for i := range shape {
		da, db := alignedDim(a, len(shape), i), alignedDim(b, len(shape), i)
		switch {
		case da == db || db == 1:
			shape[i] = da
		case da == 1:
			shape[i] = db
		default:
			return nil, fmt.Errorf("shapes %v and %v do not fit each other", a, b)
		}
	}
	return shape, nil
}

// alignedDim is dimension i of a shape that is aligned to the right of a rank.
func alignedDim(shape []int, rank, i int) int {
	if i -= rank - len(shape); i >= 0 {
		return shape[i]
	}
	return 1
}

// strides are the distances between neighbours along each axis, in elements.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = step
		step *= shape[i]
	}
	return s
}

// walk visits every index of a shape in order, a row along the last axis at a
// time, and gives the position of its first element, to which steps and start lead.
func walk(shape, steps []int, start int, visit func(position int)) {
	if slices.Contains(shape, 0) {
		return
	}
	at := make([]int, len(shape))
	position := start
	for {
		visit(position)
		i := len(shape) - 2
		for ; i >= 0; i-- {
			at[i]++
			position += steps[i]
			if at[i] < shape[i] {
				break
			}
			position -= steps[i] * shape[i]
			at[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// pick makes a constant of a shape from elements of c: that at start, and those
// that steps lead to.
func (c *constant) pick(shape, steps []int, start int) *constant {
	made := &constant{shape: slices.Clone(shape), isInt: c.isInt}
	if c.isInt {
		made.ints = picked(c.ints, shape, steps, start)
	} else {
		made.floats = picked(c.floats, shape, steps, start)
	}
	return made
}

// parallelFrom is from how many elements on all cores pick: a goroutine costs far less than to move so many.
const parallelFrom = 1 << 16

// picked splits the first axis among the cores: each writes a part of its own.
func picked[T any](from []T, shape, steps []int, start int) []T {
	to := make([]T, elements(shape))
	if len(shape) == 0 {
		to[0] = from[start]
		return to
	}
	parts := 1
	if len(to) >= parallelFrom {
		parts = min(runtime.GOMAXPROCS(0), shape[0])
	}
	var all sync.WaitGroup
	for p := range parts {
		first, end := shape[0]*p/parts, shape[0]*(p+1)/parts
		part := slices.Clone(shape)
		part[0] = end - first
		each := len(to) / max(1, shape[0])
		all.Go(func() { pickInto(to[first*each:end*each], from, part, steps, start+first*steps[0]) })
	}
	all.Wait()
	return to
}

func pickInto[T any](to, from []T, shape, steps []int, start int) {
	row, step := shape[len(shape)-1], steps[len(shape)-1]
	walk(shape, steps, start, func(position int) {
		for i := range row {
			to[i] = from[position]
			position += step
		}
		to = to[row:]
	})
}

// broadcastTo repeats c to a shape that it broadcasts to.
func (c *constant) broadcastTo(shape []int) *constant {
	own := strides(c.shape)
	steps := make([]int, len(shape))
	for i := range shape {
		if j := i - (len(shape) - len(c.shape)); j >= 0 && c.shape[j] > 1 {
			steps[i] = own[j]
		}
	}
	return c.pick(shape, steps, 0)
}

func (c *constant) reshaped(shape []int) *constant {
	made := *c
	made.shape = shape
	return &made
}

func (c *constant) transposed(perm []int) *constant {
	own := strides(c.shape)
	shape, steps := make([]int, len(perm)), make([]int, len(perm))
	for i, p := range perm {
		shape[i], steps[i] = c.shape[p], own[p]
	}
	return c.pick(shape, steps, 0)
}
