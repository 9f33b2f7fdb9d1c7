package graph

// FuseActivations makes a Relu or Relu6 part of the layer, sum or product
// before it, where nothing else reads that node. Others stay as they are.
func FuseActivations(g *Graph) (*Graph, error) {
	g = g.clone()
	uses := g.consumers()
	for _, n := range g.Nodes {
		var act Activation
		switch n.Op {
		case OpRelu:
			act = Relu
		case OpRelu6:
			act = Relu6
		default:
			continue
		}
		in := n.Inputs[0]
		if uses[in] != 1 || in.Attrs.Activation != None {
			continue
		}
		switch in.Op {
		case OpConv, OpDepthwise, OpFullyConnected, OpAdd, OpMul, OpSub, OpDiv, OpScale, OpShift, OpAveragePool, OpMaxPool:
			in.Attrs.Activation = act
			uses[in] = uses[n]
			g.replace(n, in)
		}
	}
	return DropDead(g)
}
