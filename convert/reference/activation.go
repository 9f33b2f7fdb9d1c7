package reference

import (
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// prepareElu: x, or alpha * (exp(x) - 1) below zero.
func prepareElu(n *onnx.NodeProto) (kernel, error) {
	alpha, err := onnx.Float(n, "alpha", 1)
	if err != nil {
		return nil, err
	}
	return elementwise(func(x float64) float64 {
		if x >= 0 {
			return x
		}
		return float64(alpha) * math.Expm1(x)
	})(n)
}

// prepareLeakyRelu: x, or alpha * x below zero.
func prepareLeakyRelu(n *onnx.NodeProto) (kernel, error) {
	alpha, err := onnx.Float(n, "alpha", 0.01)
	if err != nil {
		return nil, err
	}
	return elementwise(func(x float64) float64 { return max(x, 0) + float64(alpha)*min(x, 0) })(n)
}

// prepareHardSigmoid: clip(alpha*x + beta, 0, 1).
func prepareHardSigmoid(n *onnx.NodeProto) (kernel, error) {
	alpha, err := onnx.Float(n, "alpha", 0.2)
	if err != nil {
		return nil, err
	}
	beta, err := onnx.Float(n, "beta", 0.5)
	if err != nil {
		return nil, err
	}
	return elementwise(func(x float64) float64 { return min(max(float64(float64(alpha)*x)+float64(beta), 0), 1) })(n)
}

// prepareGelu: x * (1 + erf(x / sqrt 2)) / 2, or its approximation with tanh.
func prepareGelu(n *onnx.NodeProto) (kernel, error) {
	how, err := onnx.String(n, "approximate", "none")
	if err != nil {
		return nil, err
	}
	switch how {
	case "none":
		return elementwise(func(x float64) float64 { return x * (1 + math.Erf(x*math.Sqrt(0.5))) / 2 })(n)
	case "tanh":
		return elementwise(func(x float64) float64 {
			return x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+float64(0.044715*x*x*x)))) / 2
		})(n)
	}
	return nil, fmt.Errorf("approximate %q is not supported", how)
}
