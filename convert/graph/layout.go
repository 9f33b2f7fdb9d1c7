package graph

import "slices"

// ToNHWC brings the graph from ONNX's axis order to TFLite's: filters go from
// OIHW to OHWI (depthwise O1HW to 1HWO), and images have their channels last.
//
// Transposes are not put around layers and then chased away; they do not arise.
// Every value is a view: a node of the new graph, and the order in which that
// node has the axes of the original value. A Transpose of the original only
// changes the order; elementwise operators work in whatever order their input
// has, and concatenations, slices and reductions along whatever axis theirs has
// become. A Reshape is done in the order at hand where that splits and joins
// only axes that are neighbours. Only what has no other way makes a view real,
// by a Transpose: Softmax and FullyConnected want their axis last, MatMul the
// last two, Conv and pools the channels last.
//
// A flattened image keeps its pixels before its channels, and the columns of the
// FullyConnected that reads it are permuted instead.
func ToNHWC(g *Graph) (*Graph, error) {
	l := &layout{graph: &Graph{Layout: NHWC}, views: map[*Node]view{}, real: map[string]*Node{}}
	for _, n := range g.Nodes {
		l.views[n] = l.place(n)
	}
	out := l.views[g.Output]
	l.name = g.Output
	l.graph.Output = l.order(out, identityPerm(len(g.Output.Shape)))
	return InferShapes(l.graph)
}

// imageOrder has the channels of an image last.
var imageOrder = []int{0, 2, 3, 1}

// view is a value of the original graph in the new one.
type view struct {
	node *Node
	// perm: axis i of the node is axis perm[i] of the original value.
	perm []int
	// flat is set for a flattened image whose values stand in the order of these
	// axes (height, width, channels) instead of channels, height, width.
	flat *[3]int
}

type layout struct {
	graph *Graph
	views map[*Node]view
	real  map[string]*Node // transposes made so far, by node and order
	name  *Node            // the original node that is at work
}

func identityPerm(rank int) []int {
	perm := make([]int, rank)
	for i := range perm {
		perm[i] = i
	}
	return perm
}

// place makes the nodes that n becomes.
func (l *layout) place(n *Node) view {
	l.name = n
	switch n.Op {
	case OpInput:
		return view{l.add(&Node{Op: OpInput, Shape: permute(n.Shape, imageOrder)}), imageOrder, nil}
	case OpConst:
		return view{l.add(&Node{Op: OpConst, Weights: n.Weights}), identityPerm(len(n.Shape)), nil}
	case OpTranspose:
		v := l.plain(n.Inputs[0])
		return view{v.node, compose(v.perm, n.Attrs.Perm), nil}
	case OpReshape:
		return l.reshape(n)
	case OpConv, OpDepthwise, OpAveragePool, OpMaxPool, OpPad, OpMean:
		return l.image(n)
	case OpFullyConnected:
		return l.fullyConnected(n)
	case OpMatMul:
		return l.matMul(n)
	case OpSoftmax:
		v := l.last(n.Inputs[0])
		return view{l.like(n, v.node), v.perm, nil}
	case OpConcat:
		return l.together(n)
	case OpAdd, OpMul, OpSub, OpDiv, OpMaximum, OpMinimum:
		return l.together(n)
	case OpScale, OpShift, OpPRelu:
		return l.withConstant(n)
	}
	if n.Attrs.Axes != nil || n.Attrs.Begin != nil || n.Op == OpGather {
		return l.along(n)
	}
	v := l.views[n.Inputs[0]] // elementwise
	return view{l.like(n, v.node), v.perm, v.flat}
}

func (l *layout) add(n *Node) *Node {
	n.Name = l.name.Name
	if len(n.Weights) > 0 {
		n.Origin = l.name.Origin
	}
	if n.Op != OpInput {
		if shape, err := inferNode(NHWC, n); err == nil { // InferShapes reports it
			n.Shape = shape
		}
	}
	l.graph.Nodes = append(l.graph.Nodes, n)
	return n
}

// like copies a node to the new graph with other inputs.
func (l *layout) like(n *Node, inputs ...*Node) *Node {
	return l.add(&Node{Op: n.Op, Inputs: inputs, Weights: n.Weights, Attrs: n.Attrs})
}

// plain is the view of a node, without a flattened image's order.
func (l *layout) plain(n *Node) view {
	v := l.views[n]
	if v.flat == nil {
		return v
	}
	return view{l.order(v, v.perm), v.perm, nil}
}

