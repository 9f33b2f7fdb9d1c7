package graph

import (
	"errors"
	"fmt"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// The versions of the standard operator set whose operators mean what the
// importers make of them.
const (
	minOpset = 9
	maxOpset = 28
)

// Import brings an ONNX model with one float32 image input [N, C, H, W] and one
// output to the graph form, in ONNX's layout and with a batch of one. Shapes are
// known from the first node to the last, so that arithmetic on shapes and
// constants is computed here and leaves no trace. The operators that it knows
// are listed by [Operators]; all nodes that it cannot import stand in the
// *[UnsupportedError] that it returns.
func Import(m *onnx.ModelProto) (*Graph, error) {
	im := &importer{
		opset:  onnx.OpsetVersion(m),
		protos: map[string]*onnx.TensorProto{},
		values: map[string]value{},
		read:   map[*byte]*constant{},
	}
	if im.opset < minOpset || im.opset > maxOpset {
		return nil, fmt.Errorf("graph: operator set version %d, need %d to %d (export with opset_version=17)", im.opset, minOpset, maxOpset)
	}
	og := m.GetGraph()
	if n := len(og.GetNode()); n > maxNodes {
		return nil, fmt.Errorf("graph: the model has %d nodes, more than %d (file damaged? export it again)", n, maxNodes)
	}
	for _, t := range og.GetInitializer() {
		im.protos[t.GetName()] = t
		im.fileBytes += len(t.GetRawData()) + 4*len(t.GetFloatData())
	}
	im.budget = foldBudget + im.fileBytes
	nodes, err := ordered(og)
	if err != nil {
		return nil, err
	}
	if err := im.input(og); err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if err := im.node(n); err != nil {
			return nil, err
		}
	}
	if err := im.bad.err(); err != nil {
		return nil, err
	}
	return im.graph(og)
}

// foldBudget is how many elements folding may make, plus one for each byte of
// the model's weights.
const foldBudget = 1 << 20

// maxNodes is ten times what the largest classifiers have.
const maxNodes = 1 << 15

// weightReuse is how many times over a model may use its weights, and
// weightSlack the bytes that any model may.
const (
	weightReuse = 4
	weightSlack = 16 << 20
)

// graph puts together what was imported.
func (im *importer) graph(og *onnx.GraphProto) (*Graph, error) {
	if len(og.GetOutput()) != 1 {
		return nil, fmt.Errorf("graph: the model has %d outputs, need one (export the logits only)", len(og.GetOutput()))
	}
	out, ok := im.values[og.GetOutput()[0].GetName()]
	if !ok || out.node == nil {
		return nil, fmt.Errorf("graph: no node computes the output %q from the image (export the model again)", og.GetOutput()[0].GetName())
	}
	used := 0
	for _, n := range im.nodes {
		for _, w := range n.Weights {
			if used += 4 * len(w.Data); used > weightReuse*im.fileBytes+weightSlack {
				return nil, fmt.Errorf("graph: the nodes use the model's %d bytes of weights more than %d times over (file damaged? export it again)", im.fileBytes, weightReuse)
			}
		}
	}
	return &Graph{Layout: NCHW, Nodes: im.nodes, Output: out.node}, nil
}

// importer walks the nodes in order of their dependence.
type importer struct {
	opset     int64
	protos    map[string]*onnx.TensorProto
	values    map[string]value
	read      map[*byte]*constant // initializers by their bytes, which several may share
	nodes     []*Node
	bad       report
	fileBytes int
	budget    int // elements that folding may still make
}

// value is what travels between ONNX's nodes: a node of the graph, or a
// constant.
type value struct {
	node *Node
	con  *constant
	// tainted: an unsupported node came before, so the shape is a guess.
	tainted bool
}

