package graph

import (
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// mean imports GlobalAveragePool, and ReduceMean over height and width.
func (im *importer) mean(n *onnx.NodeProto) (*Node, error) {
	if err := allow(n, "axes", "keepdims", "noop_with_empty_axes"); err != nil {
		return nil, err
	}
	in, err := im.inputs(n, 1)
	if err != nil {
		return nil, err
	}
	made := &Node{Op: OpMean, Inputs: in, Attrs: Attrs{KeepDims: true}}
	if n.GetOpType() == "GlobalAveragePool" {
		return made, nil
	}
	keep, err := onnx.Int(n, "keepdims", 1)
	if err != nil {
		return nil, err
	}
	made.Attrs.KeepDims = keep != 0
	axes, err := im.int64s(n, 1)
	if err != nil {
		return nil, err
	}
	if axes == nil {
		if axes, err = onnx.Ints(n, "axes"); err != nil {
			return nil, err
		}
	}
	sorted := slices.Sorted(slices.Values(axes))
	if !slices.Equal(sorted, []int64{2, 3}) && !slices.Equal(sorted, []int64{-2, -1}) {
		return nil, unsupportedf("mean over axes %v, need height and width [2 3]", axes)
	}
	return made, nil
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
	if err := flag(n, "allowzero", 0, 0); err != nil {
		return nil, err
	}
	dims, err := im.int64s(n, 1)
	if err != nil {
		return nil, err
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
