package graph

import (
	"fmt"
	"slices"
)

// maxElements bounds every tensor, so that a damaged model cannot ask for
// absurd amounts of memory: 2^28 values are 1 GiB.
const maxElements = 1 << 28

// InferShapes sets every node's Shape and checks that operators and weights fit
// their inputs.
func InferShapes(g *Graph) (*Graph, error) {
	g = g.clone()
	var bad report
	known := map[*Node]bool{}
	for _, n := range g.Nodes {
		ready := true
		for _, in := range n.Inputs {
			ready = ready && known[in]
		}
		if !ready {
			continue // an input was already reported
		}
		shape, err := inferNode(g.Layout, n)
		if err == nil {
			err = checkShape(shape)
		}
		if err != nil {
			bad.add(n, "%v", err)
			continue
		}
		n.Shape = shape
		known[n] = true
	}
	if err := bad.err(); err != nil {
		return nil, err
	}
	return g, nil
}

func checkShape(shape []int) error {
	total := 1
	for _, d := range shape {
		if d <= 0 || d > maxElements || total > maxElements/d {
			return fmt.Errorf("output shape %v is empty or too large", shape)
		}
		total *= d
	}
	return nil
}

// axes returns the positions of channels, height and width.
func (l Layout) axes() (c, h, w int) {
	if l == NCHW {
		return 1, 2, 3
	}
	return 3, 1, 2
}

func image(l Layout, h, w, c int) []int {
	if l == NCHW {
		return []int{1, c, h, w}
	}
	return []int{1, h, w, c}
}

// channels is the length of the channel axis: the last one in NHWC, the second
// in NCHW, and the last for matrices.
func channels(l Layout, shape []int) int {
	if len(shape) == 4 {
		c, _, _ := l.axes()
		return shape[c]
	}
	return shape[len(shape)-1]
}

// channelFromEnd is the channel axis, counted from the end with 1 as the last.
func channelFromEnd(l Layout, shape []int) int {
	if len(shape) == 4 && l == NCHW {
		return 3
	}
	return 1
}

func inferNode(l Layout, n *Node) ([]int, error) {
	if n.Op == OpInput {
		return n.Shape, nil
	}
	in := n.Inputs[0].Shape
	switch n.Op {
	case OpConv, OpDepthwise, OpAveragePool, OpMaxPool, OpPad, OpMean:
		if len(in) != 4 {
			return nil, fmt.Errorf("input has shape %v, need four dimensions", in)
		}
	}
	switch n.Op {
	case OpConv, OpDepthwise:
		return inferConv(l, n, in)
	case OpAveragePool, OpMaxPool:
		ci, _, _ := l.axes()
		return inferWindow(l, n, in, in[ci])
	case OpFullyConnected:
		if want := n.Weights[0].Shape[1]; !slices.Equal(in, []int{1, want}) {
			return nil, fmt.Errorf("input has shape %v, weights want [1 %d]", in, want)
		}
		return []int{1, n.Weights[0].Shape[0]}, nil
	case OpBatchNorm, OpScale, OpShift:
		return inferPerChannel(l, n, in)
	case OpAdd:
		if b := n.Inputs[1].Shape; !slices.Equal(in, b) {
			return nil, fmt.Errorf("inputs have shapes %v and %v; broadcasting is not supported", in, b)
		}
		return slices.Clone(in), nil
	case OpRelu, OpRelu6, OpSoftmax, OpIdentity:
		if n.Op == OpSoftmax && len(in) != 2 {
			return nil, fmt.Errorf("input has shape %v, need two dimensions", in)
		}
		return slices.Clone(in), nil
	case OpMean:
		ci, _, _ := l.axes()
		if n.Attrs.KeepDims {
			return image(l, 1, 1, in[ci]), nil
		}
		return []int{1, in[ci]}, nil
	case OpPad:
		ci, hi, wi := l.axes()
		p := n.Attrs.Pads
		for _, v := range p {
			if v < 0 || v > maxElements {
				return nil, fmt.Errorf("pads %v are not usable", p)
			}
		}
		return image(l, in[hi]+p[0]+p[2], in[wi]+p[1]+p[3], in[ci]), nil
	case OpReshape:
		return inferReshape(n, in)
	}
	return nil, fmt.Errorf("no shape rule")
}

