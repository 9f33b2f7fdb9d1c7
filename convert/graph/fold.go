package graph

import (
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// folders compute nodes whose inputs are all constants. Exporters spell shapes
// out as arithmetic on shapes; nothing of it reaches the graph. Whatever needs
// exp or log is left out: its last bit differs between machines.
func folders() map[string]func(*call) (*constant, error) {
	return map[string]func(*call) (*constant, error){
		"Add":             foldArithmetic(addInts, addFloats),
		"And":             foldArithmetic(andInts, nil),
		"Cast":            foldCast,
		"Concat":          foldConcat,
		"ConstantOfShape": foldConstantOfShape,
		"Div":             foldArithmetic(divideInts, divideFloats),
		"Equal":           foldCompare(func(a, b int64) bool { return a == b }, func(a, b float32) bool { return a == b }),
		"Expand":          foldExpand,
		"Flatten":         foldShape,
		"Gather":          foldGather,
		"Greater":         foldCompare(func(a, b int64) bool { return a > b }, func(a, b float32) bool { return a > b }),
		"GreaterOrEqual":  foldCompare(func(a, b int64) bool { return a >= b }, func(a, b float32) bool { return a >= b }),
		"Identity":        foldIdentity,
		"Less":            foldCompare(func(a, b int64) bool { return a < b }, func(a, b float32) bool { return a < b }),
		"LessOrEqual":     foldCompare(func(a, b int64) bool { return a <= b }, func(a, b float32) bool { return a <= b }),
		"Max":             foldArithmetic(maxInts, maxFloats),
		"Min":             foldArithmetic(minInts, minFloats),
		"Mod":             foldArithmetic(moduloInts, nil),
		"Mul":             foldArithmetic(multiplyInts, multiplyFloats),
		"Neg":             foldUnary(func(v int64) int64 { return -v }, func(v float32) float32 { return -v }),
		"Not":             foldUnary(func(v int64) int64 { return 1 - v }, nil),
		"Or":              foldArithmetic(orInts, nil),
		"Pow":             foldPower,
		"Range":           foldRange,
		"ReduceProd":      foldProduct,
		"Reshape":         foldShape,
		"ScatterND":       foldScatter,
		"Slice":           foldSlice,
		"Sqrt":            foldSqrt,
		"Squeeze":         foldShape,
		"Sub":             foldArithmetic(subtractInts, subtractFloats),
		"Tile":            foldTile,
		"Transpose":       foldTranspose,
		"Trilu":           foldTrilu,
		"Unsqueeze":       foldShape,
		"Where":           foldWhere,
	}
}

// spend counts the elements of what is folded, so that a small file cannot ask
// for much memory.
func (im *importer) spend(shape []int) error {
	if err := checkConstantShape(shape); err != nil {
		return err
	}
	if im.budget -= elements(shape); im.budget < 0 {
		return fmt.Errorf("its constants, computed, take far more memory than the file itself (file damaged? export it again)")
	}
	return nil
}

func foldIdentity(c *call) (*constant, error) { return c.constant(0) }

// foldCast keeps integers that become integers and rounds floats towards zero.
func foldCast(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	to, err := onnx.Int(c.proto, "to", 0)
	if err != nil {
		return nil, err
	}
	made := &constant{shape: x.shape}
	switch {
	case int32(to) == onnx.TypeFloat && x.isInt:
		made.floats = make([]float32, len(x.ints))
		for i, v := range x.ints {
			made.floats[i] = float32(v)
		}
	case int32(to) == onnx.TypeFloat:
		made.floats = x.floats
	case onnx.IsInteger(int32(to)):
		made.isInt = true
		if made.ints = x.ints; !x.isInt {
			made.ints = make([]int64, len(x.floats))
			for i, v := range x.floats {
				made.ints[i] = int64(max(min(v, 1<<62), -1<<62))
			}
		}
		if int32(to) == onnx.TypeBool {
			made.ints = slices.Clone(made.ints)
			for i, v := range made.ints {
				made.ints[i] = truth(v != 0)
			}
		}
	default:
		return nil, unsupportedf("cast to element type %d", to)
	}
	return made, c.im.spend(made.shape)
}

func foldConstantOfShape(c *call) (*constant, error) {
	shape, err := c.ints(0)
	if err != nil {
		return nil, err
	}
	value := &constant{shape: []int{1}, floats: []float32{0}}
	if t, err := onnx.Tensor(c.proto, "value"); err != nil {
		return nil, err
	} else if t != nil {
		if value, err = readConstant(t); err != nil {
			return nil, err
		}
	}
	if value.len() != 1 {
		return nil, fmt.Errorf("its value has shape %v, need one element", value.shape)
	}
	if err := c.im.spend(toInts(shape)); err != nil {
		return nil, err
	}
	return value.reshaped([]int{1}).broadcastTo(toInts(shape)), nil
}

func foldExpand(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	wanted, err := c.ints(1)
	if err != nil {
		return nil, err
	}
	return c.broadcast(x, toInts(wanted))
}

// broadcast repeats x to the shape that it has in common with another.
func (c *call) broadcast(x *constant, other []int) (*constant, error) {
	shape, err := broadcastShapes(x.shape, other)
	if err != nil {
		return nil, err
	}
	if slices.Equal(shape, x.shape) {
		return x, nil
	}
	if err := c.im.spend(shape); err != nil {
		return nil, err
	}
	return x.broadcastTo(shape), nil
}

// foldShape is for nodes that change the shape alone.
func foldShape(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	shape, err := c.reshapedShape(x.shape)
	if err != nil {
		return nil, err
	}
	if err := checkConstantShape(shape); err != nil {
		return nil, err
	}
	if elements(shape) != x.len() {
		return nil, fmt.Errorf("shape %v does not hold the %d values of %v", shape, x.len(), x.shape)
	}
	return x.reshaped(shape), nil
}

func foldTranspose(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	perm, err := c.permutation(len(x.shape))
	if err != nil {
		return nil, err
	}
	return x.transposed(perm), c.im.spend(x.shape)
}

func foldSlice(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	s, err := c.slice(x.shape)
	if err != nil {
		return nil, err
	}
	own := strides(x.shape)
	start := 0
	for i := range own {
		start += s.begin[i] * own[i]
		own[i] *= s.step[i]
	}
	return x.pick(s.size, own, start), c.im.spend(s.size)
}

func foldGather(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	indices, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	axis, err := c.axis("axis", 0, len(x.shape))
	if err != nil {
		return nil, err
	}
	at, err := wrapIndices(indices, x.shape[axis])
	if err != nil {
		return nil, err
	}
	shape := slices.Concat(x.shape[:axis], indices.shape, x.shape[axis+1:])
	if err := c.im.spend(shape); err != nil {
		return nil, err
	}
	made := &constant{shape: shape, isInt: x.isInt}
	inner := elements(x.shape[axis+1:])
	for outer := range elements(x.shape[:axis]) {
		for _, i := range at {
			from := (outer*x.shape[axis] + i) * inner
			if x.isInt {
				made.ints = append(made.ints, x.ints[from:from+inner]...)
			} else {
				made.floats = append(made.floats, x.floats[from:from+inner]...)
			}
		}
	}
	return made, nil
}

// wrapIndices resolves negative indices.
func wrapIndices(indices *constant, length int) ([]int, error) {
	if !indices.isInt {
		return nil, fmt.Errorf("its indices are no integers")
	}
	at := make([]int, len(indices.ints))
	for i, v := range indices.ints {
		if v < 0 {
			v += int64(length)
		}
		if v < 0 || v >= int64(length) {
			return nil, fmt.Errorf("index %d is outside of 0 to %d", indices.ints[i], length-1)
		}
		at[i] = int(v)
	}
	return at, nil
}

func foldConcat(c *call) (*constant, error) {
	var parts []*constant
	for i := range c.inputs {
		p, err := c.constant(i)
		if err != nil {
			return nil, err
		}
		if p.len() > 0 || len(p.shape) > 1 {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return c.constant(0)
	}
	first := parts[0]
	axis, err := c.axis("axis", 0, len(first.shape))
	if err != nil {
		return nil, err
	}
	made := &constant{shape: slices.Clone(first.shape), isInt: first.isInt}
	for _, p := range parts[1:] {
		if !sameBut(p.shape, first.shape, axis) || p.isInt != first.isInt {
			return nil, fmt.Errorf("parts of shapes %v and %v do not fit along axis %d", first.shape, p.shape, axis)
		}
		made.shape[axis] += p.shape[axis]
	}
	if err := c.im.spend(made.shape); err != nil {
		return nil, err
	}
	for outer := range elements(first.shape[:axis]) {
		for _, p := range parts {
			run := elements(p.shape[axis:])
			if p.isInt {
				made.ints = append(made.ints, p.ints[outer*run:(outer+1)*run]...)
			} else {
				made.floats = append(made.floats, p.floats[outer*run:(outer+1)*run]...)
			}
		}
	}
	return made, nil
}

// sameBut compares shapes but for one axis.
func sameBut(a, b []int, axis int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if i != axis && a[i] != b[i] {
			return false
		}
	}
	return true
}

func foldTile(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	repeats, err := c.ints(1)
	if err != nil {
		return nil, err
	}
	if len(repeats) != len(x.shape) {
		return nil, fmt.Errorf("%d repeats for %d dimensions", len(repeats), len(x.shape))
	}
	// [a, b] repeated [r, s] times is [1, a, 1, b] broadcast to [r, a, s, b].
	var from, to, shape []int
	for i, r := range toInts(repeats) {
		from = append(from, 1, x.shape[i])
		to = append(to, r, x.shape[i])
		if err := checkConstantShape(to); err != nil {
			return nil, err
		}
		shape = append(shape, r*x.shape[i])
	}
	if err := c.im.spend(shape); err != nil {
		return nil, err
	}
	return x.reshaped(from).broadcastTo(to).reshaped(shape), nil
}

// foldScatter: rows of x replaced by those of updates.
func foldScatter(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	indices, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	updates, err := c.constant(2)
	if err != nil {
		return nil, err
	}
	if reduction, err := onnx.String(c.proto, "reduction", "none"); err != nil || reduction != "none" {
		return nil, unsupportedf("reduction %q", reduction)
	}
	rank := len(indices.shape)
	if rank == 0 || !indices.isInt || x.isInt != updates.isInt {
		return nil, fmt.Errorf("indices of shape %v do not fit", indices.shape)
	}
	deep := indices.shape[rank-1]
	if deep < 1 || deep > len(x.shape) {
		return nil, fmt.Errorf("indices of shape %v for a value of shape %v", indices.shape, x.shape)
	}
	run := elements(x.shape[deep:])
	rows := len(indices.ints) / deep
	if updates.len() != rows*run {
		return nil, fmt.Errorf("updates of shape %v do not fit indices of shape %v", updates.shape, indices.shape)
	}
	if err := c.im.spend(x.shape); err != nil {
		return nil, err
	}
	made := &constant{shape: x.shape, isInt: x.isInt, ints: slices.Clone(x.ints), floats: slices.Clone(x.floats)}
	for row := range rows {
		to := 0
		for i, v := range indices.ints[row*deep : (row+1)*deep] {
			if v < 0 {
				v += int64(x.shape[i])
			}
			if v < 0 || v >= int64(x.shape[i]) {
				return nil, fmt.Errorf("index %d is outside of the value's shape %v", v, x.shape)
			}
			to = to*x.shape[i] + int(v)
		}
		if x.isInt {
			copy(made.ints[to*run:], updates.ints[row*run:(row+1)*run])
		} else {
			copy(made.floats[to*run:], updates.floats[row*run:(row+1)*run])
		}
	}
	return made, nil
}

// foldWhere: x where the condition holds, else y.
func foldWhere(c *call) (*constant, error) {
	condition, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	x, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	y, err := c.constant(2)
	if err != nil {
		return nil, err
	}
	if !condition.isInt || x.isInt != y.isInt {
		return nil, fmt.Errorf("condition or values are of the wrong type")
	}
	shape, err := broadcastShapes(x.shape, y.shape)
	if err == nil {
		shape, err = broadcastShapes(shape, condition.shape)
	}
	if err != nil {
		return nil, err
	}
	if condition, err = c.broadcast(condition, shape); err != nil {
		return nil, err
	}
	if x, err = c.broadcast(x, shape); err != nil {
		return nil, err
	}
	if y, err = c.broadcast(y, shape); err != nil {
		return nil, err
	}
	made := &constant{shape: shape, isInt: x.isInt, ints: slices.Clone(y.ints), floats: slices.Clone(y.floats)}
	for i, v := range condition.ints {
		switch {
		case v == 0:
		case x.isInt:
			made.ints[i] = x.ints[i]
		default:
			made.floats[i] = x.floats[i]
		}
	}
	return made, c.im.spend(shape)
}

// foldTrilu keeps the upper or lower triangle of a matrix.
func foldTrilu(c *call) (*constant, error) {
	x, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	upper, err := onnx.Int(c.proto, "upper", 1)
	if err != nil {
		return nil, err
	}
	shift := int64(0)
	if c.has(1) {
		k, err := c.ints(1)
		if err != nil || len(k) != 1 {
			return nil, fmt.Errorf("its diagonal is not one number")
		}
		shift = k[0]
	}
	if len(x.shape) < 2 || x.isInt {
		return nil, unsupportedf("triangle of shape %v", x.shape)
	}
	columns := x.shape[len(x.shape)-1]
	rows := x.shape[len(x.shape)-2]
	made := &constant{shape: x.shape, floats: slices.Clone(x.floats)}
	for i := range made.floats {
		row, column := int64(i/columns%rows), int64(i%columns)
		if (upper != 0 && column-row < shift) || (upper == 0 && column-row > shift) {
			made.floats[i] = 0
		}
	}
	return made, c.im.spend(x.shape)
}
