package graph

import (
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// reduceMean imports ReduceMean over height and width. Its axes are an input
// from operator set 18, an attribute before.
func (im *importer) reduceMean(n *onnx.NodeProto) (*Node, error) {
	if err := allow(n, "axes", "keepdims", "noop_with_empty_axes"); err != nil {
		return nil, err
	}
	in, err := im.inputs(n, 1)
	if err != nil {
		return nil, err
	}
	keep, err := onnx.Int(n, "keepdims", 1)
	if err != nil {
		return nil, err
	}
	axes, err := im.int64s(n, 1)
	if err == nil && axes == nil {
		axes, err = onnx.Ints(n, "axes")
	}
	if err != nil {
		return nil, err
	}
	sorted := slices.Sorted(slices.Values(axes))
	if !slices.Equal(sorted, []int64{2, 3}) && !slices.Equal(sorted, []int64{-2, -1}) {
		return nil, unsupportedf("mean over axes %v; only height and width, [2 3], are supported", axes)
	}
	return &Node{Op: OpMean, Inputs: in, Attrs: Attrs{KeepDims: keep != 0}}, nil
}

// pad imports Pad with zeros, around height and width.
func (im *importer) pad(n *onnx.NodeProto) (*Node, error) {
	if err := allow(n, "mode"); err != nil {
		return nil, err
	}
	in, err := im.inputs(n, 1)
	if err != nil {
		return nil, err
	}
	mode, err := onnx.String(n, "mode", "constant")
	if err != nil {
		return nil, err
	}
	if mode != "constant" || len(n.GetInput()) > 3 {
		return nil, unsupportedf("mode %q with %d inputs; only zeros around height and width are supported", mode, len(n.GetInput()))
	}
	value, err := im.floats(n, 2)
	if err != nil {
		return nil, err
	}
	if value != nil && (len(value.Data) != 1 || value.Data[0] != 0) {
		return nil, unsupportedf("pads with %v; only zeros are supported", value.Data)
	}
	given, err := im.int64s(n, 1)
	if err != nil {
		return nil, err
	}
	p := toInts(given)
	if len(p) != 8 || p[0] != 0 || p[1] != 0 || p[4] != 0 || p[5] != 0 {
		return nil, unsupportedf("pads %v; only height and width of images can be padded", given)
	}
	return &Node{Op: OpPad, Inputs: in, Attrs: Attrs{Pads: [4]int{p[2], p[3], p[6], p[7]}}}, nil
}

// flatten imports Flatten at axis 1 as a Reshape.
func (im *importer) flatten(n *onnx.NodeProto) (*Node, error) {
	if err := allow(n, "axis"); err != nil {
		return nil, err
	}
	in, err := im.inputs(n, 1)
	if err != nil {
		return nil, err
	}
	if err := flag(n, "axis", 1, 1); err != nil {
		return nil, err
	}
	return &Node{Op: OpReshape, Inputs: in, Attrs: Attrs{Dims: []int{1, -1}}}, nil
}

// reshape imports Reshape to a matrix with one row per image.
func (im *importer) reshape(n *onnx.NodeProto) (*Node, error) {
	if err := allow(n, "allowzero"); err != nil {
		return nil, err
	}
	in, err := im.inputs(n, 1)
	if err != nil {
		return nil, err
	}
	dims, err := im.int64s(n, 1)
	if err != nil {
		return nil, err
	}
	if slices.Contains(dims, 0) { // the attribute changes what a zero means
		if err := flag(n, "allowzero", 0, 0); err != nil {
			return nil, err
		}
	}
	if len(dims) == 0 {
		return nil, fmt.Errorf("has no target shape")
	}
	return &Node{Op: OpReshape, Inputs: in, Attrs: Attrs{Dims: toInts(dims)}}, nil
}

// int64s returns a constant int64 input, nil if it is absent.
func (im *importer) int64s(n *onnx.NodeProto, index int) ([]int64, error) {
	p, err := im.proto(n, index)
	if p == nil {
		return nil, err
	}
	return onnx.Int64s(p)
}
