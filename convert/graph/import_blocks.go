package graph

import (
	"fmt"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// depthToSpace spreads blocks of channels over the image.
func depthToSpace(c *call) (*Node, error) {
	x, block, err := c.blocks()
	if err != nil {
		return nil, err
	}
	mode, err := onnx.String(c.proto, "mode", "DCR")
	if err != nil {
		return nil, err
	}
	s := x.Shape
	deep := s[1] / (block * block)
	dims, perm := []int{s[0], block, block, deep, s[2], s[3]}, []int{0, 3, 4, 1, 5, 2}
	if mode == "CRD" {
		dims, perm = []int{s[0], deep, block, block, s[2], s[3]}, []int{0, 1, 4, 2, 5, 3}
	}
	return c.shuffle(x, dims, perm, []int{s[0], deep, s[2] * block, s[3] * block})
}

// spaceToDepth gathers blocks of the image into channels.
func spaceToDepth(c *call) (*Node, error) {
	x, block, err := c.blocks()
	if err != nil {
		return nil, err
	}
	s := x.Shape
	h, w := s[2]/block, s[3]/block
	return c.shuffle(x, []int{s[0], s[1], h, block, w, block}, []int{0, 3, 5, 1, 2, 4}, []int{s[0], s[1] * block * block, h, w})
}

func (c *call) blocks() (*Node, int, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, 0, err
	}
	block, err := c.int("blocksize", 0)
	if err != nil {
		return nil, 0, err
	}
	if len(x.Shape) != 4 || block < 1 || block > int64(x.Shape[1]*x.Shape[2]) {
		return nil, 0, misfit{fmt.Errorf("blocks of %d do not fit %v", block, x.Shape)}
	}
	return x, int(block), nil
}

// shuffle reshapes, reorders the axes and reshapes again.
func (c *call) shuffle(x *Node, dims, perm, shape []int) (*Node, error) {
	x, err := c.emit(OpReshape, Attrs{Dims: dims}, nil, x)
	if err != nil {
		return nil, err
	}
	if x, err = c.emit(OpTranspose, Attrs{Perm: perm}, nil, x); err != nil {
		return nil, err
	}
	return c.emit(OpReshape, Attrs{Dims: shape}, nil, x)
}
