package onnx

// eachTensor calls visit for every tensor of the graph: initializers, tensors
// in attributes, and those of nested graphs.
func eachTensor(g *GraphProto, visit func(*TensorProto) error) error {
	for _, t := range g.GetInitializer() {
		if err := visit(t); err != nil {
			return err
		}
	}
	for _, n := range g.GetNode() {
		for _, a := range n.GetAttribute() {
			if err := eachAttributeTensor(a, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func eachAttributeTensor(a *AttributeProto, visit func(*TensorProto) error) error {
	if a.GetT() != nil {
		if err := visit(a.GetT()); err != nil {
			return err
		}
	}
	for _, t := range a.GetTensors() {
		if err := visit(t); err != nil {
			return err
		}
	}
	if a.GetG() != nil {
		if err := eachTensor(a.GetG(), visit); err != nil {
			return err
		}
	}
	for _, g := range a.GetGraphs() {
		if err := eachTensor(g, visit); err != nil {
			return err
		}
	}
	return nil
}
