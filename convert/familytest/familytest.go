// Package familytest makes small families with random weights for tests:
// residual networks whose depth varies, written the way the trainer writes
// them, to the last file.
package familytest

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"

	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/onnx"
)

// Spec describes a family. Weights follow from names and Seed alone, so that
// blocks of the same name are equal in all variants of a net.
type Spec struct {
	Variants []Variant
	Widths   []int // channels of each stage; every stage but the first halves the image
	Size     int   // height and width of the input
	Classes  int
	Seed     uint64
	// PrivateNorm gives every variant BatchNorm statistics of its own.
	PrivateNorm bool
	// Edit, if set, changes a model before it is written.
	Edit func(variant string, m *onnx.ModelProto)
}

// Variant is a net at a depth.
type Variant struct {
	Net   string
	Depth []int
}

// Small is two nets of two depths each, with blocks large enough to be shared.
func Small() Spec {
	return Spec{
		Variants: []Variant{{"A", []int{1, 1}}, {"A", []int{2, 2}}, {"B", []int{1, 1}}, {"B", []int{3, 2}}},
		Widths:   []int{32, 48}, Size: 12, Classes: 5, Seed: 1,
	}
}

// Write writes the family into folder dir and returns it.
func Write(dir string, s Spec) (*family.Family, error) {
	ext, err := onnx.NewExternalWriter(dir, "weights.bin")
	if err != nil {
		return nil, err
	}
	defer ext.Discard()
	f := header(s.Size, s.Classes)
	for _, v := range s.Variants {
		entry := family.Variant{Name: v.name(), Net: v.Net, Depth: v.Depth, Model: v.name() + ".onnx"}
		m := Model(s, v)
		if s.Edit != nil {
			s.Edit(v.name(), m)
		}
		if err := onnx.Save(filepath.Join(dir, entry.Model), m, ext); err != nil {
			return nil, err
		}
		f.Variants = append(f.Variants, entry)
	}
	if err := ext.Close(); err != nil {
		return nil, err
	}
	return f, family.Write(dir, f)
}

func (v Variant) name() string {
	name := "net-" + v.Net
	for _, d := range v.Depth {
		name += fmt.Sprintf("-%d", d)
	}
	return name
}

// Model builds one variant.
func Model(s Spec, v Variant) *onnx.ModelProto {
	b := &builder{spec: s, net: v.Net, variant: v.name(), graph: &onnx.GraphProto{Name: v.name()}}
	b.graph.Input = []*onnx.ValueInfoProto{onnx.FloatValue("image", 1, 3, int64(s.Size), int64(s.Size))}
	b.graph.Output = []*onnx.ValueInfoProto{onnx.FloatValue("logits", 1, int64(s.Classes))}
	at := b.relu("stem", b.conv("stem", "image", 3, s.Widths[0], 3, 1))
	channels := s.Widths[0]
	for stage, blocks := range v.Depth {
		for block := range blocks {
			stride := 1
			if stage > 0 && block == 0 {
				stride = 2
			}
			at = b.block(fmt.Sprintf("s%d.b%d", stage+1, block+1), at, channels, s.Widths[stage], stride)
			channels = s.Widths[stage]
		}
	}
	return b.head(at, channels)
}

type builder struct {
	spec         Spec
	net, variant string
	graph        *onnx.GraphProto
}

// block is a basic residual block with a projection where the shape changes.
func (b *builder) block(name, in string, from, to, stride int) string {
	main := b.relu(name+".1", b.conv(name+".1", in, from, to, 3, stride))
	main = b.conv(name+".2", main, to, to, 3, 1)
	skip := in
	if from != to || stride != 1 {
		skip = b.conv(name+".skip", in, from, to, 1, stride)
	}
	return b.relu(name, b.add("Add", name+".add", name+".sum", []string{main, skip}))
}

// conv is a convolution and its normalization.
func (b *builder) conv(name, in string, from, to, kernel, stride int) string {
	b.tensor(name+".w", []int{to, from, kernel, kernel}, 0.15)
	k, st, p := int64(kernel), int64(stride), int64(kernel/2)
	out := b.add("Conv", name+".conv", name+".c", []string{in, name + ".w"},
		onnx.IntsAttribute("kernel_shape", k, k), onnx.IntsAttribute("strides", st, st), onnx.IntsAttribute("pads", p, p, p, p))
	inputs := append([]string{out}, b.statistics(name, to)...)
	return b.add("BatchNormalization", name+".bn", name+".n", inputs, onnx.FloatAttribute("epsilon", 1e-5))
}

// statistics makes scale, shift, mean and variance and returns their names.
func (b *builder) statistics(name string, channels int) []string {
	var names []string
	for _, part := range []string{"scale", "shift", "mean", "var"} {
		b.norm(name+"."+part, channels, part == "scale" || part == "var")
		names = append(names, name+"."+part)
	}
	return names
}

func (b *builder) relu(name, in string) string {
	return b.add("Relu", name+".relu", name+".r", []string{in})
}

func (b *builder) add(op, name, out string, in []string, attributes ...*onnx.AttributeProto) string {
	b.graph.Node = append(b.graph.Node, onnx.NewNode(op, name, in, []string{out}, attributes...))
	return out
}

// tensor makes an initializer with values of even distribution around zero.
func (b *builder) tensor(name string, shape []int, spread float32) {
	b.values(name, shape, b.net, func(r *rand.Rand) float32 { return spread * (2*r.Float32() - 1) })
}

// norm makes a normalization statistic, around one where positive is set.
func (b *builder) norm(name string, channels int, positive bool) {
	owner := b.net
	if b.spec.PrivateNorm {
		owner = b.variant
	}
	b.values(name, []int{channels}, owner, func(r *rand.Rand) float32 {
		if positive {
			return 0.5 + r.Float32()
		}
		return 0.2 * (2*r.Float32() - 1)
	})
}

func (b *builder) values(name string, shape []int, owner string, next func(*rand.Rand) float32) {
	state := b.spec.Seed
	for _, c := range owner + "/" + name {
		state = state*1099511628211 + uint64(c)
	}
	r := rand.New(rand.NewPCG(state, 0))
	count, dims := 1, make([]int64, len(shape))
	for i, d := range shape {
		count *= d
		dims[i] = int64(d)
	}
	data := make([]float32, count)
	for i := range data {
		data[i] = next(r)
	}
	b.graph.Initializer = append(b.graph.Initializer, onnx.FloatTensor(name, dims, data))
}
