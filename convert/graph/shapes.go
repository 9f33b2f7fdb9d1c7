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

func inferNode(l Layout, n *Node) ([]int, error) {
	switch n.Op {
	case OpInput:
		return n.Shape, nil
	case OpConst:
		return n.Weights[0].Shape, nil
	}
	in := n.Inputs[0].Shape
	switch n.Op {
	case OpConv, OpDepthwise, OpAveragePool, OpMaxPool, OpPad, OpMean:
		if len(in) != 4 || in[0] != 1 {
			return nil, fmt.Errorf("input has shape %v, need one image of four dimensions", in)
		}
	}
	switch n.Op {
	case OpConv, OpDepthwise:
		return inferConv(l, n, in)
	case OpAveragePool, OpMaxPool:
		ci, _, _ := l.axes()
		return inferWindow(l, n, in, in[ci])
	case OpFullyConnected:
		last := len(in) - 1
		if want := n.Weights[0].Shape[1]; last < 0 || in[last] != want {
			return nil, fmt.Errorf("input has shape %v, weights want [… %d]", in, want)
		}
		return append(slices.Clone(in[:last]), n.Weights[0].Shape[0]), nil
	case OpBatchNorm:
		return inferBatchNorm(l, n, in)
	case OpScale, OpShift, OpPRelu:
		if shape, err := broadcastShapes(in, n.Weights[0].Shape); err != nil || !slices.Equal(shape, in) {
			return nil, fmt.Errorf("constant of shape %v does not fit %v", n.Weights[0].Shape, in)
		}
		return slices.Clone(in), nil
	case OpAdd, OpMul, OpSub, OpDiv, OpMaximum, OpMinimum:
		return broadcastShapes(in, n.Inputs[1].Shape)
	case OpRelu, OpRelu6, OpIdentity, OpLeakyRelu, OpElu, OpHardSwish, OpSigmoid, OpTanh, OpGelu, OpExp, OpLog, OpSqrt, OpSquare,
		OpNeg, OpAbs, OpHardSigmoid, OpErf, OpQuantize, OpDequantize:
		return slices.Clone(in), nil
	case OpSoftmax:
		if len(in) == 0 {
			return nil, fmt.Errorf("input is a single value")
		}
		return slices.Clone(in), nil
	case OpMean:
		ci, _, _ := l.axes()
		if n.Attrs.KeepDims {
			return image(l, 1, 1, in[ci]), nil
		}
		return []int{1, in[ci]}, nil
	case OpReduceMean, OpReduceSum, OpReduceMax:
		return inferReduction(n, in), nil
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
		return resolveDims(in, n.Attrs.Dims, false)
	case OpTranspose:
		shape := make([]int, len(in))
		for i, p := range n.Attrs.Perm {
			shape[i] = in[p]
		}
		return shape, nil
	case OpConcat:
		return inferConcat(n)
	case OpSlice:
		return slices.Clone(n.Attrs.Size), nil
	case OpGather:
		shape := slices.Clone(in)
		shape[n.Attrs.Axis] = len(n.Attrs.Indices)
		return shape, nil
	case OpMatMul:
		return inferMatMul(n)
	}
	return nil, fmt.Errorf("no shape rule")
}

// inferBatchNorm checks the statistics, one for each channel.
func inferBatchNorm(l Layout, n *Node, in []int) ([]int, error) {
	if len(in) < 2 {
		return nil, fmt.Errorf("input has shape %v, need channels", in)
	}
	c := in[1]
	if l == NHWC {
		c = in[len(in)-1]
	}
	for _, w := range n.Weights {
		if len(w.Data) != c {
			return nil, fmt.Errorf("constant of shape %v does not run along the %d channels of %v", w.Shape, c, in)
		}
	}
	return slices.Clone(in), nil
}

func inferReduction(n *Node, in []int) []int {
	shape := []int{}
	for i, d := range in {
		switch {
		case !slices.Contains(n.Attrs.Axes, i):
			shape = append(shape, d)
		case n.Attrs.KeepDims:
			shape = append(shape, 1)
		}
	}
	return shape
}

func inferConcat(n *Node) ([]int, error) {
	axis := n.Attrs.Axis
	shape := slices.Clone(n.Inputs[0].Shape)
	for _, in := range n.Inputs[1:] {
		if !sameBut(in.Shape, shape, axis) {
			return nil, fmt.Errorf("parts of shapes %v and %v do not fit along axis %d", n.Inputs[0].Shape, in.Shape, axis)
		}
		if shape[axis] += in.Shape[axis]; shape[axis] > maxElements {
			return nil, fmt.Errorf("output shape %v is too large", shape)
		}
	}
	return shape, nil
}

func inferMatMul(n *Node) ([]int, error) {
	a, b := n.Inputs[0].Shape, n.Inputs[1].Shape
	if len(a) < 2 || len(b) < 2 {
		return nil, fmt.Errorf("inputs of shapes %v and %v are no matrices", a, b)
	}
	rows, inner := a[len(a)-2], a[len(a)-1]
	if n.Attrs.AdjX {
		rows, inner = inner, rows
	}
	wanted, columns := b[len(b)-2], b[len(b)-1]
	if n.Attrs.AdjY {
		wanted, columns = columns, wanted
	}
	if inner != wanted {
		return nil, fmt.Errorf("inputs of shapes %v and %v cannot be multiplied", a, b)
	}
	stack, err := broadcastShapes(a[:len(a)-2], b[:len(b)-2])
	if err != nil {
		return nil, err
	}
	return append(stack, rows, columns), nil
}

// inferConv knows filters as the layout has them; see the operators' comments.
func inferConv(l Layout, n *Node, in []int) ([]int, error) {
	w := n.Weights[0].Shape
	ci, _, _ := l.axes()
	var out, want int
	switch {
	case n.Op == OpConv && l == NCHW:
		out, want = w[0], w[1]*max(n.Attrs.Group, 1)
	case n.Op == OpConv:
		out, want = w[0], w[3]*max(n.Attrs.Group, 1)
	case l == NCHW: // depthwise: any multiple of the input's channels
		out, want = w[0], n.Attrs.Group
	default:
		out, want = w[3], in[ci]
	}
	if in[ci] != want {
		return nil, fmt.Errorf("input has %d channels, weights want %d", in[ci], want)
	}
	if n.Op == OpDepthwise && out%in[ci] != 0 {
		return nil, fmt.Errorf("%d outputs are no multiple of %d channels", out, in[ci])
	}
	return inferWindow(l, n, in, out)
}

func checkWindow(a *Attrs) error {
	for i := range 2 {
		k, s, d := a.Kernel[i], a.Stride[i], a.Dilation[i]
		if k < 1 || s < 1 || d < 1 || k > maxElements || s > maxElements || d > maxElements/k {
			return fmt.Errorf("kernel %v, strides %v, dilations %v are not usable", a.Kernel, a.Stride, a.Dilation)
		}
	}
	return nil
}

// inferWindow computes the output of a sliding window.
func inferWindow(l Layout, n *Node, in []int, out int) ([]int, error) {
	a := n.Attrs
	if len(in) != 4 {
		return nil, fmt.Errorf("input has shape %v, need four dimensions", in)
	}
	if err := checkWindow(&a); err != nil {
		return nil, err
	}
	_, hi, wi := l.axes()
	var size [2]int
	for i, length := range []int{in[hi], in[wi]} {
		k, s, d := a.Kernel[i], a.Stride[i], a.Dilation[i]
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
