package graph

// Split cuts a lowered graph wherever a single tensor crosses, that is, where
// every way from input to output leads through one node. The pieces are graphs
// of their own that follow one another; inside a residual block, where two
// tensors cross, there is no cut.
//
// Nodes of a piece are reached by walking back from its output, so that their
// order says nothing about the order in which ONNX listed them.
func Split(g *Graph) []*Graph {
	position := make(map[*Node]int, len(g.Nodes))
	for i, n := range g.Nodes {
		position[n] = i
	}
	lastUse := make([]int, len(g.Nodes))
	for i, n := range g.Nodes {
		for _, in := range n.Inputs {
			if in.Op != OpConst { // which crosses no cut: it is copied to where it is read
				lastUse[position[in]] = i
			}
		}
	}
	var pieces []*Graph
	open := 0 // the furthest reader of any node before i
	from := g.Input()
	for i, n := range g.Nodes {
		if n != g.Input() && n.Op != OpConst && (open <= i || n == g.Output) {
			pieces = append(pieces, between(g.Layout, from, n))
			from = n
		}
		open = max(open, lastUse[i])
	}
	return pieces
}

// between copies what lies after node from up to node to.
func between(l Layout, from, to *Node) *Graph {
	g := &Graph{Layout: l}
	made := map[*Node]*Node{}
	g.Output = g.graft(from, to, g.addInput(from), made)
	return g
}

// Concat joins pieces that follow one another to one graph.
func Concat(pieces []*Graph) *Graph {
	g := &Graph{Layout: pieces[0].Layout}
	at := g.addInput(pieces[0].Input())
	for _, p := range pieces {
		at = g.graft(p.Input(), p.Output, at, map[*Node]*Node{})
	}
	g.Output = at
	return g
}

// addInput adds an input that holds what the given node does.
func (g *Graph) addInput(from *Node) *Node {
	n := &Node{Name: "input", Op: OpInput, Shape: from.Shape}
	if from.Quantized() {
		n.Storage = &Storage{Output: from.Storage.Output}
	}
	g.Nodes = append(g.Nodes, n)
	return n
}

// graft copies node to, and all that it depends on as far as from, to the end
// of g, reading at in place of from.
func (g *Graph) graft(from, to, at *Node, made map[*Node]*Node) *Node {
	if to == from {
		return at
	}
	if n := made[to]; n != nil {
		return n
	}
	n := *to
	n.Inputs = make([]*Node, len(to.Inputs))
	for i, in := range to.Inputs {
		n.Inputs[i] = g.graft(from, in, at, made)
	}
	g.Nodes = append(g.Nodes, &n)
	made[to] = &n
	return &n
}
