package evaluate

import (
	"github.com/fathom-edge/fathom/convert/graph"
)

// from says where one output value comes from: input and index there, or a
// constant where input is negative.
type from struct {
	input, index int32
}

// prepareMove is the kernel of operators that only move values about; nil for
// others. They are the same for float32 and int8.
func prepareMove(n *graph.Node) kernel {
	if n.Op == graph.OpReshape {
		return func(in []Value) Value {
			v := in[0]
			v.Shape = n.Shape
			return v
		}
	}
	source := moves(n)
	if source == nil {
		return nil
	}
	fill, code := n.Attrs.PadValue, int8(0)
	if n.Quantized() {
		code = Reference.code(fill, *n.Storage.Output)
	}
	return func(in []Value) Value {
		v := out(n)
		for i, s := range source {
			switch {
			case v.Codes == nil && s.input < 0:
				v.Floats[i] = fill
			case v.Codes == nil:
				v.Floats[i] = in[s.input].Floats[s.index]
			case s.input < 0:
				v.Codes[i] = code
			default:
				v.Codes[i] = in[s.input].Codes[s.index]
			}
		}
		return v
	}
}

// moves lists the origins of all output values.
func moves(n *graph.Node) []from {
	var pick func(at []int) (input int, source []int)
	a := n.Attrs
	source := make([]int, 8)
	switch n.Op {
	case graph.OpTranspose:
		pick = func(at []int) (int, []int) {
			for i, p := range a.Perm {
				source[p] = at[i]
			}
			return 0, source
		}
	case graph.OpSlice:
		pick = func(at []int) (int, []int) {
			for i := range at {
				source[i] = a.Begin[i] + at[i]*a.Step[i]
			}
			return 0, source
		}
	case graph.OpGather:
		pick = func(at []int) (int, []int) {
			copy(source, at)
			source[a.Axis] = a.Indices[at[a.Axis]]
			return 0, source
		}
	case graph.OpConcat:
		pick = func(at []int) (int, []int) {
			copy(source, at)
			k := 0
			for source[a.Axis] >= n.Inputs[k].Shape[a.Axis] {
				source[a.Axis] -= n.Inputs[k].Shape[a.Axis]
				k++
			}
			return k, source
		}
	case graph.OpPad:
		pick = func(at []int) (int, []int) {
			in := n.Inputs[0].Shape
			copy(source, at)
			source[1], source[2] = at[1]-a.Pads[0], at[2]-a.Pads[1]
			if source[1] < 0 || source[1] >= in[1] || source[2] < 0 || source[2] >= in[2] {
				return -1, nil
			}
			return 0, source
		}
	default:
		return nil
	}
	origins := make([]from, 0, elements(n.Shape))
	each(n.Shape, func(at []int) {
		input, where := pick(at)
		if input < 0 {
			origins = append(origins, from{-1, 0})
			return
		}
		index := 0
		for i, d := range n.Inputs[input].Shape {
			index = index*d + where[i]
		}
		origins = append(origins, from{int32(input), int32(index)})
	})
	return origins
}

// each visits all positions of a shape, the last axis fastest.
func each(shape []int, visit func(at []int)) {
	at := make([]int, len(shape))
	for range elements(shape) {
		visit(at)
		for i := len(at) - 1; i >= 0; i-- {
			if at[i]++; at[i] < shape[i] {
				break
			}
			at[i] = 0
		}
	}
}

// broadcast lists, for each value of an output, the index of the value of an
// input that it reads; nil where they are the same.
func broadcast(shape, input []int) []int32 {
	if elements(shape) == elements(input) {
		return nil
	}
	skip := len(shape) - len(input)
	indices := make([]int32, 0, elements(shape))
	each(shape, func(at []int) {
		index := 0
		for i, d := range input {
			index *= d
			if d > 1 {
				index += at[skip+i]
			}
		}
		indices = append(indices, int32(index))
	})
	return indices
}

// pick is the position that broadcast found for output i.
func pick(indices []int32, i int) int {
	if indices == nil {
		return i
	}
	return int(indices[i])
}
