package graph

// ToNHWC brings the graph from ONNX's axis order to TFLite's: shapes, filters
// (OIHW to OHWI, depthwise O1HW to 1HWO), and the columns of a fully connected
// layer that reads a flattened image, whose values now come in another order.
// A flattened image that goes anywhere else, with more than one pixel and more
// than one channel, is unsupported.
func ToNHWC(g *Graph) (*Graph, error) {
	g = g.clone()
	g.Layout = NHWC
	var bad report
	// flattened maps nodes whose values are in another order than in NCHW to
	// the image (height, width, channels) that they were.
	flattened := map[*Node][3]int{}
	for _, n := range g.Nodes {
		if len(n.Shape) == 4 {
			s := n.Shape
			n.Shape = []int{s[0], s[2], s[3], s[1]}
		}
		var from [3]int
		var permuted bool
		for _, in := range n.Inputs {
			if f, ok := flattened[in]; ok {
				from, permuted = f, true
			}
		}
		switch n.Op {
		case OpConv:
			n.Weights[0] = transpose4(n.Weights[0], [4]int{0, 2, 3, 1})
		case OpDepthwise:
			n.Weights[0] = transpose4(n.Weights[0], [4]int{1, 2, 3, 0})
		case OpScale, OpShift:
			n.Attrs.FromEnd = 1
		case OpReshape:
			if s := n.Inputs[0].Shape; len(s) == 4 && s[1]*s[2] > 1 && s[3] > 1 {
				flattened[n] = [3]int{s[1], s[2], s[3]}
			}
		}
		if !permuted {
			continue
		}
		switch n.Op {
		case OpFullyConnected:
			n.Weights[0] = permuteColumns(n.Weights[0], from)
		case OpRelu, OpRelu6, OpIdentity:
			flattened[n] = from
		default:
			bad.add(n, "reads a flattened image of %d channels, whose order differs between ONNX and TFLite; only Gemm and MatMul may", from[2])
		}
	}
	if _, ok := flattened[g.Output]; ok {
		bad.add(g.Output, "the output is a flattened image; need a vector of logits")
	}
	if err := bad.err(); err != nil {
		return nil, err
	}
	return g, nil
}

// transpose4 reorders the axes of a four-dimensional tensor: axis i of the
// result is axis perm[i] of t.
func transpose4(t Tensor, perm [4]int) Tensor {
	stride := [4]int{t.Shape[1] * t.Shape[2] * t.Shape[3], t.Shape[2] * t.Shape[3], t.Shape[3], 1}
	var shape, step [4]int
	for i, p := range perm {
		shape[i], step[i] = t.Shape[p], stride[p]
	}
	data := make([]float32, 0, len(t.Data))
	for a := range shape[0] {
		for b := range shape[1] {
			for c := range shape[2] {
				at := a*step[0] + b*step[1] + c*step[2]
				for d := range shape[3] {
					data = append(data, t.Data[at+d*step[3]])
				}
			}
		}
	}
	return Tensor{shape[:], data}
}

// permuteColumns reorders a matrix whose columns index a channel-major image
// (height, width, channels given) to index a pixel-major one.
func permuteColumns(t Tensor, image [3]int) Tensor {
	h, w, c := image[0], image[1], image[2]
	columns := t.Shape[1]
	data := make([]float32, 0, len(t.Data))
	for row := range t.Shape[0] {
		for pixel := range h * w {
			for channel := range c {
				data = append(data, t.Data[row*columns+channel*h*w+pixel])
			}
		}
	}
	return Tensor{t.Shape, data}
}
