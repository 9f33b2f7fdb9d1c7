package graph

// LowerGroups writes a grouped convolution, which TensorFlow Lite 2.9 refuses, as
// one convolution for each group of channels, on slices of the input, whose
// outputs are put together again.
//
// Narrow groups are joined: two groups of four channels become one convolution of
// eight, with zeros where an output does not see an input. A convolution computes
// whole registers of outputs at a time, so that this costs no time until a
// register is full, and saves slices, calls and copies.
func LowerGroups(g *Graph) (*Graph, error) {
	g = g.clone()
	var nodes []*Node
	for _, n := range g.Nodes {
		if n.Op != OpConv || n.Attrs.Group <= 1 {
			nodes = append(nodes, n)
			continue
		}
		made := lowerGroups(n)
		nodes = append(nodes, made...)
		g.replace(n, made[len(made)-1])
	}
	g.Nodes = nodes
	return g, nil
}

// groupOutputs is how many channels a joined group should have.
const groupOutputs = 16

func lowerGroups(n *Node) []*Node {
	group := n.Attrs.Group
	join := 1
	for join*2 <= group && group%(join*2) == 0 && join*2*(n.Shape[3]/group) <= groupOutputs {
		join *= 2
	}
	groups := group / join
	attrs := n.Attrs
	attrs.Group = 1
	in := n.Inputs[0]
	channels, outputs := in.Shape[3]/groups, n.Shape[3]/groups
	var made, parts []*Node
	for i := range groups {
		s := wholeSlice(in.Shape)
		s.begin[3], s.size[3] = i*channels, channels
		part := &Node{Name: n.Name, Op: OpSlice, Inputs: []*Node{in}, Attrs: s.attrs(), Shape: s.size}
		filter := joinGroups(n.Weights[0], i*join, join, group)
		bias := Tensor{[]int{outputs}, n.Weights[1].Data[i*outputs : (i+1)*outputs]}
		shape := image(NHWC, n.Shape[1], n.Shape[2], outputs)
		conv := &Node{Name: n.Name, Op: OpConv, Inputs: []*Node{part}, Weights: []Tensor{filter, bias}, Attrs: attrs, Shape: shape, Origin: n.Origin}
		made = append(made, part, conv)
		parts = append(parts, conv)
	}
	if groups == 1 {
		parts[0].Inputs[0] = in
		return parts
	}
	return append(made, &Node{Name: n.Name, Op: OpConcat, Inputs: parts, Attrs: Attrs{Axis: 3}, Shape: n.Shape})
}

// joinGroups is the filter of some neighbouring groups, [O, H, W, I].
func joinGroups(filter Tensor, first, join, group int) Tensor {
	s := filter.Shape
	outputs, inputs, pixels := s[0]/group, s[3], s[1]*s[2]
	joined := zeros(outputs*join, s[1], s[2], inputs*join)
	for o := range outputs * join {
		for p := range pixels {
			from := ((first*outputs+o)*pixels + p) * inputs
			to := (o*pixels+p)*inputs*join + o/outputs*inputs
			copy(joined.Data[to:to+inputs], filter.Data[from:from+inputs])
		}
	}
	return joined
}
