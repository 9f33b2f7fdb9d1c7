package graph

// DropDead removes nodes that the output does not depend on. The input stays.
func DropDead(g *Graph) (*Graph, error) {
	g = g.clone()
	live := map[*Node]bool{g.Input(): true, g.Output: true}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		if n := g.Nodes[i]; live[n] {
			for _, in := range n.Inputs {
				live[in] = true
			}
		}
	}
	kept := g.Nodes[:0]
	for _, n := range g.Nodes {
		if live[n] {
			kept = append(kept, n)
		}
	}
	g.Nodes = kept
	return g, nil
}
