package graph

import (
	"fmt"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// conv imports Conv: ordinary, or depthwise where each group has one channel.
func (im *importer) conv(n *onnx.NodeProto) (*Node, error) {
	if err := allow(n, "auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"); err != nil {
		return nil, err
	}
	in, err := im.inputs(n, 1)
	if err != nil {
		return nil, err
	}
	filter, err := im.required(n, 1, 4)
	if err != nil {
		return nil, err
	}
	bias, err := im.floats(n, 2)
	if err != nil {
		return nil, err
	}
	outputs := filter.Shape[0]
	if bias == nil {
		bias = &Tensor{Shape: []int{outputs}, Data: make([]float32, outputs)}
	}
	if len(bias.Shape) != 1 || len(bias.Data) != outputs {
		return nil, fmt.Errorf("bias has shape %v, need [%d]", bias.Shape, outputs)
	}
	group, err := onnx.Int(n, "group", 1)
	if err != nil {
		return nil, err
	}
	attrs, err := window(n, filter.Shape[2:])
	if err != nil {
		return nil, err
	}
	made := &Node{Op: OpConv, Inputs: in, Weights: []Tensor{filter, *bias}, Attrs: attrs}
	switch {
	case group == 1:
	case filter.Shape[1] == 1 && group > 1 && group <= int64(outputs):
		made.Op = OpDepthwise
		made.Attrs.Group = int(group)
	default:
		return nil, unsupportedf("group is %d: neither an ordinary nor a depthwise convolution", group)
	}
	return made, nil
}

// pool imports AveragePool and MaxPool.
func (im *importer) pool(n *onnx.NodeProto, op Op) (*Node, error) {
	if err := allow(n, "auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "storage_order", "strides"); err != nil {
		return nil, err
	}
	in, err := im.inputs(n, 1)
	if err != nil {
		return nil, err
	}
	if err := flag(n, "ceil_mode", 0, 0); err != nil {
		return nil, err
	}
	kernel, err := onnx.Ints(n, "kernel_shape")
	if err != nil {
		return nil, err
	}
	attrs, err := window(n, toInts(kernel))
	if err != nil {
		return nil, err
	}
	if attrs.Dilation != [2]int{1, 1} {
		return nil, unsupportedf("dilations %v, need [1 1]", attrs.Dilation)
	}
	count, err := onnx.Int(n, "count_include_pad", 0)
	if err != nil {
		return nil, err
	}
	attrs.CountPads = count != 0 && op == OpAveragePool
	return &Node{Op: op, Inputs: in, Attrs: attrs}, nil
}

// window reads the attributes that convolutions and pools share.
func window(n *onnx.NodeProto, kernel []int) (Attrs, error) {
	var a Attrs
	read := func(name string, to []int, def ...int64) error {
		v, err := onnx.Ints(n, name, def...)
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
	auto, err := onnx.String(n, "auto_pad", "NOTSET")
	if err != nil {
		return a, err
	}
	if auto != "NOTSET" {
		return a, unsupportedf("auto_pad is %s (export explicit pads)", auto)
	}
	return a, nil
}
