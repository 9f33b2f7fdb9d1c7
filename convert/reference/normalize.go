package reference

import (
	"errors"
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// prepareBatchNormalization: y = (x - mean) / sqrt(variance + epsilon) * scale +
// bias, each per channel; inputs are x, scale, bias, mean, variance.
func prepareBatchNormalization(n *onnx.NodeProto) (kernel, error) {
	epsilon, err := onnx.Float(n, "epsilon", 1e-5)
	if err != nil {
		return nil, err
	}
	training, err := onnx.Int(n, "training_mode", 0)
	if err != nil {
		return nil, err
	}
	if training != 0 {
		return nil, errors.New("is in training mode (export the model after model.eval())")
	}
	return func(in arguments) (value, error) { return batchNormalization(in, float64(epsilon)) }, nil
}

func batchNormalization(in arguments, epsilon float64) (value, error) {
	t, err := in.floats(5)
	if err != nil {
		return value{}, err
	}
	x, parameters := t[0], t[1:]
	if len(x.Shape) < 2 {
		return value{}, fmt.Errorf("input 0 has shape %v, want channels as the second dimension", x.Shape)
	}
	channels := x.Shape[1]
	for i, p := range parameters {
		if len(p.Data) != channels {
			return value{}, fmt.Errorf("input %d has %d values for %d channels", i+1, len(p.Data), channels)
		}
	}
	y, err := newTensor(x.Shape...)
	if err != nil {
		return value{}, err
	}
	size := len(x.Data) / (x.Shape[0] * channels)
	for i, v := range x.Data {
		c := i / size % channels
		scale, bias := float64(parameters[0].Data[c]), float64(parameters[1].Data[c])
		mean, variance := float64(parameters[2].Data[c]), float64(parameters[3].Data[c])
		y.Data[i] = float32(float64((float64(v)-mean)/math.Sqrt(variance+epsilon)*scale) + bias)
	}
	return value{Tensor: y}, nil
}

// prepareLayerNormalization: (x - mean) / sqrt(variance + epsilon) * scale + bias
// over the axes from one on; inputs are x, scale, bias.
func prepareLayerNormalization(n *onnx.NodeProto) (kernel, error) {
	epsilon, err := onnx.Float(n, "epsilon", 1e-5)
	if err != nil {
		return nil, err
	}
	axis, err := onnx.Int(n, "axis", -1)
	if err != nil {
		return nil, err
	}
	return func(in arguments) (value, error) {
		t, err := in.floats(2)
		if err != nil {
			return value{}, err
		}
		x, scale := t[0], t[1]
		a, err := axisOf(axis, len(x.Shape))
		if err != nil {
			return value{}, err
		}
		run, err := elements(x.Shape[a:])
		if err != nil {
			return value{}, err
		}
		bias := Tensor{Data: make([]float32, run)}
		if in.has(2) {
			if bias, err = in.float(2); err != nil {
				return value{}, err
			}
		}
		if len(scale.Data) != run || len(bias.Data) != run {
			return value{}, fmt.Errorf("scale has %d and bias %d values, want %d", len(scale.Data), len(bias.Data), run)
		}
		y, err := newTensor(x.Shape...)
		if err != nil {
			return value{}, err
		}
		for first := 0; first < len(x.Data); first += run {
			normalizeRow(y.Data[first:first+run], x.Data[first:first+run], scale.Data, bias.Data, float64(epsilon))
		}
		return value{Tensor: y}, nil
	}, nil
}

func normalizeRow(y, x, scale, bias []float32, epsilon float64) {
	var mean, variance float64
	for _, v := range x {
		mean += float64(v) / float64(len(x))
	}
	for _, v := range x {
		variance += float64((float64(v) - mean) * (float64(v) - mean) / float64(len(x)))
	}
	for i, v := range x {
		y[i] = float32(float64((float64(v)-mean)/math.Sqrt(variance+epsilon)*float64(scale[i])) + float64(bias[i]))
	}
}

// prepareSoftmax: exp(x) / sum of exp(x) along one axis. Before operator set 13
// all axes from the named one on count as one.
func prepareSoftmax(opset int64) func(*onnx.NodeProto) (kernel, error) {
	def := int64(-1)
	if opset < 13 {
		def = 1
	}
	return func(n *onnx.NodeProto) (kernel, error) {
		axis, err := onnx.Int(n, "axis", def)
		if err != nil {
			return nil, err
		}
		return func(in arguments) (value, error) {
			x, err := in.float(0)
			if err != nil {
				return value{}, err
			}
			if opset >= 13 {
				return softmax(x, axis)
			}
			a, err := axisOf(axis, len(x.Shape))
			if err != nil {
				return value{}, err
			}
			rows := 1
			for _, d := range x.Shape[:a] {
				rows *= d
			}
			y, err := softmax(Tensor{[]int{rows, len(x.Data) / rows}, x.Data}, 1)
			y.Shape = x.Shape
			return y, err
		}, nil
	}
}

func softmax(x Tensor, axis int64) (value, error) {
	a, err := axisOf(axis, len(x.Shape))
	if err != nil {
		return value{}, err
	}
	y, err := newTensor(x.Shape...)
	if err != nil {
		return value{}, err
	}
	length := x.Shape[a]
	stride := 1
	for _, d := range x.Shape[a+1:] {
		stride *= d
	}
	powers := make([]float64, length)
	for first := range x.Data {
		if first/stride%length != 0 {
			continue
		}
		largest := math.Inf(-1)
		for i := range length {
			largest = max(largest, float64(x.Data[first+i*stride]))
		}
		var sum float64
		for i := range length {
			powers[i] = math.Exp(float64(x.Data[first+i*stride]) - largest)
			sum += powers[i]
		}
		for i := range length {
			y.Data[first+i*stride] = float32(powers[i] / sum)
		}
	}
	return value{Tensor: y}, nil
}

// axisOf returns the axis of a tensor of some rank; negative ones count from
// the end.
func axisOf(axis int64, rank int) (int, error) {
	a := axis
	if a < 0 {
		a += int64(rank)
	}
	if a < 0 || a >= int64(rank) {
		return 0, fmt.Errorf("axis %d of a tensor of %d dimensions", axis, rank)
	}
	return int(a), nil
}
