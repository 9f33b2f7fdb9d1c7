package graph

// MACs is the number of multiply-accumulates of a node in an NHWC graph; those
// of normalization, pooling and sums are not counted.
func (n *Node) MACs() int64 {
	if !hasBias(n) {
		return 0
	}
	weights := int64(len(n.Weights[0].Data))
	switch n.Op {
	case OpConv, OpDepthwise: // every weight is used once per output pixel
		return weights * int64(n.Shape[1]) * int64(n.Shape[2])
	}
	return weights
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
