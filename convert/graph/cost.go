package graph

// MACs is the number of multiply-accumulates of a node in an NHWC graph; those
// of normalization, pooling and sums are not counted.
func (n *Node) MACs() int64 {
	switch n.Op {
	case OpConv, OpDepthwise, OpFullyConnected: // every weight is used once per output pixel
		return int64(len(n.Weights[0].Data)) * int64(elements(n.Shape[:len(n.Shape)-1]))
	case OpMatMul:
		in := n.Inputs[0].Shape
		inner := in[len(in)-1]
		if n.Attrs.AdjX {
			inner = in[len(in)-2]
		}
		return int64(elements(n.Shape)) * int64(inner)
	}
	return 0
}

// WeightBytes is the size of a node's weights as they are stored.
func (n *Node) WeightBytes() int64 {
	var total int64
	for i, w := range n.Weights {
		total += n.StoredWeight(i).Number.Bytes() * int64(len(w.Data))
	}
	return total
}

// MACs is the sum over all nodes.
func (g *Graph) MACs() int64 {
	var total int64
	for _, n := range g.Nodes {
		total += n.MACs()
	}
	return total
}

// WeightBytes is the sum over all nodes.
func (g *Graph) WeightBytes() int64 {
	var total int64
	for _, n := range g.Nodes {
		total += n.WeightBytes()
	}
	return total
}
