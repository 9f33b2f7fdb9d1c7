package reference

import (
	"errors"
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// prepareMaxPool: the largest value in each window, zeros around the image left out.
func prepareMaxPool(n *onnx.NodeProto) (kernel, error) {
	order, err := onnx.Int(n, "storage_order", 0)
	if err != nil {
		return nil, err
	}
	if order != 0 {
		return nil, errors.New("storage_order is not supported")
	}
	return preparePool(n, func(seen []float32, _ int) float32 {
		largest := float32(math.Inf(-1))
		for _, v := range seen {
			largest = max(largest, v)
		}
		return largest
	})
}

// prepareAveragePool: the mean of each window, zeros around the image counted
// only if count_include_pad is set.
func prepareAveragePool(n *onnx.NodeProto) (kernel, error) {
	includePad, err := onnx.Int(n, "count_include_pad", 0)
	if err != nil {
		return nil, err
	}
	if ceil, err := onnx.Int(n, "ceil_mode", 0); err != nil || (ceil != 0 && includePad != 0) {
		return nil, errors.New("ceil_mode together with count_include_pad is not supported")
	}
	return preparePool(n, func(seen []float32, size int) float32 {
		if includePad == 0 {
			size = len(seen)
		}
		return mean(seen, size)
	})
}

// globalPool: a number for each channel.
func globalPool(pool func(channel []float32) float32) func(arguments) (value, error) {
	return func(in arguments) (value, error) {
		x, err := in.image(0)
		if err != nil {
			return value{}, err
		}
		y, err := newTensor(x.Shape[0], x.Shape[1], 1, 1)
		if err != nil {
			return value{}, err
		}
		size := x.Shape[2] * x.Shape[3]
		for i := range y.Data {
			y.Data[i] = pool(x.Data[i*size : (i+1)*size])
		}
		return value{Tensor: y}, nil
	}
}

func mean(values []float32, count int) float32 {
	var sum float64
	for _, v := range values {
		sum += float64(v)
	}
	return float32(sum / float64(count))
}

// preparePool reads a pooling node; reduce gets the values of a window that lie
// in the image, and the number of values in the whole window.
func preparePool(n *onnx.NodeProto, reduce func(seen []float32, size int) float32) (kernel, error) {
	w, err := readWindow(n)
	if err != nil {
		return nil, err
	}
	for i, size := range w.kernel {
		if size < 1 {
			return nil, errors.New("kernel_shape is missing or not positive")
		}
		padding := max(w.before[i], w.after[i])
		// Anything else might be a window that sees no value of the image.
		if padding > 0 && (padding >= size || w.dilations[i] > 1) {
			return nil, fmt.Errorf("pads %v and %v are not supported with a window of %v and dilations %v", w.before, w.after, w.kernel, w.dilations)
		}
	}
	return func(in arguments) (value, error) { return pool(in, w, reduce) }, nil
}

func pool(in arguments, w window, reduce func([]float32, int) float32) (value, error) {
	x, err := in.image(0)
	if err != nil {
		return value{}, err
	}
	height, width := x.Shape[2], x.Shape[3]
	w.padFor(height, width)
	rows, columns, err := w.output(height, width)
	if err != nil {
		return value{}, err
	}
	y, err := newTensor(x.Shape[0], x.Shape[1], rows, columns)
	if err != nil {
		return value{}, err
	}
	var seen []float32
	for n := range x.Shape[0] {
		for c := range x.Shape[1] {
			image, result := plane(x, n, c), plane(y, n, c)
			for oy := range rows {
				for ox := range columns {
					seen = w.gather(seen[:0], image, height, width, oy, ox)
					result[oy*columns+ox] = reduce(seen, w.kernel[0]*w.kernel[1])
				}
			}
		}
	}
	return value{Tensor: y}, nil
}

// gather appends the values in the image that the window at (oy, ox) sees.
func (w window) gather(seen, image []float32, height, width, oy, ox int) []float32 {
	for ky := range w.kernel[0] {
		y := oy*w.strides[0] + ky*w.dilations[0] - w.before[0]
		if y < 0 || y >= height {
			continue
		}
		for kx := range w.kernel[1] {
			if x := ox*w.strides[1] + kx*w.dilations[1] - w.before[1]; x >= 0 && x < width {
				seen = append(seen, image[y*width+x])
			}
		}
	}
	return seen
}
