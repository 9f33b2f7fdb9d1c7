package graph

import (
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

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
