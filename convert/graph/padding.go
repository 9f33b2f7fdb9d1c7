package graph

import "math"

// FusePads makes a Pad with zeros part of the convolution that reads it alone.
func FusePads(g *Graph) (*Graph, error) {
	g = g.clone()
	uses := g.consumers()
	for _, n := range g.Nodes {
		if n.Op != OpConv && n.Op != OpDepthwise {
			continue
		}
		pad := n.Inputs[0]
		if pad.Op != OpPad || pad.Attrs.PadValue != 0 || uses[pad] != 1 {
			continue
		}
		for i, p := range pad.Attrs.Pads {
			n.Attrs.Pads[i] += p
		}
		n.Inputs[0] = pad.Inputs[0]
	}
	return DropDead(g)
}

// LowerPadding replaces explicit pads by TFLite's SAME or VALID.
//
// Where the pads that the output really reads are those of SAME, the node
// becomes SAME; without pads it becomes VALID. Otherwise a Pad node goes before
// a VALID one: a 3x3 window with stride 2 and pads of 1 all around, say, reads
// one row above an even-sized input and none below it, while SAME would do it
// the other way round. Pads that no window reaches are left out.
//
// The pads are zeros, except before a max pool of values that may be negative.
// After an average pool that does not count its pads, a factor for each pixel
// corrects for those in its window.
func LowerPadding(g *Graph) (*Graph, error) {
	g = g.clone()
	var nodes []*Node
	for _, n := range g.Nodes {
		switch n.Op {
		case OpConv, OpDepthwise, OpAveragePool, OpMaxPool:
			if pads, needed := tightPads(g.Layout, n); needed {
				nodes = append(nodes, padBefore(g.Layout, n, pads))
				nodes = append(nodes, n)
				if n.Op == OpAveragePool && !n.Attrs.CountPads {
					scale := uncounted(g.Layout, n, pads)
					g.replace(n, scale)
					scale.Inputs[0] = n
					nodes = append(nodes, scale)
				}
				n.Attrs.CountPads = false
				continue
			}
			n.Attrs.CountPads = false
		}
		nodes = append(nodes, n)
	}
	g.Nodes = nodes
	return g, nil
}

// tightPads sets a window node to SAME or VALID, and returns the pads that must
// come from a node of their own.
func tightPads(l Layout, n *Node) (pads [4]int, needed bool) {
	in := n.Inputs[0]
	_, hi, wi := l.axes()
	a := &n.Attrs
	pads = a.Pads
	same := true
	for i, axis := range []int{hi, wi} {
		length, outputs := in.Shape[axis], n.Shape[axis]
		reach := (outputs-1)*a.Stride[i] + (a.Kernel[i]-1)*a.Dilation[i] + 1
		// What lies beyond the last window is never read.
		pads[i+2] = max(reach-length-pads[i], 0)
		begin, end := samePads(length, a.Kernel[i], a.Stride[i], a.Dilation[i])
		same = same && outputs == (length+a.Stride[i]-1)/a.Stride[i] && pads[i] == begin && pads[i+2] == end
	}
	a.Pads = [4]int{}
	a.Padding = Valid
	if pads == [4]int{} {
		return pads, false
	}
	// A window of an average pool that counts pads divides by its full size,
	// SAME by the part inside.
	if same && !(n.Op == OpAveragePool && a.CountPads) {
		a.Padding = Same
		return pads, false
	}
	return pads, true
}

// padBefore puts a Pad before a window node.
func padBefore(l Layout, n *Node, pads [4]int) *Node {
	in := n.Inputs[0]
	_, hi, wi := l.axes()
	shape := append([]int(nil), in.Shape...)
	shape[hi] += pads[0] + pads[2]
	shape[wi] += pads[1] + pads[3]
	pad := &Node{Name: n.Name + "_pad", Op: OpPad, Inputs: []*Node{in}, Attrs: Attrs{Pads: pads}, Shape: shape}
	if n.Op == OpMaxPool && !nonNegative(in) {
		pad.Attrs.PadValue = -math.MaxFloat32
	}
	n.Inputs[0] = pad
	return pad
}

// uncounted is the factor after an average pool that counted pads: the size of
// the window over the number of pixels of the image in it.
func uncounted(l Layout, n *Node, pads [4]int) *Node {
	padded := n.Inputs[0].Shape
	_, hi, wi := l.axes()
	inside := func(axis, i, o int) int {
		from := o * n.Attrs.Stride[i]
		return min(from+n.Attrs.Kernel[i], padded[axis]-pads[i+2]) - max(from, pads[i])
	}
	rows, columns := n.Shape[hi], n.Shape[wi]
	factor := zeros(image(l, rows, columns, 1)...)
	window := float64(n.Attrs.Kernel[0] * n.Attrs.Kernel[1])
	for y := range rows {
		for x := range columns {
			factor.Data[y*columns+x] = float32(window / float64(max(inside(hi, 0, y), 1)*max(inside(wi, 1, x), 1)))
		}
	}
	act := n.Attrs.Activation
	n.Attrs.Activation = None
	return &Node{Name: n.Name, Op: OpScale, Inputs: []*Node{n}, Weights: []Tensor{factor}, Attrs: Attrs{Activation: act}, Shape: n.Shape}
}

// nonNegative says whether no value of a node is below zero, as far as a few
// nodes before it tell.
func nonNegative(n *Node) bool { return nonNegativeWithin(n, 8) }

func nonNegativeWithin(n *Node, nodes int) bool {
	if n.Attrs.Activation != None {
		return true
	}
	switch n.Op {
	case OpRelu, OpRelu6, OpSigmoid, OpSoftmax, OpAbs, OpSquare, OpSqrt, OpExp:
		return true
	case OpMaxPool, OpAveragePool, OpReshape, OpSlice, OpTranspose, OpGather, OpConcat:
		for _, in := range n.Inputs {
			if nodes == 0 || !nonNegativeWithin(in, nodes-1) {
				return false
			}
		}
		return true
	}
	return false
}
