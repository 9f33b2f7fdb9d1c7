package graph

// MergeReshapes makes one Reshape of several in a row.
func MergeReshapes(g *Graph) (*Graph, error) {
	g = g.clone()
	for _, n := range g.Nodes {
		if n.Op == OpReshape && n.Inputs[0].Op == OpReshape {
			n.Inputs[0] = n.Inputs[0].Inputs[0] // whose own inputs were merged before
		}
	}
	return FoldIdentity(g)
}
