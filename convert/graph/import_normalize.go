package graph

// batchNorm imports BatchNormalization for inference.
func batchNorm(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	if err := c.flag("training_mode", 0, 0); err != nil {
		return nil, err
	}
	epsilon, err := c.float("epsilon", 1e-5)
	if err != nil {
		return nil, err
	}
	var weights []Tensor
	for i := 1; i <= 4; i++ {
		t, err := c.ranked(i, 1)
		if err != nil {
			return nil, err
		}
		weights = append(weights, t)
	}
	return c.emit(OpBatchNorm, Attrs{Epsilon: epsilon}, weights, x)
}

// layerNorm spells LayerNormalization out: (x - mean) / sqrt(variance + epsilon)
// * scale + bias over the axes from axis on.
func layerNorm(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	epsilon, err := c.float("epsilon", 1e-5)
	if err != nil {
		return nil, err
	}
	first, err := c.axis("axis", -1, len(x.Shape))
	if err != nil {
		return nil, err
	}
	var axes []int
	for a := first; a < len(x.Shape); a++ {
		axes = append(axes, a)
	}
	mean, err := c.emit(OpReduceMean, Attrs{Axes: axes, KeepDims: true}, nil, x)
	if err != nil {
		return nil, err
	}
	centred, err := c.emit(OpSub, Attrs{}, nil, x, mean)
	if err != nil {
		return nil, err
	}
	square, err := c.emit(OpSquare, Attrs{}, nil, centred)
	if err != nil {
		return nil, err
	}
	variance, err := c.emit(OpReduceMean, Attrs{Axes: axes, KeepDims: true}, nil, square)
	if err != nil {
		return nil, err
	}
	shifted, err := c.emit(OpShift, Attrs{}, []Tensor{scalarTensor(epsilon)}, variance)
	if err != nil {
		return nil, err
	}
	deviation, err := c.emit(OpSqrt, Attrs{}, nil, shifted)
	if err != nil {
		return nil, err
	}
	y, err := c.emit(OpDiv, Attrs{}, nil, centred, deviation)
	if err != nil {
		return nil, err
	}
	for i, op := range []Op{OpScale, OpShift} {
		if !c.has(1 + i) {
			continue
		}
		k, err := c.weights(1 + i)
		if err != nil {
			return nil, err
		}
		if y, err = c.emit(op, Attrs{}, []Tensor{k}, y); err != nil {
			return nil, err
		}
	}
	return y, nil
}

// softmax of operator sets before 13 treats all axes from the named one on as
// one.
func softmax(c *call) (*Node, error) {
	x, err := c.node(0)
	if err != nil {
		return nil, err
	}
	rank := len(x.Shape)
	if c.im.opset < 13 {
		axis, err := c.axis("axis", 1, rank)
		if err != nil {
			return nil, err
		}
		flat, err := c.emit(OpReshape, Attrs{Dims: []int{elements(x.Shape[:axis]), elements(x.Shape[axis:])}}, nil, x)
		if err != nil {
			return nil, err
		}
		if flat, err = c.emit(OpSoftmax, Attrs{}, nil, flat); err != nil {
			return nil, err
		}
		return c.emit(OpReshape, Attrs{Dims: x.Shape}, nil, flat)
	}
	axis, err := c.axis("axis", -1, rank)
	if err != nil {
		return nil, err
	}
	if axis == rank-1 {
		return c.emit(OpSoftmax, Attrs{}, nil, x)
	}
	swap := make([]int, rank)
	for i := range swap {
		swap[i] = i
	}
	swap[axis], swap[rank-1] = rank-1, axis
	if x, err = c.emit(OpTranspose, Attrs{Perm: swap}, nil, x); err != nil {
		return nil, err
	}
	if x, err = c.emit(OpSoftmax, Attrs{}, nil, x); err != nil {
		return nil, err
	}
	return c.emit(OpTranspose, Attrs{Perm: swap}, nil, x)
}
