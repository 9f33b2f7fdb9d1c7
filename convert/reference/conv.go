package reference

import (
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// prepareConv: y[n,m] = b[m] + sum over c, kernel of w[m,c] * x[n,c], where each
// group of output channels sees its own group of input channels.
func prepareConv(n *onnx.NodeProto) (kernel, error) {
	if v, err := onnx.Ints(n, "strides"); err == nil && len(v) == 1 {
		return prepareConv1D(n)
	}
	w, err := readWindow(n)
	if err != nil {
		return nil, err
	}
	groups, err := onnx.Int(n, "group", 1)
	if err != nil {
		return nil, err
	}
	if groups < 1 || groups > maxExtent {
		return nil, fmt.Errorf("group %d: want 1 or more", groups)
	}
	return func(in arguments) (value, error) { return conv(in, w, int(groups)) }, nil
}

// prepareConv1D is a 2-D convolution of images of one row.
func prepareConv1D(n *onnx.NodeProto) (kernel, error) {
	wide := onnx.NewNode("Conv", n.GetName(), n.GetInput(), n.GetOutput())
	for _, a := range n.GetAttribute() {
		ints := a.GetInts()
		if len(ints) == 0 {
			wide.Attribute = append(wide.Attribute, a)
			continue
		}
		switch a.GetName() {
		case "strides", "dilations", "kernel_shape":
			wide.Attribute = append(wide.Attribute, onnx.IntsAttribute(a.GetName(), 1, ints[0]))
		case "pads":
			wide.Attribute = append(wide.Attribute, onnx.IntsAttribute("pads", 0, ints[0], 0, ints[len(ints)-1]))
		default:
			wide.Attribute = append(wide.Attribute, a)
		}
	}
	run, err := prepareConv(wide)
	if err != nil {
		return nil, err
	}
	return func(in arguments) (value, error) {
		rows := slices.Clone(in)
		for i := range min(len(rows), 2) {
			t, err := in.float(i)
			if err != nil {
				return value{}, err
			}
			if len(t.Shape) != 3 {
				return value{}, fmt.Errorf("input %d has shape %v, want 3 dimensions", i, t.Shape)
			}
			rows[i] = &value{Tensor: Tensor{[]int{t.Shape[0], t.Shape[1], 1, t.Shape[2]}, t.Data}}
		}
		y, err := run(rows)
		if err != nil {
			return value{}, err
		}
		return y.reshaped([]int{y.Shape[0], y.Shape[1], y.Shape[3]}), nil
	}, nil
}

func conv(in arguments, w window, groups int) (value, error) {
	x, err := in.image(0)
	if err != nil {
		return value{}, err
	}
	weights, err := in.image(1)
	if err != nil {
		return value{}, err
	}
	if err := checkConv(x.Shape, weights.Shape, w, groups); err != nil {
		return value{}, err
	}
	channels := weights.Shape[0]
	bias := make([]float32, channels)
	if in.has(2) {
		b, err := in.float(2)
		if err != nil {
			return value{}, err
		}
		if len(b.Data) != channels {
			return value{}, fmt.Errorf("bias has %d values for %d channels", len(b.Data), channels)
		}
		bias = b.Data
	}
	w.kernel = [2]int{weights.Shape[2], weights.Shape[3]}
	w.padFor(x.Shape[2], x.Shape[3])
	rows, columns, err := w.output(x.Shape[2], x.Shape[3])
	if err != nil {
		return value{}, err
	}
	y, err := newTensor(x.Shape[0], channels, rows, columns)
	if err != nil {
		return value{}, err
	}
	sums := make([]float64, rows*columns)
	for n := range x.Shape[0] {
		images, err := w.padded(x, n)
		if err != nil {
			return value{}, err
		}
		for m := range channels {
			for i := range sums {
				sums[i] = float64(bias[m])
			}
			group := m / (channels / groups)
			for c := range weights.Shape[1] {
				taps := plane(weights, m, c)
				w.accumulate(sums, columns, images[group*weights.Shape[1]+c], taps)
			}
			round(plane(y, n, m), sums)
		}
	}
	return value{Tensor: y}, nil
}

// padded is one channel with the zeros around it.
type padded struct {
	data  []float64
	width int
}

// padded returns the channels of image n.
func (w window) padded(x Tensor, n int) ([]padded, error) {
	height, width := x.Shape[2], x.Shape[3]
	size := []int{x.Shape[1], w.before[0] + height + w.after[0], w.before[1] + width + w.after[1]}
	if _, err := elements(size); err != nil {
		return nil, fmt.Errorf("with padding: %w", err)
	}
	images := make([]padded, x.Shape[1])
	for c := range images {
		data := make([]float64, size[1]*size[2])
		for i, v := range plane(x, n, c) {
			data[(w.before[0]+i/width)*size[2]+w.before[1]+i%width] = float64(v)
		}
		images[c] = padded{data, size[2]}
	}
	return images, nil
}

// accumulate adds one input channel's part to the sums of one output channel.
func (w window) accumulate(sums []float64, columns int, image padded, taps []float32) {
	for ky := range w.kernel[0] {
		for kx := range w.kernel[1] {
			tap := float64(taps[ky*w.kernel[1]+kx])
			for oy := range len(sums) / columns {
				y := oy*w.strides[0] + ky*w.dilations[0]
				line := image.data[y*image.width+kx*w.dilations[1]:]
				to := sums[oy*columns : (oy+1)*columns]
				for ox := range to {
					to[ox] += tap * line[ox*w.strides[1]]
				}
			}
		}
	}
}

func checkConv(x, weights []int, w window, groups int) error {
	switch {
	case x[1] != weights[1]*groups:
		return fmt.Errorf("%d input channels, but weights %v with group %d want %d", x[1], weights, groups, weights[1]*groups)
	case weights[0]%groups != 0:
		return fmt.Errorf("%d output channels cannot be split into %d groups", weights[0], groups)
	case w.kernel != [2]int{} && w.kernel != [2]int{weights[2], weights[3]}:
		return fmt.Errorf("kernel_shape %v differs from weights %v", w.kernel, weights)
	case weights[2] > maxExtent || weights[3] > maxExtent:
		return fmt.Errorf("weights %v: the kernel is too large", weights)
	}
	return nil
}

// plane returns the rows and columns of one channel of an NCHW tensor.
func plane(t Tensor, n, c int) []float32 {
	size := t.Shape[2] * t.Shape[3]
	first := (n*t.Shape[1] + c) * size
	return t.Data[first : first+size]
}

// round writes sums as float32.
func round(to []float32, sums []float64) {
	for i, s := range sums {
		to[i] = float32(s)
	}
}
