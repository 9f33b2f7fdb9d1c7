package reference

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// Program is a model whose weights and attributes have been read once.
type Program struct {
	constants map[string]*value
	inputs    []port
	steps     []step
	outputs   []string
	lastUse   map[string]int // the last step that reads a value that is no output
}

// port is an input of the graph. A dimension of -1 may have any size; a nil
// shape is unknown.
type port struct {
	name  string
	shape []int
}

// step is one node. An input of "" is left out.
type step struct {
	node    string // for messages
	inputs  []string
	outputs []string
	run     kernels
}

// Prepare reads a model. If it has nodes that cannot be evaluated, the error
// lists them all.
func Prepare(m *onnx.ModelProto) (*Program, error) {
	p := &Program{constants: map[string]*value{}}
	for _, build := range []func(*onnx.ModelProto) error{checkOpset, p.addConstants, p.addInputs, p.addSteps, p.connect} {
		if err := build(m); err != nil {
			return nil, fmt.Errorf("reference: %w", err)
		}
	}
	return p, nil
}

func checkOpset(m *onnx.ModelProto) error {
	if v := onnx.OpsetVersion(m); v < minOpset || v > maxOpset {
		return fmt.Errorf("operator set version %d, want %d to %d (export with opset_version=17)", v, minOpset, maxOpset)
	}
	return nil
}

func (p *Program) addConstants(m *onnx.ModelProto) error {
	for _, t := range m.GetGraph().GetInitializer() {
		v, err := constant(t)
		if err != nil {
			return err
		}
		if p.constants[t.GetName()] != nil {
			return fmt.Errorf("tensor %q is there twice", t.GetName())
		}
		p.constants[t.GetName()] = &v
	}
	return nil
}

// constant reads a tensor of float32, integers or booleans.
func constant(t *onnx.TensorProto) (value, error) {
	shape := make([]int, len(t.GetDims()))
	for i, d := range t.GetDims() {
		shape[i] = int(d)
	}
	if onnx.IsInteger(t.GetDataType()) {
		ints, err := onnx.Integers(t)
		return value{Tensor: Tensor{Shape: shape}, ints: ints, isInt: true}, err
	}
	data, err := onnx.Floats(t)
	if err != nil {
		return value{}, err
	}
	if _, err := elements(shape); err != nil {
		return value{}, fmt.Errorf("tensor %q: %w", t.GetName(), err)
	}
	return value{Tensor: Tensor{shape, data}}, nil
}

// addInputs takes the inputs of the graph that no initializer gives.
func (p *Program) addInputs(m *onnx.ModelProto) error {
	for _, info := range m.GetGraph().GetInput() {
		if p.constants[info.GetName()] != nil {
			continue
		}
		tensor := info.GetType().GetTensorType()
		if tensor.GetElemType() != onnx.TypeFloat {
			return fmt.Errorf("input %q: want a float32 tensor", info.GetName())
		}
		in := port{name: info.GetName()}
		if tensor.GetShape() != nil {
			in.shape = []int{}
			for _, d := range tensor.GetShape().GetDim() {
				size := -1
				if d.GetDimValue() > 0 {
					size = int(d.GetDimValue())
				}
				in.shape = append(in.shape, size)
			}
		}
		p.inputs = append(p.inputs, in)
	}
	return nil
}

func (p *Program) addSteps(m *onnx.ModelProto) error {
	known := map[string]operator{}
	for _, op := range operators(onnx.OpsetVersion(m)) {
		known[op.name] = op
	}
	var unsupported []string
	for _, n := range m.GetGraph().GetNode() {
		op, ok := known[n.GetOpType()]
		if !ok || (n.GetDomain() != "" && n.GetDomain() != "ai.onnx") {
			unsupported = append(unsupported, onnx.NodeName(n))
			continue
		}
		run, err := prepareNode(op, n)
		if err != nil {
			unsupported = append(unsupported, fmt.Sprintf("%s: %v", onnx.NodeName(n), err))
			continue
		}
		p.steps = append(p.steps, step{onnx.NodeName(n), n.GetInput(), n.GetOutput(), run})
	}
	if len(unsupported) > 0 {
		return fmt.Errorf("%d nodes cannot be evaluated: %s (operators that can: %s)",
			len(unsupported), strings.Join(unsupported, "; "), strings.Join(Operators(), ", "))
	}
	return nil
}

