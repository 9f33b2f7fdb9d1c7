package graph

// FuseMean drops the Reshape to [1, C] after a Mean that kept its axes, where
// nothing else reads the mean: the Mean then drops the axes itself.
func FuseMean(g *Graph) (*Graph, error) {
	g = g.clone()
	uses := g.consumers()
	for _, n := range g.Nodes {
		if n.Op != OpReshape {
			continue
		}
		in := n.Inputs[0]
		if in.Op != OpMean || !in.Attrs.KeepDims || uses[in] != 1 {
			continue
		}
		in.Attrs.KeepDims = false
		in.Shape = n.Shape
		uses[in] = uses[n]
		g.replace(n, in)
	}
	return DropDead(g)
}