// order returns a node that has the axes in the given order.
func (l *layout) order(v view, perm []int) *Node {
	if v.flat != nil {
		f := *v.flat
		shape := v.node.Shape
		x := l.add(&Node{Op: OpReshape, Inputs: []*Node{v.node}, Attrs: Attrs{Dims: []int{1, f[0], f[1], f[2]}}})
		x = l.add(&Node{Op: OpTranspose, Inputs: []*Node{x}, Attrs: Attrs{Perm: []int{0, 3, 1, 2}}})
		v.node = l.add(&Node{Op: OpReshape, Inputs: []*Node{x}, Attrs: Attrs{Dims: shape}})
	}
	if slices.Equal(v.perm, perm) {
		return v.node
	}
	move := make([]int, len(perm))
	for i, p := range perm {
		move[i] = slices.Index(v.perm, p)
	}
	return l.transpose(v.node, move)
}

// transpose makes a Transpose once for all that want the same.
func (l *layout) transpose(n *Node, move []int) *Node {
	if n.Op == OpConst {
		return l.add(&Node{Op: OpConst, Weights: []Tensor{transposeTensor(n.Weights[0], move)}})
	}
	key := transposeKey(n, move)
	if made := l.real[key]; made != nil {
		return made
	}
	made := &Node{Op: OpTranspose, Inputs: []*Node{n}, Attrs: Attrs{Perm: move}}
	if shape := permute(n.Shape, move); slices.Equal(shape, n.Shape) && movesOnlyUnits(n.Shape, move) {
		return n
	} else if movesOnlyUnits(n.Shape, move) {
		made = &Node{Op: OpReshape, Inputs: []*Node{n}, Attrs: Attrs{Dims: shape}}
	}
	l.real[key] = l.add(made)
	return made
}

// movesOnlyUnits says whether a permutation keeps the order of the axes that
// are longer than one.
func movesOnlyUnits(shape, move []int) bool {
	last := -1
	for _, m := range move {
		if shape[m] == 1 {
			continue
		}
		if m < last {
			return false
		}
		last = m
	}
	return true
}

func permute(shape, perm []int) []int {
	moved := make([]int, len(perm))
	for i, p := range perm {
		moved[i] = shape[p]
	}
	return moved
}

// compose is the order of a view after a Transpose of the original: its axis i
// is axis perm[i] of what order speaks of.
func compose(order, perm []int) []int {
	made := make([]int, len(order))
	for i, o := range order {
		made[i] = slices.Index(perm, o)
	}
	return made
}

// image places operators that look at an image.
func (l *layout) image(n *Node) view {
	made := &Node{Op: n.Op, Inputs: []*Node{l.order(l.views[n.Inputs[0]], imageOrder)}, Weights: slices.Clone(n.Weights), Attrs: n.Attrs}
	switch n.Op {
	case OpConv:
		made.Weights[0] = transposeTensor(n.Weights[0], []int{0, 2, 3, 1})
	case OpDepthwise:
		made.Weights[0] = transposeTensor(n.Weights[0], []int{1, 2, 3, 0})
	}
	if n.Op == OpMean && !n.Attrs.KeepDims {
		return view{l.add(made), []int{0, 1}, nil}
	}
	return view{l.add(made), imageOrder, nil}
}

// last returns a view that has the original's last axis last.
func (l *layout) last(n *Node) view {
	v := l.plain(n)
	rank := len(n.Shape)
	if v.perm[rank-1] == rank-1 {
		return v
	}
	perm := identityPerm(rank)
	return view{l.order(v, perm), perm, nil}
}

func (l *layout) fullyConnected(n *Node) view {
	if v := l.views[n.Inputs[0]]; v.flat != nil {
		matrix := permuteColumns(n.Weights[0], *v.flat)
		return view{l.add(&Node{Op: n.Op, Inputs: []*Node{v.node}, Weights: []Tensor{matrix, n.Weights[1]}, Attrs: n.Attrs}), v.perm, nil}
	}
	v := l.last(n.Inputs[0])
	return view{l.like(n, v.node), v.perm, nil}
}

// matMul takes a view that has the last two axes swapped as it is.
func (l *layout) matMul(n *Node) view {
	made := &Node{Op: n.Op, Attrs: n.Attrs}
	adjoint := []*bool{&made.Attrs.AdjX, &made.Attrs.AdjY}
	for i, in := range n.Inputs {
		v := l.plain(in)
		perm := identityPerm(len(in.Shape))
		swapped := identityPerm(len(in.Shape))
		r := len(swapped)
		swapped[r-2], swapped[r-1] = r-1, r-2
		if slices.Equal(v.perm, swapped) {
			*adjoint[i] = !*adjoint[i]
			perm = swapped
		}
		made.Inputs = append(made.Inputs, l.order(v, perm))
	}
	return view{l.add(made), identityPerm(len(n.Shape)), nil}
}

