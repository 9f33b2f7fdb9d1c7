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
			scaleOutputs(g.Layout, in, factor, shift)
			uses[in] = uses[n]
			g.replace(n, in)
			continue
		}
		scaled := &Node{Name: n.Name, Op: OpScale, Inputs: []*Node{in}, Shape: n.Shape, Origin: n.Origin,
			Weights: []Tensor{perChannel(g.Layout, n.Shape, round(factor))}}
		shifted := &Node{Name: n.Name, Op: OpShift, Inputs: []*Node{scaled}, Shape: n.Shape, Origin: n.Origin,
			Weights: []Tensor{perChannel(g.Layout, n.Shape, round(shift))}}
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

// perChannel shapes one value for each channel so that it broadcasts to shape.
func perChannel(l Layout, shape []int, data []float32) Tensor {
	t := Tensor{[]int{len(data)}, data}
	if l == NCHW {
		for range len(shape) - 2 {
			t.Shape = append(t.Shape, 1)
		}
	}
	return t
}

// scaleOutputs replaces a layer's weights by those of factor*layer + shift. The
// output channel is the filter's first axis, except for a depthwise one in NHWC.
func scaleOutputs(l Layout, n *Node, factor, shift []float64) {
	w, b := n.Weights[0], n.Weights[1]
	outputs := len(b.Data)
	data, bias := make([]float32, len(w.Data)), make([]float32, outputs)
	if n.Op == OpDepthwise && l == NHWC {
		for i, v := range w.Data {
			data[i] = float32(float64(v) * factor[i%outputs])
		}
	} else {
		per := len(w.Data) / outputs
		for o, f := range factor {
			for i := o * per; i < (o+1)*per; i++ {
				data[i] = float32(float64(w.Data[i]) * f)
			}
		}
	}
	for o, f := range factor {
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