// inferPerChannel checks BatchNorm, Scale and Shift, which keep the shape.
func inferPerChannel(l Layout, n *Node, in []int) ([]int, error) {
	if len(in) != 2 && len(in) != 4 {
		return nil, fmt.Errorf("input has shape %v, need two or four dimensions", in)
	}
	c := channels(l, in)
	for _, w := range n.Weights {
		if len(w.Data) == 1 && n.Op != OpBatchNorm {
			continue
		}
		if len(w.Data) != c || (n.Op != OpBatchNorm && n.Attrs.FromEnd != channelFromEnd(l, in)) {
			return nil, fmt.Errorf("constant of shape %v does not run along the %d channels of %v", w.Shape, c, in)
		}
	}
	return slices.Clone(in), nil
}

func inferConv(l Layout, n *Node, in []int) ([]int, error) {
	w := n.Weights[0].Shape
	ci, _, _ := l.axes()
	var out, want int
	switch {
	case n.Op == OpConv && l == NCHW:
		out, want = w[0], w[1]
	case n.Op == OpConv:
		out, want = w[0], w[3]
	case l == NCHW: // depthwise: any multiple of the input's channels
		out, want = w[0], in[ci]
	default:
		out, want = w[3], in[ci]
	}
	if in[ci] != want {
		return nil, fmt.Errorf("input has %d channels, weights want %d", in[ci], want)
	}
	if n.Op == OpDepthwise && out%in[ci] != 0 {
		return nil, fmt.Errorf("%d outputs are no multiple of %d channels", out, in[ci])
	}
	if n.Op == OpDepthwise && l == NCHW && n.Attrs.Group != in[ci] {
		return nil, fmt.Errorf("group is %d, need 1 or the %d input channels", n.Attrs.Group, in[ci])
	}
	return inferWindow(l, n, in, out)
}

// inferWindow computes the output of a sliding window.
func inferWindow(l Layout, n *Node, in []int, out int) ([]int, error) {
	a := n.Attrs
	_, hi, wi := l.axes()
	var size [2]int
	for i, length := range []int{in[hi], in[wi]} {
		k, s, d := a.Kernel[i], a.Stride[i], a.Dilation[i]
		if k < 1 || s < 1 || d < 1 || k > maxElements || s > maxElements || d > maxElements/k {
			return nil, fmt.Errorf("kernel %v, strides %v, dilations %v are not usable", a.Kernel, a.Stride, a.Dilation)
		}
		begin, end := a.Pads[i], a.Pads[i+2]
		if begin < 0 || end < 0 || begin > maxElements || end > maxElements {
			return nil, fmt.Errorf("pads %v are not usable", a.Pads)
		}
		if a.Padding == Same {
			begin, end = samePads(length, k, s, d)
		}
		span := length + begin + end - ((k-1)*d + 1)
		if span < 0 {
			return nil, fmt.Errorf("window of %d does not fit an input of %d", (k-1)*d+1, length)
		}
		size[i] = span/s + 1
	}
	return image(l, size[0], size[1], out), nil
}

// samePads is TFLite's SAME: what it takes for ceil(length/stride) outputs,
// the odd one at the end.
func samePads(length, kernel, stride, dilation int) (begin, end int) {
	outputs := (length + stride - 1) / stride
	total := max((outputs-1)*stride+(kernel-1)*dilation+1-length, 0)
	return total / 2, total - total/2
}

func inferReshape(n *Node, in []int) ([]int, error) {
	total := elements(in)
	shape := slices.Clone(n.Attrs.Dims)
	known, open := 1, -1
	for i, d := range shape {
		if d == 0 && i < len(in) {
			shape[i] = in[i]
		}
		switch d := shape[i]; {
		case d == -1 && open < 0:
			open = i
		case d < 1 || d > maxElements || known > maxElements/d:
			return nil, fmt.Errorf("target shape %v is not usable", n.Attrs.Dims)
		default:
			known *= d
		}
	}
	if open >= 0 {
		shape[open] = total / known
		known *= shape[open]
	}
	if known != total {
		return nil, fmt.Errorf("target shape %v does not hold the %d values of a batch of one", n.Attrs.Dims, total)
	}
	if len(shape) != 2 || shape[0] != 1 {
		return nil, fmt.Errorf("target shape %v; only [1, n] is supported", n.Attrs.Dims)
	}
	return shape, nil
}
