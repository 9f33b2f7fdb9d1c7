package graph

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// Import brings an ONNX model with one float32 image input [N, C, H, W] and one
// output to the graph form, in ONNX's layout and with a batch of one. The
// operators that it knows stand in importers; all nodes that it cannot import
// are listed in the *[UnsupportedError] that it returns.
func Import(m *onnx.ModelProto) (*Graph, error) {
	im := &importer{consts: map[string]*onnx.TensorProto{}, values: map[string]*Node{}}
	og := m.GetGraph()
	for _, t := range og.GetInitializer() {
		im.consts[t.GetName()] = t
	}
	if err := im.input(og); err != nil {
		return nil, err
	}
	for _, n := range og.GetNode() {
		if err := im.node(n); err != nil {
			return nil, err
		}
	}
	if err := im.bad.err(); err != nil {
		return nil, err
	}
	if len(og.GetOutput()) != 1 {
		return nil, fmt.Errorf("graph: the model has %d outputs, need one (export the logits only)", len(og.GetOutput()))
	}
	out, ok := im.values[og.GetOutput()[0].GetName()]
	if !ok {
		return nil, fmt.Errorf("graph: no node writes the output %q (export the model again)", og.GetOutput()[0].GetName())
	}
	return &Graph{Layout: NCHW, Nodes: im.nodes, Output: out}, nil
}

// importer walks the nodes in ONNX's order, which is topological.
type importer struct {
	consts map[string]*onnx.TensorProto
	values map[string]*Node
	nodes  []*Node
	bad    report
}

