package quant

import (
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/graph"
)

// bridgeRatio is how many times wider than a piece's own output the class that
// it would join at a cut may be; beyond it, two bits are at stake, and the
// rarer path gets a QUANTIZE instead.
const bridgeRatio = 4

// plan is one way to quantize the family, and what comes of it.
type plan struct {
	net     Net
	stats   map[*graph.Node]*stats
	method  Method
	correct bool                 // biases, for the rounding of weights
	float   map[*graph.Node]bool // that stay float32 by choice
	trial   int

	unfit   map[*graph.Node]bool // that no scales suit
	int8    map[*graph.Node]bool
	owner   map[*graph.Node]int // piece of a node
	classes *classes
	bridges []edge // transitions with a QUANTIZE, in order of appearance

	result Net
	origin []map[*graph.Node]*graph.Node // by piece: int8 nodes of the result to those of the net
}

// edge is a transition from the output of one piece to the input of another.
type edge struct{ from, to int }

func newPlan(net Net, opts Options, all map[*graph.Node]*stats, method Method, correct bool, float map[*graph.Node]bool) (*plan, error) {
	p := &plan{net: net, stats: all, method: method, correct: correct, float: float, owner: map[*graph.Node]int{}, unfit: map[*graph.Node]bool{}}
	for i, piece := range net.Pieces {
		for _, n := range piece.Nodes {
			p.owner[n] = i
		}
	}
	for unfit := true; unfit; unfit = p.limit() {
		p.types()
		p.bridge(opts)
	}
	if err := p.build(); err != nil {
		return nil, err
	}
	return p, nil
}

// edges lists the transitions of all variants, in order of appearance.
func (p *plan) edges() []edge {
	var list []edge
	for _, w := range p.net.Words {
		for i := 1; i < len(w); i++ {
			if e := (edge{w[i-1], w[i]}); !slices.Contains(list, e) {
				list = append(list, e)
			}
		}
	}
	return list
}

// types decides which nodes are int8. A cut tensor is int8 unless all that write
// it are float32; so all begin as int8, and the rest follows.
func (p *plan) types() {
	p.int8 = map[*graph.Node]bool{}
	for _, piece := range p.net.Pieces {
		p.int8[piece.Input()] = true
	}
	for {
		for _, piece := range p.net.Pieces {
			for _, n := range piece.Nodes[1:] {
				p.int8[n] = !p.float[n] && !p.unfit[n] && p.can(n)
			}
		}
		if !p.narrow() {
			return
		}
	}
}

// can says whether a node has an int8 form, given the types of its inputs.
func (p *plan) can(n *graph.Node) bool {
	if !carries(n) {
		return computes(n)
	}
	for _, in := range n.Inputs {
		if !p.int8[in] {
			return false
		}
	}
	return true
}

// narrow makes those cut tensors float32 that nothing writes as int8, and says
// whether there was one.
func (p *plan) narrow() bool {
	u := newUnion()
	for _, e := range p.edges() {
		u.join(p.net.Pieces[e.from].Output, p.net.Pieces[e.to].Input())
	}
	written := map[*graph.Node]bool{}
	for i, piece := range p.net.Pieces {
		if p.first(i) && p.reads(piece) {
			written[u.find(piece.Input())] = true // by preprocessing
		}
		if p.int8[piece.Output] {
			written[u.find(piece.Output)] = true
		}
	}
	changed := false
	for _, piece := range p.net.Pieces {
		in := piece.Input()
		if p.int8[in] && !written[u.find(in)] {
			p.int8[in], changed = false, true
		}
	}
	return changed
}

// first says whether a variant begins with the piece.
func (p *plan) first(piece int) bool {
	return slices.ContainsFunc(p.net.Words, func(w []int) bool { return w[0] == piece })
}

// reads says whether an int8 node reads the piece's input.
func (p *plan) reads(piece *graph.Graph) bool {
	return slices.ContainsFunc(piece.Nodes, func(n *graph.Node) bool { return p.int8[n] && slices.Contains(n.Inputs, piece.Input()) })
}

// carries says whether a node hands on values in the scale that they have.
func carries(n *graph.Node) bool {
	switch n.Op {
	case graph.OpReshape, graph.OpTranspose, graph.OpConcat, graph.OpSlice, graph.OpGather, graph.OpMaxPool, graph.OpAveragePool:
		return n.Attrs.Activation == graph.None
	case graph.OpPad:
		return n.Attrs.PadValue <= 0 // zero, or less than anything
	}
	return false
}

// computes says whether a node has an int8 form with a scale of its own.
func computes(n *graph.Node) bool {
	switch n.Op {
	case graph.OpConv, graph.OpDepthwise, graph.OpFullyConnected, graph.OpHardSwish, graph.OpSigmoid, graph.OpRelu, graph.OpRelu6:
		return true
	case graph.OpMean:
		return len(n.Inputs[0].Shape) == 4
	case graph.OpAdd, graph.OpMul, graph.OpShift, graph.OpScale:
		return len(n.Shape) <= 4
	}
	return false
}

