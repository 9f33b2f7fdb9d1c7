package graph

import "math"

// FoldBatchNorm folds each BatchNorm into the convolution, depthwise
// convolution or fully connected layer before it, where nothing else reads
// that layer. A BatchNorm that stands elsewhere becomes a Scale and a Shift.
//
// With s = scale/sqrt(variance + epsilon), weights become w*s and the bias
// (b - mean)*s + shift, computed in float64 and rounded to float32 once. Square
// roots are exact to the last bit on every machine, so the bytes are too.
func FoldBatchNorm(g *Graph) (*Graph, error) {
	g = g.clone()
	uses := g.consumers()
	var nodes []*Node
	var bad report
	for _, n := range g.Nodes {
		if n.Op != OpBatchNorm {
			nodes = append(nodes, n)
			continue
		}
		in := n.Inputs[0]
		factor, shift := affine(n)
		if !finite(factor) || !finite(shift) {
			bad.add(n, "variance + epsilon must be positive and all values finite")
			continue
		}
		if uses[in] == 1 && hasBias(in) && in.Attrs.Activation == None {
			scaleOutputs(in, factor, shift)
			uses[in] = uses[n]
			g.replace(n, in)
			continue
		}
		scaled := &Node{Name: n.Name, Op: OpScale, Inputs: []*Node{in}, Shape: n.Shape, Origin: n.Origin,
			Attrs: Attrs{FromEnd: channelFromEnd(g.Layout, n.Shape)}, Weights: []Tensor{{[]int{len(factor)}, round(factor)}}}
		shifted := &Node{Name: n.Name, Op: OpShift, Inputs: []*Node{scaled}, Shape: n.Shape, Origin: n.Origin,
			Attrs: scaled.Attrs, Weights: []Tensor{{[]int{len(shift)}, round(shift)}}}
		nodes = append(nodes, scaled, shifted)
		uses[scaled], uses[shifted] = 1, uses[n]
		g.replace(n, shifted)
	}
	if err := bad.err(); err != nil {
		return nil, err
	}
	g.Nodes = nodes
	return g, nil
}

// hasBias says whether a node is a layer with weights and a bias per output.
func hasBias(n *Node) bool {
	return n.Op == OpConv || n.Op == OpDepthwise || n.Op == OpFullyConnected
}

// affine is a BatchNorm as y = x*factor + shift.
func affine(n *Node) (factor, shift []float64) {
	scale, bias, mean, variance := n.Weights[0].Data, n.Weights[1].Data, n.Weights[2].Data, n.Weights[3].Data
	factor, shift = make([]float64, len(scale)), make([]float64, len(scale))
	for i := range scale {
		factor[i] = float64(scale[i]) / math.Sqrt(float64(variance[i])+float64(n.Attrs.Epsilon))
		shift[i] = float64(bias[i]) - float64(float64(mean[i])*factor[i])
	}
	return factor, shift
}

// scaleOutputs replaces a layer's weights by those of factor*layer + shift.
// The output channel is the filter's first axis, as it is in NCHW.
func scaleOutputs(n *Node, factor, shift []float64) {
	w, b := n.Weights[0], n.Weights[1]
	per := len(w.Data) / len(factor)
	data, bias := make([]float32, len(w.Data)), make([]float32, len(factor))
	for o, f := range factor {
		for i := o * per; i < (o+1)*per; i++ {
			data[i] = float32(float64(w.Data[i]) * f)
		}
		bias[o] = float32(float64(float64(b.Data[o])*f) + shift[o])
	}
	n.Weights = []Tensor{{w.Shape, data}, {b.Shape, bias}}
}

func round(values []float64) []float32 {
	r := make([]float32, len(values))
	for i, v := range values {
		r[i] = float32(v)
	}
	return r
}

func finite(values []float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
