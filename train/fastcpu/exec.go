package fastcpu

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// executable runs the nodes that its outputs depend on, in the order of recording.
type executable struct {
	backend *Backend
	params  []*node
	names   []string
	outputs []*value
	steps   []step
	slots   int   // values in all
	outSlot []int // of the outputs' sources
	inSlot  []int
}

// step is one node with the numbers of its values, and the values that nobody reads after it.
type step struct {
	node     *node
	elements *program           // of an element-wise node
	program  compute.Executable // of a delegated node
	inputs   []*value
	in, out  []int
	dead     []int
}

// plan chooses the nodes to run, from the outputs back, and fuses element-wise ones.
func plan(f *function) ([]step, error) {
	live := make([]bool, len(f.nodes))
	kept := make([]bool, len(f.nodes))
	for _, out := range f.outputs {
		n := source(out).node
		live[n.id], kept[n.id] = true, true
	}
	readers := make([][]*node, len(f.nodes))
	for _, n := range slices.Backward(f.nodes) {
		if !live[n.id] {
			continue
		}
		for _, in := range n.inputs {
			m := source(in).node
			live[m.id] = true
			readers[m.id] = append(readers[m.id], n)
		}
	}
	var steps []step
	needed := slices.Clone(kept)
	for _, n := range slices.Backward(f.nodes) {
		if !needed[n.id] || n.op == "Parameter" {
			continue
		}
		s := step{node: n, inputs: n.inputs}
		switch {
		case n.element != nil:
			s.elements, s.inputs = assemble(fuse(n, readers, kept))
		case n.emit != nil && n.op != "Constant":
			program, err := compileDelegated(f.builder.backend, n)
			if err != nil {
				return nil, fmt.Errorf("fastcpu: compile %s: %w", n.op, err)
			}
			s.program = program
		}
		for _, in := range s.inputs {
			needed[source(in).node.id] = true
		}
		steps = append(steps, s)
	}
	slices.Reverse(steps)
	return steps, nil
}

func compile(b *Backend, f *function) (*executable, error) {
	steps, err := plan(f)
	if err != nil {
		return nil, err
	}
	e := &executable{backend: b, params: f.params, names: f.names, outputs: f.outputs, steps: steps}
	first := make([]int, len(f.nodes))
	for _, n := range f.nodes {
		first[n.id] = e.slots
		e.slots += len(n.outs)
	}
	slot := func(v *value) int { return first[v.node.id] + v.out }
	for _, p := range f.params {
		e.inSlot = append(e.inSlot, first[p.id])
	}
	keep := make([]bool, e.slots)
	for _, out := range f.outputs {
		s := slot(source(out))
		e.outSlot = append(e.outSlot, s)
		keep[s] = true
	}
	lastUse := make([]int, e.slots)
	for i := range lastUse {
		lastUse[i] = -1
	}
	for i := range e.steps {
		s := &e.steps[i]
		for _, in := range s.inputs {
			s.in = append(s.in, slot(source(in)))
		}
		for o := range s.node.outs {
			s.out = append(s.out, first[s.node.id]+o)
		}
		for _, v := range append(slices.Clone(s.in), s.out...) {
			lastUse[v] = i
		}
	}
	for v, at := range lastUse {
		if at >= 0 && !keep[v] {
			e.steps[at].dead = append(e.steps[at].dead, v)
		}
	}
	return e, nil
}

func compileDelegated(b *Backend, n *node) (compute.Executable, error) {
	bld := b.Backend.Builder(n.op)
	outs, err := emitInto(bld.Main(), n.emit, n.inputs)
	if err != nil {
		return nil, err
	}
	if err := bld.Main().Return(outs, nil); err != nil {
		return nil, err
	}
	return bld.Compile()
}

func (e *executable) Finalize() {
	for _, s := range e.steps {
		if s.program != nil {
			s.program.Finalize()
		}
	}
	e.steps = nil
}

func (e *executable) Inputs() (names []string, inputShapes []shapes.Shape) {
	for _, p := range e.params {
		inputShapes = append(inputShapes, p.outs[0])
	}
	return e.names, inputShapes
}

func (e *executable) Outputs() (outputShapes []shapes.Shape) {
	for _, o := range e.outputs {
		outputShapes = append(outputShapes, o.shape())
	}
	return outputShapes
}

// execution is the state of one run.
type execution struct {
	backend *Backend
	vals    []*buffer
	owned   []bool // may be overwritten or released
}

