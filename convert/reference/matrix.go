package reference

import (
	"fmt"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// prepareGemm: y = alpha * A * B + beta * C, with A and B transposed on demand
// and C broadcast to the result.
func prepareGemm(n *onnx.NodeProto) (kernel, error) {
	alpha, err := onnx.Float(n, "alpha", 1)
	if err != nil {
		return nil, err
	}
	beta, err := onnx.Float(n, "beta", 1)
	if err != nil {
		return nil, err
	}
	transA, err := onnx.Int(n, "transA", 0)
	if err != nil {
		return nil, err
	}
	transB, err := onnx.Int(n, "transB", 0)
	if err != nil {
		return nil, err
	}
	return func(in arguments) (value, error) {
		t, err := in.floats(2)
		if err != nil {
			return value{}, err
		}
		a, err := newMatrix(t[0], transA != 0)
		if err != nil {
			return value{}, err
		}
		b, err := newMatrix(t[1], transB != 0)
		if err != nil {
			return value{}, err
		}
		return gemm(a, b, in, float64(alpha), float64(beta))
	}, nil
}

func gemm(a, b matrix, in arguments, alpha, beta float64) (value, error) {
	if a.columns != b.rows {
		return value{}, fmt.Errorf("a matrix of %dx%d cannot be multiplied by one of %dx%d", a.rows, a.columns, b.rows, b.columns)
	}
	y, err := newTensor(a.rows, b.columns)
	if err != nil {
		return value{}, err
	}
	c := Tensor{Shape: []int{1}, Data: []float32{0}}
	if in.has(2) {
		if c, err = in.float(2); err != nil {
			return value{}, err
		}
	}
	if shape, err := broadcast(c.Shape, y.Shape); err != nil || len(shape) != 2 || shape[0] != a.rows || shape[1] != b.columns {
		return value{}, fmt.Errorf("input 2 of shape %v cannot be broadcast to %v", c.Shape, y.Shape)
	}
	added := newReader(c.Shape, y.Shape)
	for i := range y.Data {
		product := float64(alpha * dot(a, b, i/b.columns, i%b.columns))
		y.Data[i] = float32(product + float64(beta*float64(c.Data[added.next()])))
	}
	return value{Tensor: y}, nil
}

// matMul: the product of two matrices, or of stacks of them that are broadcast
// to each other.
func matMul(in arguments) (value, error) {
	t, err := in.floats(2)
	if err != nil {
		return value{}, err
	}
	a, b := t[0], t[1]
	ra, rb := len(a.Shape), len(b.Shape)
	if ra < 2 || rb < 2 {
		return value{}, fmt.Errorf("inputs of shapes %v and %v: want 2 dimensions or more", a.Shape, b.Shape)
	}
	rows, inner, columns := a.Shape[ra-2], a.Shape[ra-1], b.Shape[rb-1]
	if b.Shape[rb-2] != inner {
		return value{}, fmt.Errorf("inputs of shapes %v and %v cannot be multiplied", a.Shape, b.Shape)
	}
	stack, err := broadcast(a.Shape[:ra-2], b.Shape[:rb-2])
	if err != nil {
		return value{}, err
	}
	y, err := newTensor(append(stack, rows, columns)...)
	if err != nil {
		return value{}, err
	}
	fromA, fromB := newReader(a.Shape[:ra-2], stack), newReader(b.Shape[:rb-2], stack)
	for first := 0; first < len(y.Data); first += rows * columns {
		ma := matrix{a.Data[fromA.next()*rows*inner:], rows, inner, inner, 1}
		mb := matrix{b.Data[fromB.next()*inner*columns:], inner, columns, columns, 1}
		for i := range rows * columns {
			y.Data[first+i] = float32(dot(ma, mb, i/columns, i%columns))
		}
	}
	return value{Tensor: y}, nil
}

// matrix is a view; element (r, c) is data[r*rowStep + c*columnStep].
type matrix struct {
	data                []float32
	rows, columns       int
	rowStep, columnStep int
}

func newMatrix(t Tensor, transposed bool) (matrix, error) {
	if len(t.Shape) != 2 {
		return matrix{}, fmt.Errorf("input of shape %v, want a matrix", t.Shape)
	}
	if transposed {
		return matrix{t.Data, t.Shape[1], t.Shape[0], 1, t.Shape[1]}, nil
	}
	return matrix{t.Data, t.Shape[0], t.Shape[1], t.Shape[1], 1}, nil
}

// dot is the product of one row of a and one column of b.
func dot(a, b matrix, row, column int) float64 {
	var sum float64
	for i := range a.columns {
		sum += float64(a.data[row*a.rowStep+i*a.columnStep]) * float64(b.data[i*b.rowStep+column*b.columnStep])
	}
	return sum
}
