package reference

import (
	"fmt"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// prepareDepthToSpace: blocks of channels become blocks of pixels.
func prepareDepthToSpace(n *onnx.NodeProto) (kernel, error) {
	mode, err := onnx.String(n, "mode", "DCR")
	if err != nil {
		return nil, err
	}
	return prepareBlocks(n, func(s []int, b int) (wide, order, shape []int) {
		c := s[1] / (b * b)
		if mode == "CRD" {
			return []int{s[0], c, b, b, s[2], s[3]}, []int{0, 1, 4, 2, 5, 3}, []int{s[0], c, s[2] * b, s[3] * b}
		}
		return []int{s[0], b, b, c, s[2], s[3]}, []int{0, 3, 4, 1, 5, 2}, []int{s[0], c, s[2] * b, s[3] * b}
	})
}

// prepareSpaceToDepth: blocks of pixels become channels.
func prepareSpaceToDepth(n *onnx.NodeProto) (kernel, error) {
	return prepareBlocks(n, func(s []int, b int) (wide, order, shape []int) {
		return []int{s[0], s[1], s[2] / b, b, s[3] / b, b}, []int{0, 3, 5, 1, 2, 4}, []int{s[0], s[1] * b * b, s[2] / b, s[3] / b}
	})
}

func prepareBlocks(n *onnx.NodeProto, plan func(shape []int, block int) (wide, order, shaped []int)) (kernel, error) {
	block, err := onnx.Int(n, "blocksize", 0)
	if err != nil {
		return nil, err
	}
	if block < 1 || block > maxExtent {
		return nil, fmt.Errorf("blocksize %d", block)
	}
	return func(in arguments) (value, error) {
		x, err := in.image(0)
		if err != nil {
			return value{}, err
		}
		wide, order, shape := plan(x.Shape, int(block))
		if n, err := elements(wide); err != nil || n != len(x.Data) {
			return value{}, fmt.Errorf("blocks of %d in %v", block, x.Shape)
		}
		y, err := transposed(value{Tensor: Tensor{wide, x.Data}}, order)
		return y.reshaped(shape), err
	}, nil
}