func (e *executable) Execute(inputs []compute.Buffer, donate []bool, _ compute.DeviceNum) ([]compute.Buffer, error) {
	if len(inputs) != len(e.params) {
		return nil, fmt.Errorf("fastcpu: %d inputs for %d parameters", len(inputs), len(e.params))
	}
	x := &execution{backend: e.backend, vals: make([]*buffer, e.slots), owned: make([]bool, e.slots)}
	for i, in := range inputs {
		buf, ok := in.(*buffer)
		if !ok || buf.flat == nil || !buf.shape.Equal(e.params[i].outs[0]) {
			return nil, fmt.Errorf("fastcpu: input %s is not a valid tensor of this backend with shape %s", e.names[i], e.params[i].outs[0])
		}
		s := e.inSlot[i]
		if len(donate) > i && donate[i] {
			// The caller's buffer becomes invalid, its storage is ours.
			x.vals[s], x.owned[s] = &buffer{backend: e.backend, shape: buf.shape, flat: buf.flat}, true
			buf.flat = nil
		} else {
			x.vals[s] = buf
		}
	}
	for i := range e.steps {
		if err := x.run(&e.steps[i]); err != nil {
			return nil, fmt.Errorf("fastcpu: %s: %w", e.steps[i].node.op, err)
		}
	}
	out := make([]compute.Buffer, len(e.outSlot))
	taken := map[int]bool{}
	for i, s := range e.outSlot {
		buf := &buffer{backend: e.backend, shape: e.outputs[i].shape(), flat: x.vals[s].flat}
		if taken[s] || !x.owned[s] {
			c := e.backend.alloc(buf.shape)
			if err := copyFlat(c.flat, buf.flat); err != nil {
				return nil, err
			}
			buf = c
		}
		taken[s] = true
		out[i] = buf
	}
	for _, s := range e.inSlot {
		if x.owned[s] && !taken[s] {
			if err := x.vals[s].Finalize(); err != nil { // donated, and read by nobody
				return nil, err
			}
		}
	}
	return out, nil
}

func (x *execution) run(s *step) error {
	n := s.node
	if n.op == "Constant" {
		x.vals[s.out[0]] = n.attr.(*buffer)
		return nil
	}
	in := make([]*buffer, len(s.in))
	for i, v := range s.in {
		in[i] = x.vals[v]
	}
	out := make([]*buffer, len(s.out))
	switch {
	case s.program != nil:
		if err := x.runDelegated(s, in, out); err != nil {
			return err
		}
	case s.elements != nil:
		if reuse := x.reusable(s); reuse >= 0 {
			out[0] = &buffer{backend: x.backend, shape: n.outs[0], flat: in[reuse].flat}
			x.owned[s.in[reuse]] = false // its storage lives on in the output
		} else {
			out[0] = x.backend.alloc(n.outs[0])
		}
		s.elements.run(in, out[0])
	default:
		for i := range out {
			out[i] = x.backend.alloc(n.outs[i])
		}
		n.kernel(n, in, out)
	}
	for i, v := range s.out {
		x.vals[v], x.owned[v] = out[i], true
	}
	for _, v := range s.dead {
		if x.owned[v] {
			if err := x.vals[v].Finalize(); err != nil {
				return err
			}
		}
		x.vals[v], x.owned[v] = nil, false
	}
	return nil
}

// reusable returns the input of an element-wise step whose storage the output may take over, or -1. Elements of an
// operand as large as the result are read, at the latest, when the result's element of the same number is written.
func (x *execution) reusable(s *step) int {
	out := s.node.outs[0]
	for i, v := range s.in {
		in := s.inputs[i].shape()
		if x.owned[v] && in.DType == out.DType && in.Size() == out.Size() && slices.Contains(s.dead, v) {
			return i
		}
	}
	return -1
}

func (x *execution) runDelegated(s *step, in, out []*buffer) error {
	args := make([]compute.Buffer, len(in))
	donate := make([]bool, len(in))
	for i, b := range in {
		inner, flat, err := x.backend.Backend.NewSharedBuffer(0, s.inputs[i].shape())
		if err != nil {
			return err
		}
		if err := copyFlat(flat, b.flat); err != nil {
			return err
		}
		args[i], donate[i] = inner, true
	}
	results, err := s.program.Execute(args, donate, 0)
	if err != nil {
		return err
	}
	for i, r := range results {
		flat, err := r.Data()
		if err != nil {
			return err
		}
		out[i] = x.backend.alloc(s.node.outs[i])
		if err := copyFlat(out[i].flat, flat); err != nil {
			return err
		}
		if err := r.Finalize(); err != nil {
			return err
		}
	}
	return nil
}
