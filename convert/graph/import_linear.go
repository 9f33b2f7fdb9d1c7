package graph

import (
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// gemm imports Gemm as a fully connected layer.
func (im *importer) gemm(n *onnx.NodeProto) (*Node, error) {
	if err := allow(n, "alpha", "beta", "transA", "transB"); err != nil {
		return nil, err
	}
	in, err := im.inputs(n, 1)
	if err != nil {
		return nil, err
	}
	if err := flag(n, "transA", 0, 0); err != nil {
		return nil, err
	}
	matrix, err := im.required(n, 1, 2)
	if err != nil {
		return nil, err
	}
	trans, err := onnx.Int(n, "transB", 0)
	if err != nil {
		return nil, err
	}
	if trans == 0 {
		matrix = transpose2(matrix)
	}
	alpha, err := onnx.Float(n, "alpha", 1)
	if err != nil {
		return nil, err
	}
	beta, err := onnx.Float(n, "beta", 1)
	if err != nil {
		return nil, err
	}
	if bad := float64(alpha) + float64(beta); math.IsNaN(bad) || math.IsInf(bad, 0) {
		return nil, fmt.Errorf("alpha %g and beta %g must be finite", alpha, beta)
	}
	given, err := im.floats(n, 2)
	if err != nil {
		return nil, err
	}
	outputs := matrix.Shape[0]
	bias := make([]float32, outputs)
	if given != nil {
		axis, err := constantAxis(given.Shape)
		if err != nil {
			return nil, err
		}
		if axis > 1 || (len(given.Data) != outputs && len(given.Data) != 1) {
			return nil, fmt.Errorf("bias has shape %v, need [%d]", given.Shape, outputs)
		}
		for i := range bias {
			bias[i] = beta * given.Data[i%len(given.Data)]
		}
	}
	if alpha != 1 {
		scaled := make([]float32, len(matrix.Data))
		for i, v := range matrix.Data {
			scaled[i] = alpha * v
		}
		matrix.Data = scaled
	}
	return &Node{Op: OpFullyConnected, Inputs: in, Weights: []Tensor{matrix, {[]int{outputs}, bias}}}, nil
}

// matMul imports MatMul by a constant matrix; the Add after it is folded by
// FoldBias.
func (im *importer) matMul(n *onnx.NodeProto) (*Node, error) {
	if err := allow(n); err != nil {
		return nil, err
	}
	in, err := im.inputs(n, 1)
	if err != nil {
		return nil, err
	}
	matrix, err := im.required(n, 1, 2)
	if err != nil {
		return nil, err
	}
	matrix = transpose2(matrix)
	outputs := matrix.Shape[0]
	bias := Tensor{[]int{outputs}, make([]float32, outputs)}
	return &Node{Op: OpFullyConnected, Inputs: in, Weights: []Tensor{matrix, bias}}, nil
}

func transpose2(t Tensor) Tensor {
	rows, columns := t.Shape[0], t.Shape[1]
	data := make([]float32, 0, len(t.Data))
	for c := range columns {
		for r := range rows {
			data = append(data, t.Data[r*columns+c])
		}
	}
	return Tensor{[]int{columns, rows}, data}
}
