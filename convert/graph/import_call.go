package graph

import (
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// call is one ONNX node while it is imported.
type call struct {
	im      *importer
	proto   *onnx.NodeProto
	name    string
	op      string
	inputs  []value // a zero value where one is left out
	tainted bool
}

// call resolves the inputs of a node.
func (im *importer) call(n *onnx.NodeProto) (*call, error) {
	c := &call{im: im, proto: n, name: n.GetName(), op: n.GetOpType()}
	if len(n.GetOutput()) == 0 || n.GetOutput()[0] == "" {
		return nil, fmt.Errorf("has no output (export the model again)")
	}
	if c.name == "" {
		c.name = n.GetOutput()[0]
	}
	if d := n.GetDomain(); d != "" && d != "ai.onnx" {
		c.op = d + "." + c.op
	}
	for _, name := range n.GetInput() {
		var v value
		if name != "" {
			var err error
			if v, err = im.value(name); err != nil {
				return nil, err
			}
		}
		c.tainted = c.tainted || v.tainted
		c.inputs = append(c.inputs, v)
	}
	return c, nil
}

// run folds the node or imports it.
func (c *call) run() error {
	if fold := folders()[c.op]; fold != nil && c.constants() {
		con, err := fold(c)
		if err != nil {
			return err
		}
		c.set(0, value{con: con})
		return nil
	}
	op, ok := findOperator(c.op)
	if !ok {
		return unsupported{"operator not supported", hint(c.op)}
	}
	for _, a := range c.proto.GetAttribute() {
		if !slices.Contains(op.attributes, a.GetName()) {
			return unsupportedf("attribute %q is not supported", a.GetName())
		}
	}
	made, err := op.run(c)
	if err != nil {
		return err
	}
	if made != nil {
		c.set(0, value{node: made})
	}
	return nil
}

func (c *call) constants() bool {
	for i := range c.inputs {
		if c.has(i) && c.inputs[i].con == nil {
			return false
		}
	}
	return len(c.inputs) > 0
}

// set gives output i a value.
func (c *call) set(i int, v value) {
	v.tainted = c.tainted
	if i < len(c.proto.GetOutput()) && c.proto.GetOutput()[i] != "" {
		c.im.values[c.proto.GetOutput()[i]] = v
	}
}

// placeholder stands for an unsupported node: its first value's shape is the
// best guess of its own.
func (c *call) placeholder() {
	c.tainted = true
	shape := c.im.nodes[0].Shape
	for _, v := range c.inputs {
		if v.node != nil {
			shape = v.node.Shape
			break
		}
	}
	for i := range c.proto.GetOutput() {
		c.set(i, value{node: &Node{Name: c.name, Op: OpIdentity, Inputs: c.im.nodes[:1], Shape: shape}})
	}
}

// emit adds a node to the graph and infers its shape.
func (c *call) emit(op Op, attrs Attrs, weights []Tensor, inputs ...*Node) (*Node, error) {
	n := &Node{Name: c.name, Op: op, Inputs: inputs, Weights: weights, Attrs: attrs}
	var err error
	if n.Shape, err = inferNode(NCHW, n); err == nil {
		err = checkShape(n.Shape)
	}
	if err != nil {
		return nil, misfit{err}
	}
	c.im.nodes = append(c.im.nodes, n)
	return n, nil
}

func (c *call) has(i int) bool { return i < len(c.inputs) && c.inputs[i] != (value{}) }

// node returns an input; a float constant becomes a Const.
func (c *call) node(i int) (*Node, error) {
	if !c.has(i) {
		return nil, fmt.Errorf("has %d inputs, need %d", len(c.inputs), i+1)
	}
	if n := c.inputs[i].node; n != nil {
		return n, nil
	}
	t, err := c.weights(i)
	if err != nil {
		return nil, err
	}
	return c.emit(OpConst, Attrs{}, []Tensor{t})
}

// constant returns an input that must be known.
func (c *call) constant(i int) (*constant, error) {
	if !c.has(i) {
		return nil, fmt.Errorf("input %d is missing or empty", i)
	}
	if c.inputs[i].con == nil {
		return nil, unsupported{fmt.Sprintf("input %d, %q, must be a constant", i, c.proto.GetInput()[i]), "export the model for inference, with a fixed image size"}
	}
	return c.inputs[i].con, nil
}

// weights returns a float constant that must be there.
func (c *call) weights(i int) (Tensor, error) {
	k, err := c.constant(i)
	if err != nil {
		return Tensor{}, err
	}
	t, err := k.tensor()
	if err == errNotFinite {
		err = fmt.Errorf("weights %q %w", c.proto.GetInput()[i], err)
	}
	return t, err
}

// ranked is weights with a given number of dimensions.
func (c *call) ranked(i, rank int) (Tensor, error) {
	t, err := c.weights(i)
	if err == nil && len(t.Shape) != rank {
		err = unsupportedf("weights have shape %v, need %d dimensions", t.Shape, rank)
	}
	return t, err
}

// scalar returns the one value of a float constant.
func (c *call) scalar(i int) (float32, error) {
	k, err := c.constant(i)
	if err != nil {
		return 0, err
	}
	switch {
	case k.len() != 1:
		return 0, unsupportedf("input %d has shape %v, need one value", i, k.shape)
	case k.isInt:
		return float32(k.ints[0]), nil
	}
	return k.floats[0], nil
}

// ints returns the values of an integer constant.
func (c *call) ints(i int) ([]int64, error) {
	k, err := c.constant(i)
	if err != nil {
		return nil, err
	}
	if !k.isInt {
		return nil, fmt.Errorf("input %d holds floats where integers are needed", i)
	}
	return k.ints, nil
}

// intsOr returns a list that older operator sets have as an attribute and newer
// ones as an input; nil if there is neither.
func (c *call) intsOr(i int, attribute string) ([]int64, error) {
	if c.has(i) {
		return c.ints(i)
	}
	return onnx.Ints(c.proto, attribute)
}

func (c *call) int(attribute string, def int64) (int64, error) {
	return onnx.Int(c.proto, attribute, def)
}

func (c *call) float(attribute string, def float32) (float32, error) {
	return onnx.Float(c.proto, attribute, def)
}

// flag checks that an integer attribute, if there, has the only supported value.
func (c *call) flag(attribute string, def, want int64) error {
	v, err := c.int(attribute, def)
	if err == nil && v != want {
		return unsupportedf("%s is %d, need %d", attribute, v, want)
	}
	return err
}

// axis reads an attribute that names an axis of a rank.
func (c *call) axis(attribute string, def int64, rank int) (int, error) {
	a, err := c.int(attribute, def)
	if err != nil {
		return 0, err
	}
	return wrapAxis(a, rank)
}

func wrapAxis(a int64, rank int) (int, error) {
	if a < 0 {
		a += int64(rank)
	}
	if a < 0 || a >= int64(rank) {
		return 0, misfit{fmt.Errorf("axis %d of a value of %d dimensions", a, rank)}
	}
	return int(a), nil
}

// wrapAxes resolves a list of axes to increasing positions.
func wrapAxes(axes []int64, rank int) ([]int, error) {
	var all []int
	for _, a := range axes {
		w, err := wrapAxis(a, rank)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
