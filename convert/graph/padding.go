package graph

// LowerPadding replaces explicit pads by TFLite's SAME or VALID.
//
// Where the pads that the output really reads are those of SAME, the node
// becomes SAME; without pads it becomes VALID. Otherwise a Pad node goes before
// a VALID one: a 3x3 window with stride 2 and pads of 1 all around, say, reads
// one row above an even-sized input and none below it, while SAME would do it
// the other way round. Pads that no window reaches are left out.
//
// A zero Pad suits convolutions, average pools that count their pads, and max
// pools of values that cannot be negative; other pools are unsupported.
func LowerPadding(g *Graph) (*Graph, error) {
	g = g.clone()
	var bad report
	var nodes []*Node
	for _, n := range g.Nodes {
		switch n.Op {
		case OpConv, OpDepthwise, OpAveragePool, OpMaxPool:
			if pad := lowerPads(g.Layout, n, &bad); pad != nil {
				nodes = append(nodes, pad)
			}
		}
		nodes = append(nodes, n)
	}
	if err := bad.err(); err != nil {
		return nil, err
	}
	g.Nodes = nodes
	return g, nil
}

// lowerPads sets the padding of a window node and returns the Pad to put
// before it, if one is needed.
func lowerPads(l Layout, n *Node, bad *report) *Node {
	in := n.Inputs[0]
	_, hi, wi := l.axes()
	a := &n.Attrs
	pads := a.Pads
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
	// A window of an average pool that counts pads divides by its full size,
	// SAME by the part inside.
	counts := n.Op == OpAveragePool && a.CountPads
	a.CountPads = false
	switch {
	case pads == [4]int{}:
		a.Padding = Valid
		return nil
	case same && !counts:
		a.Padding = Same
		return nil
	case n.Op == OpAveragePool && !counts:
		bad.add(n, "average pool with pads %v that are not those of SAME and not counted", pads)
		return nil
	case n.Op == OpMaxPool && !nonNegative(in):
		bad.add(n, "max pool with pads %v that are not those of SAME, of values that may be negative", pads)
		return nil
	}
	a.Padding = Valid
	shape := append([]int(nil), in.Shape...)
	shape[hi] += pads[0] + pads[2]
	shape[wi] += pads[1] + pads[3]
	pad := &Node{Name: n.Name + "_pad", Op: OpPad, Inputs: []*Node{in}, Attrs: Attrs{Pads: pads}, Shape: shape}
	n.Inputs[0] = pad
	return pad
}

func nonNegative(n *Node) bool {
	return n.Op == OpRelu || n.Op == OpRelu6 || n.Attrs.Activation != None
}