// fixedScale is the scale that TFLite wants of an operator's output; nil for any.
func fixedScale(n *graph.Node) *graph.Scale {
	if n.Op == graph.OpSigmoid {
		return &graph.Scale{Scale: 1. / 256, Zero: leastCode}
	}
	return nil
}

// bridge finds the classes, and those transitions where a piece would have to use
// a much wider scale only for the sake of a successor on few paths: each of these
// gets a QUANTIZE, and its ends classes of their own.
func (p *plan) bridge(opts Options) {
	p.bridges = nil
	p.classes = p.join(opts)
	for _, e := range p.edges() {
		out, in := p.net.Pieces[e.from].Output, p.net.Pieces[e.to].Input()
		if !p.int8[out] || !p.int8[in] || p.users(e) > p.users(edge{e.from, -1})/2 {
			continue
		}
		if p.classes.ranges[p.classes.find(in)].width() > bridgeRatio*p.own(out).width() {
			p.bridges = append(p.bridges, e)
			p.classes = p.join(opts)
		}
	}
}

// users counts the variants that take the transition, or leave the piece at all
// if to is negative.
func (p *plan) users(e edge) int {
	count := 0
	for _, w := range p.net.Words {
		for i := 1; i < len(w); i++ {
			if w[i-1] == e.from && (e.to < 0 || w[i] == e.to) {
				count++
			}
		}
	}
	return count
}

// own is the range of what a node computes; that of a node which carries values
// is the range of these.
func (p *plan) own(n *graph.Node) interval {
	if !carries(n) {
		return p.method.choose(p.stats[n])
	}
	r := p.own(n.Inputs[0])
	for _, in := range n.Inputs[1:] {
		r = r.union(p.own(in))
	}
	return r
}

// classes are the tensors that share a scale.
type classes struct {
	*union
	ranges map[*graph.Node]interval // by representative
	fixed  map[*graph.Node]*graph.Scale
}

func (p *plan) join(opts Options) *classes {
	c := &classes{newUnion(), map[*graph.Node]interval{}, map[*graph.Node]*graph.Scale{}}
	for _, e := range p.edges() {
		if !slices.Contains(p.bridges, e) {
			c.join(p.net.Pieces[e.from].Output, p.net.Pieces[e.to].Input())
		}
	}
	for _, piece := range p.net.Pieces {
		for _, n := range piece.Nodes {
			if p.int8[n] && carries(n) {
				for _, in := range n.Inputs {
					c.join(n, in)
				}
			}
		}
	}
	free := map[*graph.Node]bool{} // classes with a member that wants a range
	add := func(n *graph.Node, r interval) {
		at := c.find(n)
		if old, ok := c.ranges[at]; ok {
			r = r.union(old)
		}
		c.ranges[at] = r
	}
	for i, piece := range p.net.Pieces {
		if p.first(i) {
			add(piece.Input(), interval{min(float64(opts.InputLow), 0), max(float64(opts.InputHigh), 0)})
			free[c.find(piece.Input())] = true
		}
		for _, n := range piece.Nodes[1:] {
			if carries(n) && p.int8[n] {
				continue
			}
			add(n, p.method.choose(p.stats[n]))
			if s := fixedScale(n); s != nil {
				c.fixed[c.find(n)] = s
			} else {
				free[c.find(n)] = true
			}
		}
	}
	for _, e := range p.bridges {
		add(p.net.Pieces[e.to].Input(), p.own(p.net.Pieces[e.from].Output))
	}
	for at := range free {
		delete(c.fixed, at)
	}
	return c
}

// scale of a tensor as it is read.
func (c *classes) scale(n *graph.Node) graph.Scale {
	at := c.find(n)
	if s := c.fixed[at]; s != nil {
		return *s
	}
	return c.ranges[at].scale()
}

// union is a disjoint-set forest of tensors.
type union struct{ parent map[*graph.Node]*graph.Node }

func newUnion() *union { return &union{map[*graph.Node]*graph.Node{}} }

func (u *union) find(n *graph.Node) *graph.Node {
	for u.parent[n] != nil {
		n = u.parent[n]
	}
	return n
}

func (u *union) join(a, b *graph.Node) {
	if a, b = u.find(a), u.find(b); a != b {
		u.parent[b] = a
	}
}

// kept lists layers that stay float32 by choice.
func (p *plan) kept() []string {
	return p.list(func(n *graph.Node) bool { return p.float[n] })
}

// without lists nodes that have no int8 form; those that only hand values on
// follow from others.
func (p *plan) without() []string {
	return p.list(func(n *graph.Node) bool {
		return !p.int8[n] && !p.float[n] && !carries(n) && n.Op != graph.OpConst && n.Op != graph.OpInput
	})
}

func (p *plan) list(which func(*graph.Node) bool) []string {
	var names []string
	for _, piece := range p.net.Pieces {
		for _, n := range piece.Nodes {
			if which(n) {
				names = append(names, fmt.Sprintf("%s (%s)", n.Name, n.Op))
			}
		}
	}
	return names
}
