// Package evaluate computes lowered graphs, float32 and int8, in plain Go: the
// same answer on every machine, to the last bit. The converter calibrates,
// chooses and counts errors with it, so that what it writes does not depend on
// where it ran; that TFLite computes the same is a matter of tests and of the
// self-proof.
//
// Float values are summed in float64, where a product of two float32 is exact,
// and rounded to float32 once per node. Exp, Erf and their kin are computed here
// from sums and products, because those of package math differ between machines.
//
// Int8 nodes follow TFLite's kernels as an [Arithmetic] says. Everywhere
//
//	real = scale*(q - zero)
//
// sums of products are exact integers, and what the kernels differ in is how the
// sum is brought to the scale of the output.
//
// A Program may be run by several goroutines at once.
package evaluate

import (
	"fmt"

	"github.com/fathom-edge/fathom/convert/graph"
)

// Value is a tensor: exactly one of Floats and Codes.
type Value struct {
	Shape  []int
	Floats []float32
	Codes  []int8
	Scale  graph.Scale // of Codes
}

// Real returns the values as real numbers; Floats itself where there are some.
func (v Value) Real() []float32 {
	if v.Codes == nil {
		return v.Floats
	}
	real := make([]float32, len(v.Codes))
	for i, q := range v.Codes {
		real[i] = v.Scale.Scale * float32(int(q)-v.Scale.Zero)
	}
	return real
}

// Quantize returns the values as codes of another scale, rounded as TFLite's
// QUANTIZE does in the given arithmetic.
func (a Arithmetic) Quantize(shape []int, values []float32, s graph.Scale) Value {
	codes := make([]int8, len(values))
	for i, v := range values {
		codes[i] = a.code(v, s)
	}
	return Value{Shape: shape, Codes: codes, Scale: s}
}

// Program is a graph that is ready to be evaluated.
type Program struct {
	graph *graph.Graph
	steps []step
}

type step struct {
	node   *graph.Node
	inputs []int // steps
	last   []int // steps whose value is not needed after this one
	run    kernel
}

// kernel computes a node.
type kernel func(in []Value) Value

// Prepare checks a lowered graph and makes it ready. Errors name the node.
func Prepare(g *graph.Graph, a Arithmetic) (*Program, error) {
	if g.Layout != graph.NHWC {
		return nil, fmt.Errorf("evaluate: the graph is not in NHWC layout (run graph.Lower first)")
	}
	p := &Program{graph: g}
	at := map[*graph.Node]int{}
	lastUse := map[*graph.Node]int{}
	for i, n := range g.Nodes {
		s := step{node: n}
		for _, in := range n.Inputs {
			k, ok := at[in]
			if !ok {
				return nil, fmt.Errorf("evaluate: %s (%s): an input stands after it", n.Name, n.Op)
			}
			s.inputs = append(s.inputs, k)
			lastUse[in] = i
		}
		if n.Op != graph.OpInput {
			var err error
			if s.run, err = prepare(n, a); err != nil {
				return nil, fmt.Errorf("evaluate: %s (%s): %w", n.Name, n.Op, err)
			}
		}
		at[n] = i
		p.steps = append(p.steps, s)
	}
	for n, i := range lastUse {
		if n != g.Output {
			p.steps[i].last = append(p.steps[i].last, at[n])
		}
	}
	return p, nil
}

// Run evaluates the graph. If observe is not nil, it sees every node's output,
// in order; those that read the node see what observe returns.
func (p *Program) Run(input Value, observe func(*graph.Node, Value) Value) (Value, error) {
	want := p.graph.Input()
	if n := elements(want.Shape); len(input.Floats)+len(input.Codes) != n || (input.Codes != nil) != want.Quantized() {
		return Value{}, fmt.Errorf("evaluate: the input has %d values, need %d (int8: %v)", len(input.Floats)+len(input.Codes), n, want.Quantized())
	}
	values := make([]Value, len(p.steps))
	for i, s := range p.steps {
		if s.run == nil {
			values[i] = input
		} else {
			in := make([]Value, len(s.inputs))
			for j, k := range s.inputs {
				in[j] = values[k]
			}
			values[i] = s.run(in)
		}
		if observe != nil {
			values[i] = observe(s.node, values[i])
		}
		if s.node == p.graph.Output {
			return values[i], nil
		}
		for _, k := range s.last {
			values[k] = Value{}
		}
	}
	return Value{}, fmt.Errorf("evaluate: the graph has no output")
}

// prepare picks the kernel of a node.
func prepare(n *graph.Node, a Arithmetic) (kernel, error) {
	switch n.Op {
	case graph.OpQuantize:
		return prepareQuantize(n, a), nil
	case graph.OpDequantize:
		return func(in []Value) Value { return Value{Shape: n.Shape, Floats: in[0].Real()} }, nil
	}
	for _, in := range n.Inputs {
		if in.Quantized() != n.Quantized() {
			return nil, fmt.Errorf("float32 and int8 meet at its input %s", in.Name)
		}
	}
	if k := prepareMove(n); k != nil {
		return k, nil
	}
	if n.Quantized() {
		return prepareInt8(n, a)
	}
	return prepareFloat(n)
}

func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// out is an empty value of the node's shape and number.
func out(n *graph.Node) Value {
	v := Value{Shape: n.Shape}
	if n.Quantized() {
		v.Codes, v.Scale = make([]int8, elements(n.Shape)), *n.Storage.Output
	} else {
		v.Floats = make([]float32, elements(n.Shape))
	}
	return v
}
