// Package reference evaluates ONNX graphs slowly and plainly. It is the truth
// that converter, passes and TFLite are checked against, so it takes a graph
// exactly as the file says, in NCHW and in the order of the file: nothing is
// folded, fused or rearranged, and no code is shared with what it checks. Its
// own truth is onnxruntime, whose outputs are under testdata/onnx.
//
// Sums are taken in float64; each node's output is rounded to float32. Products
// of two float32 are exact in float64, so results do not depend on whether the
// machine fuses multiplication and addition. Only what goes through math.Exp and
// its like (Softmax, Sigmoid, Gelu, …) may differ in the last digit between
// architectures.
//
// A Program is immutable and may be run by several goroutines.
package reference

import (
	"fmt"
	"math"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// The versions of the standard operator set whose operators mean what this
// package computes.
const (
	minOpset = 9
	maxOpset = 28
)

// maxElements bounds the size of any one tensor.
const maxElements = math.MaxInt32

// Tensor is a dense tensor in row-major order; its Data has the product of
// Shape elements. Images are NCHW.
type Tensor struct {
	Shape []int
	Data  []float32
}

// Run evaluates a model once. Inputs and outputs are by the names of the graph.
func Run(m *onnx.ModelProto, inputs map[string]Tensor) (map[string]Tensor, error) {
	p, err := Prepare(m)
	if err != nil {
		return nil, err
	}
	return p.Run(inputs)
}

// newTensor returns a tensor of zeros.
func newTensor(shape ...int) (Tensor, error) {
	n, err := elements(shape)
	if err != nil {
		return Tensor{}, err
	}
	return Tensor{Shape: slices.Clone(shape), Data: make([]float32, n)}, nil
}

// elements returns the product of a shape whose dimensions are at least 1.
func elements(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 1 {
			return 0, fmt.Errorf("shape %v: dimensions below 1 are not supported", shape)
		}
		if n > maxElements/d {
			return 0, fmt.Errorf("shape %v: more than %d elements", shape, maxElements)
		}
		n *= d
	}
	return n, nil
}
