package graph

import (
	"fmt"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// convNode imports Conv: ordinary, depthwise where each group has one channel, or
// grouped. A 1-D convolution is a 2-D one of height 1.
func convNode(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	filter, err := c.weights(1)
	if err != nil {
		return nil, err
	}
	if len(filter.Shape) == 3 && len(x.Shape) == 3 {
		return c.conv1D(x, filter)
	}
	if len(filter.Shape) != 4 {
		return nil, unsupportedf("weights have shape %v, need 4 dimensions", filter.Shape)
	}
	attrs, err := c.window(x, filter.Shape[2:])
	if err != nil {
		return nil, err
	}
	return c.convolution(x, filter, attrs)
}

func (c *call) convolution(x *Node, filter Tensor, attrs Attrs) (*Node, error) {
	outputs := filter.Shape[0]
	bias := Tensor{[]int{outputs}, make([]float32, outputs)}
	if c.has(2) {
		var err error
		if bias, err = c.weights(2); err != nil {
			return nil, err
		}
	}
	if len(bias.Shape) != 1 || len(bias.Data) != outputs {
		return nil, fmt.Errorf("bias has shape %v, need [%d]", bias.Shape, outputs)
	}
	group, err := c.int("group", 1)
	if err != nil {
		return nil, err
	}
	if group < 1 || group > int64(outputs) || outputs%int(group) != 0 {
		return nil, fmt.Errorf("group is %d for %d outputs", group, outputs)
	}
	attrs.Group = int(group)
	op := OpConv
	if filter.Shape[1] == 1 && group > 1 {
		op = OpDepthwise
	}
	return c.emit(op, attrs, []Tensor{filter, bias}, x)
}

func (c *call) conv1D(x *Node, filter Tensor) (*Node, error) {
	attrs := Attrs{Kernel: [2]int{1, filter.Shape[2]}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	for name, to := range map[string][]int{"strides": attrs.Stride[1:], "dilations": attrs.Dilation[1:]} {
		v, err := onnx.Ints(c.proto, name, 1)
		if err != nil || len(v) != 1 {
			return nil, fmt.Errorf("%s %v do not fit one spatial dimension", name, v)
		}
		to[0] = toInts(v)[0]
	}
	pads, err := onnx.Ints(c.proto, "pads", 0, 0)
	if err != nil || len(pads) != 2 {
		return nil, fmt.Errorf("pads %v do not fit one spatial dimension", pads)
	}
	if auto, err := onnx.String(c.proto, "auto_pad", "NOTSET"); err != nil || auto != "NOTSET" {
		return nil, unsupported{"auto_pad is " + auto, "export explicit pads"}
	}
	attrs.Pads = [4]int{0, toInts(pads)[0], 0, toInts(pads)[1]}
	s := x.Shape
	if x, err = c.emit(OpReshape, Attrs{Dims: []int{s[0], s[1], 1, s[2]}}, nil, x); err != nil {
		return nil, err
	}
	f := filter.Shape
	y, err := c.convolution(x, Tensor{[]int{f[0], f[1], 1, f[2]}, filter.Data}, attrs)
	if err != nil {
		return nil, err
	}
	return c.emit(OpReshape, Attrs{Dims: []int{1, y.Shape[1], y.Shape[3]}}, nil, y)
}

func averagePool(c *call) (*Node, error) { return c.pool(OpAveragePool) }

func maxPool(c *call) (*Node, error) {
	if out := c.proto.GetOutput(); len(out) > 1 && out[1] != "" {
		return nil, unsupported{"its second output, the indices, is used", "export the classifier alone"}
	}
	return c.pool(OpMaxPool)
}

func (c *call) pool(op Op) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	if err := c.flag("storage_order", 0, 0); err != nil {
		return nil, err
	}
	kernel, err := onnx.Ints(c.proto, "kernel_shape")
	if err != nil {
		return nil, err
	}
	attrs, err := c.window(x, toInts(kernel))
	if err != nil {
		return nil, err
	}
	if attrs.Dilation != [2]int{1, 1} {
		return nil, unsupportedf("dilations %v, need [1 1]", attrs.Dilation)
	}
	count, err := c.int("count_include_pad", 0)
	if err != nil {
		return nil, err
	}
	attrs.CountPads = count != 0
	ceil, err := c.int("ceil_mode", 0)
	if err != nil {
		return nil, err
	}
	if ceil != 0 {
		grew, err := ceilPads(x, &attrs)
		if err != nil {
			return nil, err
		}
		if grew && attrs.CountPads {
			return nil, unsupported{"ceil_mode together with count_include_pad", "export with one of the two"}
		}
	}
	return c.emit(op, attrs, nil, x)
}

// ceilPads widens the pads at the end so that the last, partial window counts,
// and says whether it had to. A window that would begin in those pads does not
// exist.
func ceilPads(x *Node, a *Attrs) (grew bool, err error) {
	before, err := inferWindow(NCHW, &Node{Attrs: *a}, x.Shape, 1)
	if err != nil {
		return false, misfit{err}
	}
	for i := range 2 {
		length := x.Shape[2+i] + a.Pads[i]
		outputs := before[2+i]
		span := length + a.Pads[i+2] - a.Kernel[i]
		if span%a.Stride[i] != 0 && outputs*a.Stride[i] < length {
			a.Pads[i+2] += a.Stride[i] - span%a.Stride[i]
			grew = true
		}
	}
	return grew, nil
}

func globalAveragePool(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	return c.emit(OpMean, Attrs{KeepDims: true}, nil, x)
}

func globalMaxPool(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	if len(x.Shape) != 4 {
		return nil, unsupportedf("input has shape %v, need four dimensions", x.Shape)
	}
	return c.emit(OpMaxPool, Attrs{Kernel: [2]int(x.Shape[2:]), Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}, nil, x)
}

// window reads the attributes that convolutions and pools share.
func (c *call) window(x *Node, kernel []int) (Attrs, error) {
	var a Attrs
	read := func(name string, to []int, def ...int64) error {
		v, err := onnx.Ints(c.proto, name, def...)
		if err != nil {
			return err
		}
		if len(v) != len(to) {
			return unsupportedf("%s has %d values, need %d (two spatial dimensions)", name, len(v), len(to))
		}
		copy(to, toInts(v))
		return nil
	}
	if len(kernel) != 2 {
		return a, unsupportedf("kernel_shape has %d values, need 2 (two spatial dimensions)", len(kernel))
	}
	if err := read("kernel_shape", a.Kernel[:], int64(kernel[0]), int64(kernel[1])); err != nil {
		return a, err
	}
	if a.Kernel != [2]int(kernel) {
		return a, fmt.Errorf("kernel_shape %v differs from the weights' %v", a.Kernel, kernel)
	}
	if err := read("strides", a.Stride[:], 1, 1); err != nil {
		return a, err
	}
	if err := read("dilations", a.Dilation[:], 1, 1); err != nil {
		return a, err
	}
	if err := read("pads", a.Pads[:], 0, 0, 0, 0); err != nil {
		return a, err
	}
	return a, c.autoPad(x, &a)
}

// autoPad computes the pads that older models leave to the reader.
func (c *call) autoPad(x *Node, a *Attrs) error {
	auto, err := onnx.String(c.proto, "auto_pad", "NOTSET")
	if err != nil {
		return err
	}
	switch auto {
	case "NOTSET":
		return nil
	case "VALID":
		a.Pads = [4]int{}
		return nil
	case "SAME_UPPER", "SAME_LOWER":
	default:
		return unsupportedf("auto_pad is %q", auto)
	}
	if len(x.Shape) != 4 {
		return misfit{fmt.Errorf("input has shape %v, need four dimensions", x.Shape)}
	}
	if err := checkWindow(a); err != nil {
		return misfit{err}
	}
	for i := range 2 {
		begin, end := samePads(x.Shape[2+i], a.Kernel[i], a.Stride[i], a.Dilation[i])
		if auto == "SAME_LOWER" {
			begin, end = end, begin
		}
		a.Pads[i], a.Pads[i+2] = begin, end
	}
	return nil
}