// input makes the one real input (older models list initializers, too).
func (im *importer) input(og *onnx.GraphProto) error {
	var real []*onnx.ValueInfoProto
	for _, in := range og.GetInput() {
		if im.protos[in.GetName()] == nil {
			real = append(real, in)
		}
	}
	if len(real) != 1 {
		return fmt.Errorf("graph: the model has %d inputs, need one image", len(real))
	}
	name, tensor := real[0].GetName(), real[0].GetType().GetTensorType()
	if tensor.GetElemType() != onnx.TypeFloat {
		return fmt.Errorf("graph: input %q is not float32 (export the model in float32)", name)
	}
	dims := tensor.GetShape().GetDim()
	if len(dims) != 4 {
		return fmt.Errorf("graph: input %q has %d dimensions, need [N, C, H, W]", name, len(dims))
	}
	if n := dims[0].GetDimValue(); n != 0 && n != 1 {
		return fmt.Errorf("graph: input %q has a fixed batch of %d (export with a batch of one or a dynamic one)", name, n)
	}
	shape := []int{1}
	for _, d := range dims[1:] {
		v := d.GetDimValue()
		if v < 1 || v > maxElements {
			return fmt.Errorf("graph: input %q needs fixed channels, height and width (export with a dynamic batch only)", name)
		}
		shape = append(shape, int(v))
	}
	if err := checkShape(shape); err != nil {
		return fmt.Errorf("graph: input %q: %w", name, err)
	}
	n := &Node{Name: name, Op: OpInput, Shape: shape}
	im.values[name] = value{node: n}
	im.nodes = append(im.nodes, n)
	return nil
}

// unsupported marks what an importer cannot express, as opposed to a model
// that is broken.
type unsupported struct{ reason, hint string }

func (u unsupported) Error() string { return u.reason }

func unsupportedf(format string, args ...any) error {
	return unsupported{reason: fmt.Sprintf(format, args...)}
}

// misfit marks shapes that do not fit: the fault of the model, unless a node
// before it was unsupported and its shape a guess.
type misfit struct{ error }

var errNotFinite = errors.New("hold a value that is not finite (did the training diverge?)")

// node imports one ONNX node. What is unsupported is noted and replaced by a
// placeholder, so that the nodes after it are looked at, too.
func (im *importer) node(n *onnx.NodeProto) error {
	c, err := im.call(n)
	if err != nil {
		return fmt.Errorf("graph: %s: %w", onnx.NodeName(n), err)
	}
	mark := len(im.nodes)
	err = c.run()
	var u unsupported
	var m misfit
	switch {
	case err == nil:
		return nil
	case errors.As(err, &u):
		im.bad.nodes = append(im.bad.nodes, Unsupported{c.name, c.op, u.reason, u.hint})
	case errors.As(err, &m):
		if !c.tainted {
			im.bad.nodes = append(im.bad.nodes, Unsupported{c.name, c.op, m.Error(), ""})
		}
	case c.tainted: // may well come of the guess
	default:
		return fmt.Errorf("graph: %s: %w", onnx.NodeName(n), err)
	}
	im.nodes = im.nodes[:mark]
	c.placeholder()
	return nil
}

// value looks a name up.
func (im *importer) value(name string) (value, error) {
	if v, ok := im.values[name]; ok {
		return v, nil
	}
	t := im.protos[name]
	if t == nil {
		return value{}, fmt.Errorf("reads %q, which no node before it writes", name)
	}
	c, err := im.initializer(t)
	if err != nil {
		return value{}, err
	}
	v := value{con: c}
	im.values[name] = v
	return v, nil
}

// initializer reads a tensor of the file, once for all that share its bytes.
func (im *importer) initializer(t *onnx.TensorProto) (*constant, error) {
	raw := t.GetRawData()
	if len(raw) == 0 {
		return readConstant(t)
	}
	if c := im.read[&raw[0]]; c != nil && !c.isInt && t.GetDataType() == onnx.TypeFloat && 4*len(c.floats) == len(raw) {
		shape := toInts(t.GetDims())
		if err := checkConstantShape(shape); err != nil {
			return nil, err
		}
		return c.reshaped(shape), nil
	}
	c, err := readConstant(t)
	if err == nil {
		im.read[&raw[0]] = c
	}
	return c, err
}

// toInts narrows ONNX's integers; values outside ±2^30 become that bound, which
// every later check refuses.
func toInts(values []int64) []int {
	const limit = 1 << 30
	r := make([]int, len(values))
	for i, v := range values {
		r[i] = int(max(min(v, limit), -limit))
	}
	return r
}