// connect checks that each value is made once and before it is used.
func (p *Program) connect(m *onnx.ModelProto) error {
	made := map[string]bool{}
	for name := range p.constants {
		made[name] = true
	}
	for _, in := range p.inputs {
		if made[in.name] {
			return fmt.Errorf("input %q is there twice", in.name)
		}
		made[in.name] = true
	}
	for _, s := range p.steps {
		for _, name := range s.inputs {
			if name != "" && !made[name] {
				return fmt.Errorf("%s: input %q is not made before it (sort the nodes, or export the model again)", s.node, name)
			}
		}
		for _, name := range s.outputs {
			if name == "" {
				continue
			}
			if made[name] {
				return fmt.Errorf("%s: %q is made twice (give each value a name of its own)", s.node, name)
			}
			made[name] = true
		}
	}
	for _, info := range m.GetGraph().GetOutput() {
		if !made[info.GetName()] {
			return fmt.Errorf("output %q is made by no node", info.GetName())
		}
		p.outputs = append(p.outputs, info.GetName())
	}
	if len(p.outputs) == 0 {
		return errors.New("the graph has no output")
	}
	p.lastUse = map[string]int{}
	for i, s := range p.steps {
		for _, name := range s.inputs {
			p.lastUse[name] = i
		}
	}
	for _, name := range p.outputs {
		delete(p.lastUse, name)
	}
	return nil
}

// Run evaluates the program. The result shares no memory with the inputs.
func (p *Program) Run(inputs map[string]Tensor) (map[string]Tensor, error) {
	outputs, err := p.run(inputs)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	return outputs, nil
}

func (p *Program) run(inputs map[string]Tensor) (map[string]Tensor, error) {
	values := maps.Clone(p.constants)
	if err := p.takeInputs(inputs, values); err != nil {
		return nil, err
	}
	for i, s := range p.steps {
		in := make(arguments, len(s.inputs))
		for i, name := range s.inputs {
			in[i] = values[name]
		}
		out, err := s.run(in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.node, err)
		}
		for j := range out {
			if j < len(s.outputs) {
				values[s.outputs[j]] = &out[j]
			}
		}
		for _, name := range s.inputs {
			if p.lastUse[name] == i {
				delete(values, name)
			}
		}
	}
	outputs := map[string]Tensor{}
	for _, name := range p.outputs {
		v := values[name]
		if v.isInt {
			return nil, fmt.Errorf("output %q holds int64, want float32", name)
		}
		outputs[name] = Tensor{slices.Clone(v.Shape), slices.Clone(v.Data)}
	}
	return outputs, nil
}

func (p *Program) takeInputs(inputs map[string]Tensor, values map[string]*value) error {
	for _, want := range p.inputs {
		t, ok := inputs[want.name]
		if !ok {
			return fmt.Errorf("input %q is not given", want.name)
		}
		if n, err := elements(t.Shape); err != nil || n != len(t.Data) {
			return fmt.Errorf("input %q: shape %v does not fit its %d values", want.name, t.Shape, len(t.Data))
		}
		if want.shape != nil && !slices.EqualFunc(want.shape, t.Shape, func(w, g int) bool { return w < 0 || w == g }) {
			return fmt.Errorf("input %q has shape %v, the model wants %v (-1: any)", want.name, t.Shape, want.shape)
		}
		values[want.name] = &value{Tensor: t}
	}
	if len(inputs) != len(p.inputs) {
		return fmt.Errorf("%d inputs are given, the model has %d", len(inputs), len(p.inputs))
	}
	return nil
}