// together places operators of several values, in the order of the largest.
func (l *layout) together(n *Node) view {
	rank := len(n.Shape)
	var lead view
	most := 0
	for _, in := range n.Inputs {
		if v := l.plain(in); len(in.Shape) == rank && elements(in.Shape) > most && in.Op != OpConst {
			lead, most = v, elements(in.Shape)
		}
	}
	perm := lead.perm
	if perm == nil {
		perm = identityPerm(rank)
	}
	made := &Node{Op: n.Op, Attrs: n.Attrs}
	if n.Op == OpConcat {
		made.Attrs.Axis = slices.Index(perm, n.Attrs.Axis)
	}
	for _, in := range n.Inputs {
		v := l.plain(in)
		if missing := rank - len(in.Shape); missing > 0 {
			v = l.widen(v, in.Shape, missing)
		}
		made.Inputs = append(made.Inputs, l.order(v, perm))
	}
	return view{l.add(made), perm, nil}
}

// widen puts axes of length one before a value, as broadcasting does.
func (l *layout) widen(v view, shape []int, missing int) view {
	perm := identityPerm(missing)
	wide := make([]int, 0, missing+len(shape))
	for range missing {
		wide = append(wide, 1)
	}
	for _, p := range v.perm {
		perm = append(perm, p+missing)
		wide = append(wide, shape[p])
	}
	if v.node.Op == OpConst {
		return view{l.add(&Node{Op: OpConst, Weights: []Tensor{{wide, v.node.Weights[0].Data}}}), perm, nil}
	}
	return view{l.add(&Node{Op: OpReshape, Inputs: []*Node{v.node}, Attrs: Attrs{Dims: wide}}), perm, nil}
}

// withConstant places operators whose constant broadcasts to their input.
func (l *layout) withConstant(n *Node) view {
	v := l.views[n.Inputs[0]]
	if v.flat != nil && len(n.Weights[0].Data) > 1 {
		v = l.plain(n.Inputs[0])
	}
	rank := len(n.Shape)
	k := n.Weights[0]
	wide := make([]int, rank)
	for i := range wide {
		wide[i] = alignedDim(k.Shape, rank, i)
	}
	k = transposeTensor(Tensor{wide, k.Data}, v.perm)
	first := 0 // leading axes of length one say nothing
	for first < rank-1 && k.Shape[first] == 1 {
		first++
	}
	k.Shape = k.Shape[min(first, rank):]
	return view{l.add(&Node{Op: n.Op, Inputs: []*Node{v.node}, Weights: []Tensor{k}, Attrs: n.Attrs}), v.perm, v.flat}
}

// along places operators that speak of axes: reductions (which keep them),
// slices and gathers.
func (l *layout) along(n *Node) view {
	v := l.plain(n.Inputs[0])
	made := &Node{Op: n.Op, Inputs: []*Node{v.node}, Attrs: n.Attrs}
	if n.Op == OpGather {
		made.Attrs.Axis = slices.Index(v.perm, n.Attrs.Axis)
		return view{l.add(made), v.perm, nil}
	}
	if n.Op == OpSlice {
		made.Attrs.Begin, made.Attrs.Size, made.Attrs.Step = permute(n.Attrs.Begin, v.perm), permute(n.Attrs.Size, v.perm), permute(n.Attrs.Step, v.perm)
		return view{l.add(made), v.perm, nil}
	}
	made.Attrs.Axes = nil
	for i, p := range v.perm {
		if slices.Contains(n.Attrs.Axes, p) {
			made.Attrs.Axes = append(made.Attrs.Axes, i)
		}
	}
	return view{l.add(made), v.perm, nil}
}

// permuteColumns reorders a matrix whose columns index a channel-major image
// (height, width, channels given) to index a pixel-major one.
func permuteColumns(t Tensor, image [3]int) Tensor {
	h, w, c := image[0], image[1], image[2]
	columns := t.Shape[1]
	data := make([]float32, 0, len(t.Data))
	for row := range t.Shape[0] {
		line := t.Data[row*columns : (row+1)*columns]
		for pixel := range h * w {
			for channel := range c {
				data = append(data, line[channel*h*w+pixel])
			}
		}
	}
	return Tensor{t.Shape, data}
}
