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
