package graph

// FoldAffine folds constant factors and summands into layers: a Scale or Shift
// after a layer that nothing else reads becomes part of its weights and bias (the
// Add of a MatMul and Add pair, say, or a trained scale of a block's output), and
// those between a value and fully connected layers alone, such as the last step
// of a LayerNorm, part of the layers after them.
func FoldAffine(g *Graph) (*Graph, error) {
	g = g.clone()
	uses := g.consumers()
	for _, n := range g.Nodes {
		if n.Op != OpShift && n.Op != OpScale {
			continue
		}
		in := n.Inputs[0]
		if uses[in] != 1 || !hasBias(in) || in.Attrs.Activation != None || n.Attrs.Activation != None || !alongChannels(n, len(in.Weights[1].Data)) {
			continue
		}
		if k := n.Weights[0].Data; n.Op == OpShift {
			in.Weights[1] = addBias(in.Weights[1], k)
		} else {
			factor := make([]float64, len(in.Weights[1].Data))
			for i := range factor {
				factor[i] = float64(k[i%len(k)])
			}
			scaleOutputs(g.Layout, in, factor, make([]float64, len(factor)))
		}
		uses[in] = uses[n]
		g.replace(n, in)
	}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		foldForward(g, g.Nodes[i])
	}
	return DropDead(g)
}

// alongChannels says whether a constant runs along the last axis, of a length,
// or is one value.
func alongChannels(n *Node, length int) bool {
	k := n.Weights[0]
	return len(k.Data) == 1 || (len(k.Shape) == 1 && len(k.Data) == length)
}

// addBias adds a summand, which may be one value for all.
func addBias(bias Tensor, k []float32) Tensor {
	sum := make([]float32, len(bias.Data))
	for i, v := range bias.Data {
		sum[i] = v + k[i%len(k)]
	}
	return Tensor{bias.Shape, sum}
}

// foldForward folds a Scale or Shift into all its readers, if these are fully
// connected: W(x*k) = (W*k)x, and W(x+k) + b = Wx + (Wk + b).
func foldForward(g *Graph, n *Node) {
	if (n.Op != OpShift && n.Op != OpScale) || n.Attrs.Activation != None || n == g.Output {
		return
	}
	var readers []*Node
	for _, r := range g.Nodes {
		for _, in := range r.Inputs {
			if in != n {
				continue
			}
			if r.Op != OpFullyConnected || !alongChannels(n, r.Weights[0].Shape[1]) {
				return
			}
			readers = append(readers, r)
		}
	}
	k := n.Weights[0].Data
	for _, r := range readers {
		w, b := r.Weights[0], r.Weights[1]
		inputs := w.Shape[1]
		data, bias := w.Data, b.Data
		if n.Op == OpScale {
			data = make([]float32, len(w.Data))
			for i, v := range w.Data {
				data[i] = float32(float64(v) * float64(k[i%inputs%len(k)]))
			}
		} else {
			bias = make([]float32, len(b.Data))
			for o := range bias {
				sum := float64(b.Data[o])
				for i, v := range w.Data[o*inputs : (o+1)*inputs] {
					sum += float64(float64(v) * float64(k[i%len(k)]))
				}
				bias[o] = float32(sum)
			}
		}
		r.Weights = []Tensor{{w.Shape, data}, {b.Shape, bias}}
		r.Inputs[0] = n.Inputs[0]
	}
}
