package quant

import (
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/graph"
)

// build makes the pieces of the result, and those of the bridges.
func (p *plan) build() error {
	p.result = Net{Names: p.net.Names}
	for _, piece := range p.net.Pieces {
		b := &builder{plan: p, ints: map[*graph.Node]*graph.Node{}, floats: map[*graph.Node]*graph.Node{}, origin: map[*graph.Node]*graph.Node{}}
		g, err := b.piece(piece)
		if err != nil {
			return err
		}
		p.result.Pieces = append(p.result.Pieces, g)
		p.origin = append(p.origin, b.origin)
	}
	made := map[edge]int{}
	for _, e := range p.bridges {
		made[e] = len(p.result.Pieces)
		p.result.Pieces = append(p.result.Pieces, p.bridgePiece(e))
		p.origin = append(p.origin, nil)
	}
	for _, w := range p.net.Words {
		word := []int{w[0]}
		for i := 1; i < len(w); i++ {
			if bridge, ok := made[edge{w[i-1], w[i]}]; ok {
				word = append(word, bridge)
			}
			word = append(word, w[i])
		}
		p.result.Words = append(p.result.Words, word)
	}
	return nil
}

// bridgePiece is a QUANTIZE from one scale to another.
func (p *plan) bridgePiece(e edge) *graph.Graph {
	out, in := p.net.Pieces[e.from].Output, p.net.Pieces[e.to].Input()
	from, to := p.classes.scale(out), p.classes.scale(in)
	input := &graph.Node{Name: "input", Op: graph.OpInput, Shape: in.Shape, Storage: &graph.Storage{Output: &from}}
	requantize := &graph.Node{Name: "requantize", Op: graph.OpQuantize, Inputs: []*graph.Node{input}, Shape: in.Shape, Storage: &graph.Storage{Output: &to}}
	return &graph.Graph{Layout: graph.NHWC, Nodes: []*graph.Node{input, requantize}, Output: requantize}
}

// builder writes one piece. Every node of the net has an int8 form, a float32
// form, or both with a QUANTIZE or DEQUANTIZE between them.
type builder struct {
	*plan
	made         []*graph.Node
	ints, floats map[*graph.Node]*graph.Node
	origin       map[*graph.Node]*graph.Node
}

func (b *builder) piece(piece *graph.Graph) (*graph.Graph, error) {
	for _, n := range piece.Nodes {
		if err := b.node(n); err != nil {
			return nil, fmt.Errorf("quant: %s (%s): %w", n.Name, n.Op, err)
		}
	}
	g := &graph.Graph{Layout: graph.NHWC}
	if b.outputIsInt8(piece) {
		g.Output = b.int(piece.Output)
	} else {
		g.Output = b.real(piece.Output)
	}
	g.Nodes = b.made
	return g, nil
}

// outputIsInt8 follows the pieces after this one, or the node itself at the end.
func (b *builder) outputIsInt8(piece *graph.Graph) bool {
	at := b.owner[piece.Output]
	for _, e := range b.edges() {
		if e.from == at {
			return b.int8[b.net.Pieces[e.to].Input()]
		}
	}
	return b.int8[piece.Output]
}

func (b *builder) add(n *graph.Node) *graph.Node {
	b.made = append(b.made, n)
	return n
}

// int is the int8 form of a node, in the scale of its class.
func (b *builder) int(n *graph.Node) *graph.Node {
	if b.ints[n] == nil {
		scale := b.classes.scale(n)
		b.ints[n] = b.add(&graph.Node{Name: n.Name + "_quantized", Op: graph.OpQuantize, Inputs: []*graph.Node{b.floats[n]}, Shape: n.Shape, Storage: &graph.Storage{Output: &scale}})
	}
	return b.ints[n]
}

// real is the float32 form of a node.
func (b *builder) real(n *graph.Node) *graph.Node {
	if b.floats[n] == nil {
		b.floats[n] = b.add(&graph.Node{Name: n.Name + "_real", Op: graph.OpDequantize, Inputs: []*graph.Node{b.ints[n]}, Shape: n.Shape})
	}
	return b.floats[n]
}

// node adds a node in the form that was decided for it.
func (b *builder) node(n *graph.Node) error {
	m := *n
	m.Inputs = slices.Clone(n.Inputs)
	if !b.int8[n] {
		for i, in := range n.Inputs {
			m.Inputs[i] = b.real(in)
		}
		b.floats[n] = b.add(&m)
		return nil
	}
	for i, in := range n.Inputs {
		m.Inputs[i] = b.int(in)
	}
	scale := b.classes.scale(n)
	storage := &graph.Storage{Output: &scale}
	m.Storage = storage
	switch n.Op {
	case graph.OpConv, graph.OpDepthwise, graph.OpFullyConnected:
		weights, err := b.layer(n, *m.Inputs[0].Storage.Output, scale)
		if err != nil {
			return err
		}
		storage.Weights = weights
	case graph.OpShift:
		storage.Weights = []graph.Stored{constant(n.Weights[0].Data, float64(scale.Scale)*leastAddend)}
	case graph.OpScale:
		storage.Weights = []graph.Stored{constant(n.Weights[0].Data, 0)}
	case graph.OpHardSwish:
		b.ints[n] = b.hardSwish(&m, scale)
		b.origin[b.ints[n]] = n
		return nil
	}
	if want := fixedScale(n); want != nil && *want != scale {
		storage.Output = want
		made := b.add(&m)
		b.ints[n] = b.add(&graph.Node{Name: n.Name + "_requantized", Op: graph.OpQuantize, Inputs: []*graph.Node{made}, Shape: n.Shape, Storage: &graph.Storage{Output: &scale}})
		b.origin[b.ints[n]] = n
		return nil
	}
	b.ints[n] = b.add(&m)
	b.origin[b.ints[n]] = n
	return nil
}

// hardSwish is x*clip(x/6 + 1/2, 0, 1), because TFLite's own int8 kernel is slow:
// a product that only renames the scale, a sum that saturates at 0 and 1, and a
// product.
func (b *builder) hardSwish(n *graph.Node, scale graph.Scale) *graph.Node {
	in := n.Inputs[0]
	from := *in.Storage.Output
	step := func(name string, op graph.Op, inputs []*graph.Node, to graph.Scale, constants ...float32) *graph.Node {
		m := &graph.Node{Name: n.Name + name, Op: op, Inputs: inputs, Shape: n.Shape, Storage: &graph.Storage{Output: &to}}
		for _, c := range constants {
			m.Weights = []graph.Tensor{{Shape: []int{1}, Data: []float32{c}}}
			m.Storage.Weights = []graph.Stored{constant([]float32{c}, 0)}
		}
		return b.add(m)
	}
	sixth := step("_sixth", graph.OpScale, []*graph.Node{in}, graph.Scale{Scale: from.Scale / 6, Zero: from.Zero}, 1./6)
	gate := step("_gate", graph.OpShift, []*graph.Node{sixth}, graph.Scale{Scale: 1. / codes, Zero: leastCode}, 0.5)
	return step("", graph.OpMul, []*graph.Node{in, gate}, scale)
}