// input makes the one real input (older models list initializers, too).
func (im *importer) input(og *onnx.GraphProto) error {
	var real []*onnx.ValueInfoProto
	for _, in := range og.GetInput() {
		if im.consts[in.GetName()] == nil {
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
	im.values[name] = n
	im.nodes = append(im.nodes, n)
	return nil
}

// unsupported marks what an importer cannot express, as opposed to a model
// that is broken.
type unsupported struct{ reason string }

func (u unsupported) Error() string { return u.reason }

func unsupportedf(format string, args ...any) error {
	return unsupported{fmt.Sprintf(format, args...)}
}

// node imports one ONNX node. What is unsupported is noted and replaced by a
// placeholder, so that the nodes after it are looked at, too.
func (im *importer) node(n *onnx.NodeProto) error {
	name, op := n.GetName(), n.GetOpType()
	if len(n.GetOutput()) == 0 || n.GetOutput()[0] == "" {
		return fmt.Errorf("graph: %s has no output (export the model again)", onnx.NodeName(n))
	}
	out := n.GetOutput()[0]
	if name == "" {
		name = out
	}
	if d := n.GetDomain(); d != "" && d != "ai.onnx" {
		op = d + "." + op
	}
	if im.constant(n) {
		return nil
	}
	made, err := im.dispatch(op, n)
	var u unsupported
	if errors.As(err, &u) {
		im.bad.nodes = append(im.bad.nodes, Unsupported{name, op, u.reason})
		made, err = &Node{Op: OpIdentity}, nil
	}
	if err != nil {
		return fmt.Errorf("graph: %s: %w", onnx.NodeName(n), err)
	}
	made.Name = name
	if len(made.Weights) > 0 {
		made.Origin = origin(made.Weights)
	}
	im.values[out] = made
	im.nodes = append(im.nodes, made)
	return nil
}

// constant folds Constant nodes, and Identity nodes of constants, away.
func (im *importer) constant(n *onnx.NodeProto) bool {
	var t *onnx.TensorProto
	switch n.GetOpType() {
	case "Constant":
		t, _ = onnx.Tensor(n, "value")
	case "Identity":
		if len(n.GetInput()) == 1 {
			t = im.consts[n.GetInput()[0]]
		}
	}
	if t == nil {
		return false
	}
	im.consts[n.GetOutput()[0]] = t
	return true
}

func (im *importer) dispatch(op string, n *onnx.NodeProto) (*Node, error) {
	switch op {
	case "Conv":
		return im.conv(n)
	case "BatchNormalization":
		return im.batchNorm(n)
	case "Relu":
		return im.unary(n, OpRelu)
	case "Clip":
		return im.clip(n)
	case "Add":
		return im.sum(n)
	case "Mul":
		return im.product(n)
	case "GlobalAveragePool":
		made, err := im.unary(n, OpMean)
		if made != nil {
			made.Attrs.KeepDims = true
		}
		return made, err
	case "ReduceMean":
		return im.reduceMean(n)
	case "AveragePool":
		return im.pool(n, OpAveragePool)
	case "MaxPool":
		return im.pool(n, OpMaxPool)
	case "Flatten":
		return im.flatten(n)
	case "Reshape":
		return im.reshape(n)
	case "Gemm":
		return im.gemm(n)
	case "MatMul":
		return im.matMul(n)
	case "Softmax":
		return im.softmax(n)
	case "Constant":
		return nil, unsupportedf("only a tensor in the attribute \"value\" is supported")
	case "Identity":
		return im.unary(n, OpIdentity)
	case "Pad":
		return im.pad(n)
	}
	return nil, unsupportedf("operator not supported")
}

// inputs returns the values that a node reads; the first count of its inputs
// must be values and the rest absent or constants.
func (im *importer) inputs(n *onnx.NodeProto, count int) ([]*Node, error) {
	var found []*Node
	for i := range count {
		if i >= len(n.GetInput()) {
			return nil, fmt.Errorf("has %d inputs, need %d", len(n.GetInput()), count)
		}
		name := n.GetInput()[i]
		v, ok := im.values[name]
		if !ok && im.consts[name] != nil {
			return nil, unsupportedf("input %q is a constant", name)
		}
		if !ok {
			return nil, fmt.Errorf("reads %q, which no node before it writes", name)
		}
		found = append(found, v)
	}
	return found, nil
}

// proto returns a constant input, nil if it is absent.
func (im *importer) proto(n *onnx.NodeProto, index int) (*onnx.TensorProto, error) {
	if index >= len(n.GetInput()) || n.GetInput()[index] == "" {
		return nil, nil
	}
	name := n.GetInput()[index]
	if t := im.consts[name]; t != nil {
		return t, nil
	}
	if im.values[name] != nil {
		return nil, unsupportedf("input %q must be a constant", name)
	}
	return nil, fmt.Errorf("reads %q, which no node before it writes", name)
}

// floats returns a constant float32 input, nil if it is absent.
func (im *importer) floats(n *onnx.NodeProto, index int) (*Tensor, error) {
	p, err := im.proto(n, index)
	if p == nil {
		return nil, err
	}
	if p.GetDataType() != onnx.TypeFloat {
		return nil, unsupportedf("weights %q are not float32", p.GetName())
	}
	data, err := onnx.Floats(p)
	if err != nil {
		return nil, err
	}
	for _, v := range data {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("weights %q hold a value that is not finite (did the training diverge?)", p.GetName())
		}
	}
	return &Tensor{Shape: toInts(p.GetDims()), Data: data}, nil
}

// required is floats for an input that must be there, with the given rank.
func (im *importer) required(n *onnx.NodeProto, index, rank int) (Tensor, error) {
	t, err := im.floats(n, index)
	if err != nil {
		return Tensor{}, err
	}
	if t == nil || len(t.Data) == 0 {
		return Tensor{}, fmt.Errorf("input %d is missing or empty", index)
	}
	if len(t.Shape) != rank {
		return Tensor{}, unsupportedf("weights have shape %v, need %d dimensions", t.Shape, rank)
	}
	return *t, nil
}

// allow refuses attributes other than those named.
func allow(n *onnx.NodeProto, names ...string) error {
next:
	for _, a := range n.GetAttribute() {
		for _, name := range names {
			if a.GetName() == name {
				continue next
			}
		}
		return unsupportedf("attribute %q is not supported", a.GetName())
	}
	return nil
}

// flag checks that an integer attribute, if there, has the only supported value.
func flag(n *onnx.NodeProto, name string, def, want int64) error {
	v, err := onnx.Int(n, name, def)
	if err == nil && v != want {
		return unsupportedf("%s is %d, need %d", name, v, want)
	}
	return err
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

func origin(weights []Tensor) string {
	h := sha256.New()
	for _, w := range weights {
		fmt.Fprintln(h, w.Shape)
		_ = binary.Write(h, binary.LittleEndian, w.Data)
	}
	return string(h.Sum(nil))
}
