package train

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/glyphs"
)

const (
	weightsFile = "weights.bin"
	producer    = "fathom-train"
	inputName   = "input"
	outputName  = "logits"
)

// Export writes the Teammates' variants to a family folder: one ONNX file for each (NCHW, as torch.onnx writes it), their
// weights kept once in weights.bin, and family.json with the accuracies of the report. The Leader is not deployed.
func (t *Trainer) Export(dir string, r *Report) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	weights, err := onnx.NewExternalWriter(dir, weightsFile)
	if err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	defer weights.Discard()
	f := &family.Family{Format: family.Format, Name: t.cfg.Name, Labels: glyphs.Labels[:], Preprocess: Spec()}
	for _, p := range t.Paths() {
		if p.Net == "L" {
			continue
		}
		model, err := t.onnxModel(p)
		if err != nil {
			return fmt.Errorf("train: export %s: %w", p, err)
		}
		v := family.Variant{Name: p.String(), Net: p.Net, Depth: p.Depth, Model: p.String() + ".onnx"}
		if r != nil {
			v.Accuracy = r.Accuracy[p.String()]
		}
		if err := onnx.Save(filepath.Join(dir, v.Model), model, weights); err != nil {
			return fmt.Errorf("train: export: %w", err)
		}
		f.Variants = append(f.Variants, v)
	}
	if err := weights.Close(); err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	return family.Write(dir, f)
}

// exporter writes one path as an ONNX graph. Its first error stays in err.
type exporter struct {
	t     *Trainer
	net   string // in lower case, as in variables and initializers
	graph *onnx.GraphProto
	err   error
}

func (t *Trainer) onnxModel(p Path) (*onnx.ModelProto, error) {
	e := &exporter{t: t, net: p.String()[:1], graph: &onnx.GraphProto{Name: p.String()}}
	e.graph.Input = append(e.graph.Input, onnx.FloatValue(inputName, 1, 3, glyphs.Size, glyphs.Size))
	e.graph.Output = append(e.graph.Output, onnx.FloatValue(outputName, 1, int64(t.classes)))

	x := e.relu("stem.relu", e.convNorm("stem.conv", "stem.norm", inputName, 2))
	width := t.cfg.Net.Stem
	for s, channels := range t.cfg.Net.Channels {
		if name := fmt.Sprintf("transition%d", s+1); s > 0 {
			x = e.relu(name+".relu", e.convNorm(name+".conv", name+".norm", x, 2))
		} else if channels != width {
			x = e.relu(name+".relu", e.convNorm(name+".conv", name+".norm", x, 1))
		}
		for k := range p.Depth[s] {
			name := fmt.Sprintf("stage%d.block%d", s+1, k+1)
			y := e.relu(name+".relu1", e.convNorm(name+".conv1", name+".norm1", x, 1))
			y = e.convNorm(name+".conv2", name+".norm2", y, 1)
			x = e.relu(name+".relu2", e.node("Add", name+".add", x, y))
		}
	}
	x = e.node("GlobalAveragePool", "pool", x)
	x = e.node("Flatten", "flatten", x, onnx.IntAttribute("axis", 1))
	w, dims := e.value("head", "weight")
	e.graph.Node = append(e.graph.Node, onnx.NewNode("Gemm", e.net+".head",
		[]string{x, e.initializer("head.weight", []int64{int64(dims[1]), int64(dims[0])}, permute(w, dims, 1, 0)), e.vector("head", "bias")},
		[]string{outputName}, onnx.FloatAttribute("alpha", 1), onnx.FloatAttribute("beta", 1), onnx.IntAttribute("transB", 1)))
	if e.err != nil {
		return nil, e.err
	}
	return onnx.NewModel(producer, e.graph), nil
}

// node adds an operation with one output, named after itself. Operands are value names or attributes.
func (e *exporter) node(op, name string, operands ...any) string {
	name = e.net + "." + name
	n := onnx.NewNode(op, name, nil, []string{name})
	for _, o := range operands {
		switch o := o.(type) {
		case string:
			n.Input = append(n.Input, o)
		case *onnx.AttributeProto:
			n.Attribute = append(n.Attribute, o)
		}
	}
	e.graph.Node = append(e.graph.Node, n)
	return name
}

func (e *exporter) relu(name, x string) string { return e.node("Relu", name, x) }

func (e *exporter) convNorm(conv, norm, x string, stride int64) string {
	w, d := e.value(conv, "weight")
	var weight string
	if e.err == nil {
		weight = e.initializer(conv+".weight", []int64{int64(d[3]), int64(d[2]), int64(d[0]), int64(d[1])}, permute(w, d, 3, 2, 0, 1))
		pad := int64(d[0]-1) / 2
		x = e.node("Conv", conv, x, weight, onnx.IntsAttribute("dilations", 1, 1), onnx.IntAttribute("group", 1),
			onnx.IntsAttribute("kernel_shape", int64(d[0]), int64(d[1])), onnx.IntsAttribute("pads", pad, pad, pad, pad),
			onnx.IntsAttribute("strides", stride, stride))
	}
	return e.node("BatchNormalization", norm, x, e.vector(norm, "weight"), e.vector(norm, "bias"), e.vector(norm, "running_mean"),
		e.vector(norm, "running_var"), onnx.FloatAttribute("epsilon", normEpsilon), onnx.FloatAttribute("momentum", normMomentum))
}

// value returns a variable's content and dimensions.
func (e *exporter) value(layer, name string) ([]float32, []int) {
	if e.err != nil {
		return nil, make([]int, 4)
	}
	v := e.t.store.RootScope().At("%s", e.net).At("%s", layer).GetVariable(name)
	if v == nil {
		e.err = fmt.Errorf("no weight %s.%s.%s: train at least one step first", e.net, layer, name)
		return nil, make([]int, 4)
	}
	value, err := v.Value()
	if err != nil {
		e.err = errors.Join(e.err, err)
		return nil, make([]int, 4)
	}
	return tensors.MustCopyFlatData[float32](value), v.Shape().Dimensions
}

func (e *exporter) vector(layer, name string) string {
	data, _ := e.value(layer, name)
	return e.initializer(layer+"."+name, []int64{int64(len(data))}, data)
}

func (e *exporter) initializer(name string, dims []int64, data []float32) string {
	name = e.net + "." + name
	e.graph.Initializer = append(e.graph.Initializer, onnx.FloatTensor(name, dims, data))
	return name
}

// permute reorders a row-major tensor: axis i of the result is axis order[i] of data.
func permute(data []float32, dims []int, order ...int) []float32 {
	stride := make([]int, len(dims))
	n := 1
	for i := len(dims) - 1; i >= 0; i-- {
		stride[i] = n
		n *= dims[i]
	}
	out := make([]float32, 0, len(data))
	var walk func(axis, at int)
	walk = func(axis, at int) {
		if axis == len(order) {
			out = append(out, data[at])
			return
		}
		for i := range dims[order[axis]] {
			walk(axis+1, at+i*stride[order[axis]])
		}
	}
	if len(data) > 0 {
		walk(0, 0)
	}
	return out
}
