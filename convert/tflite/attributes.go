package tflite

import (
	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// weights are the filter or matrix and the bias of a layer.
func weights(n *graph.Node) []constant {
	return []constant{
		{name: "weights", shape: n.Weights[0].Shape, floats: n.Weights[0].Data},
		{name: "bias", shape: n.Weights[1].Shape, floats: n.Weights[1].Data},
	}
}

// padding of a window; graph.LowerPadding leaves these two only.
func padding(a graph.Attrs) schema.Padding {
	if a.Padding == graph.Same {
		return schema.PaddingSAME
	}
	return schema.PaddingVALID
}

func activation(a graph.Attrs) schema.ActivationFunctionType {
	switch a.Activation {
	case graph.Relu:
		return schema.ActivationFunctionTypeRELU
	case graph.Relu6:
		return schema.ActivationFunctionTypeRELU6
	}
	return schema.ActivationFunctionTypeNONE
}

// intList is a constant that lists numbers.
func intList(name string, values []int) constant {
	list := make([]int32, len(values))
	for i, v := range values {
		list[i] = int32(v)
	}
	return constant{name: name, shape: []int{len(list)}, ints: list}
}
