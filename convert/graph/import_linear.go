package graph

import (
	"fmt"
	"math"
)

// gemm imports Gemm as a fully connected layer.
func gemm(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	transA, err := c.int("transA", 0)
	if err != nil {
		return nil, err
	}
	if transA != 0 {
		if x, err = c.emit(OpTranspose, Attrs{Perm: []int{1, 0}}, nil, x); err != nil {
			return nil, err
		}
	}
	matrix, err := c.ranked(1, 2)
	if err != nil {
		return nil, err
	}
	transB, err := c.int("transB", 0)
	if err != nil {
		return nil, err
	}
	if transB == 0 {
		matrix = transposeTensor(matrix, []int{1, 0})
	}
	alpha, err := c.float("alpha", 1)
	if err != nil {
		return nil, err
	}
	beta, err := c.float("beta", 1)
	if err != nil {
		return nil, err
	}
	if bad := float64(alpha) + float64(beta); math.IsNaN(bad) || math.IsInf(bad, 0) {
		return nil, fmt.Errorf("alpha %g and beta %g must be finite", alpha, beta)
	}
	outputs := matrix.Shape[0]
	bias := make([]float32, outputs)
	if c.has(2) {
		given, err := c.weights(2)
		if err != nil {
			return nil, err
		}
		if len(given.Data) != 1 && (len(given.Data) != outputs || given.Shape[len(given.Shape)-1] != outputs) {
			return nil, fmt.Errorf("bias has shape %v, need [%d]", given.Shape, outputs)
		}
		for i := range bias {
			bias[i] = beta * given.Data[i%len(given.Data)]
		}
	}
	if alpha != 1 {
		matrix = mapped(matrix, func(v float32) float32 { return alpha * v })
	}
	return c.emit(OpFullyConnected, Attrs{}, []Tensor{matrix, {[]int{outputs}, bias}}, x)
}

// matMul imports MatMul: by a constant matrix, whose Add after it FoldBias
// folds, or of two values.
func matMul(c *call) (*Node, error) {
	if c.has(1) && c.inputs[1].con != nil && len(c.inputs[1].con.shape) == 2 {
		x, err := c.node(0)
		if err != nil {
			return nil, err
		}
		matrix, err := c.weights(1)
		if err != nil {
			return nil, err
		}
		matrix = transposeTensor(matrix, []int{1, 0})
		bias := Tensor{[]int{matrix.Shape[0]}, make([]float32, matrix.Shape[0])}
		return c.emit(OpFullyConnected, Attrs{}, []Tensor{matrix, bias}, x)
	}
	return c.pairOf(OpMatMul)
}

// transposeTensor reorders axes: axis i of the result is axis perm[i] of t.
func transposeTensor(t Tensor, perm []int) Tensor {
	if movesOnlyUnits(t.Shape, perm) {
		return Tensor{permute(t.Shape, perm), t.Data}
	}
	moved := (&constant{shape: t.Shape, floats: t.Data}).transposed(perm)
	return Tensor{moved.shape, moved.floats}
}
