package main

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

const classes = 100

// network describes a family with random weights: neither latency nor memory
// depends on what weights say.
type network struct {
	name     string
	size     int // of the input, in pixels a side
	stem     int // channels
	channels []int
	depths   [][]int
	// inverted blocks are MobileNetV2's: 1x1, depthwise 3x3, 1x1 beside a
	// shortcut. The others are ResNet's: two 3x3 beside a shortcut.
	inverted bool
}

const expansion = 6 // of inverted blocks

var networks = []network{
	{name: "resnet", size: 64, stem: 32, channels: []int{32, 64, 128, 256}, depths: [][]int{{1, 1, 1, 1}, {2, 2, 2, 2}, {4, 4, 4, 4}}},
	{name: "mobilenetv2", size: 224, stem: 16, channels: []int{24, 40, 80, 160}, depths: [][]int{{1, 1, 1, 1}, {2, 2, 2, 2}, {4, 4, 4, 4}}, inverted: true},
}

// write writes the family as a trainer would: an ONNX file for each depth, and
// the weights once.
func (n network) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	weights, err := onnx.NewExternalWriter(dir, "weights.bin")
	if err != nil {
		return err
	}
	defer weights.Discard()
	f := &family.Family{Format: family.Format, Name: n.name, Preprocess: preprocess.Spec{
		Width: n.size, Height: n.size, Channels: "RGB", Fit: preprocess.FitCrop,
		Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.25, 0.25, 0.25},
	}}
	for i := range classes {
		f.Labels = append(f.Labels, fmt.Sprintf("class %d", i))
	}
	for _, depth := range n.depths {
		name := "a"
		for _, d := range depth {
			name += fmt.Sprintf("-%d", d)
		}
		v := family.Variant{Name: name, Net: "A", Depth: depth, Model: name + ".onnx"}
		if err := onnx.Save(filepath.Join(dir, v.Model), n.model(depth), weights); err != nil {
			return err
		}
		f.Variants = append(f.Variants, v)
	}
	if err := weights.Close(); err != nil {
		return err
	}
	return family.Write(dir, f)
}

// model is the net at a depth, blocks per stage.
func (n network) model(depth []int) *onnx.ModelProto {
	b := &builder{graph: &onnx.GraphProto{Name: n.name}}
	b.graph.Input = []*onnx.ValueInfoProto{onnx.FloatValue("image", 1, 3, int64(n.size), int64(n.size))}
	b.graph.Output = []*onnx.ValueInfoProto{onnx.FloatValue("logits", 1, classes)}
	at := b.relu(b.conv("stem", "image", window{from: 3, to: n.stem, kernel: 3, stride: 2}))
	from := n.stem
	for stage, to := range n.channels {
		stride := 2
		if stage == 0 && !n.inverted {
			stride = 1
		}
		at = b.enter(fmt.Sprintf("s%d.enter", stage+1), at, n.inverted, from, to, stride)
		for block := range depth[stage] {
			name := fmt.Sprintf("s%d.b%d", stage+1, block+1)
			if n.inverted {
				at = b.op("Add", name+".add", at, b.branch(name, at, to, to, 1))
				continue
			}
			first := b.relu(b.conv(name+".1", at, window{from: to, to: to, kernel: 3, stride: 1}))
			at = b.relu(b.op("Add", name+".add", at, b.conv(name+".2", first, window{from: to, to: to, kernel: 3, stride: 1})))
		}
		from = to
	}
	flat := b.op("Flatten", "flat", b.op("GlobalAveragePool", "pool", at))
	b.weights("head.w", from, classes, from)
	b.weights("head.b", from, classes)
	b.node("Gemm", "logits", []string{flat, "head.w", "head.b"}, onnx.IntAttribute("transB", 1))
	return onnx.NewModel("bench-engine", b.graph)
}

type builder struct{ graph *onnx.GraphProto }

// window is a convolution's geometry; depthwise has as many groups as channels.
type window struct {
	from, to, kernel, stride int
	depthwise                bool
}

// enter changes width and resolution.
func (b *builder) enter(name, in string, inverted bool, from, to, stride int) string {
	if inverted {
		return b.branch(name, in, from, to, stride)
	}
	return b.relu(b.conv(name, in, window{from: from, to: to, kernel: 3, stride: stride}))
}

// branch is an inverted block without its shortcut.
func (b *builder) branch(name, in string, from, to, stride int) string {
	wide := expansion * from
	at := b.relu(b.conv(name+".expand", in, window{from: from, to: wide, kernel: 1, stride: 1}))
	at = b.relu(b.conv(name+".depthwise", at, window{from: wide, to: wide, kernel: 3, stride: stride, depthwise: true}))
	return b.conv(name+".project", at, window{from: wide, to: to, kernel: 1, stride: 1})
}

func (b *builder) conv(name, in string, w window) string {
	group, from := 1, w.from
	if w.depthwise {
		group, from = w.from, 1
	}
	b.weights(name+".w", from*w.kernel*w.kernel, w.to, from, w.kernel, w.kernel)
	b.weights(name+".b", from*w.kernel*w.kernel, w.to)
	k, s, p := int64(w.kernel), int64(w.stride), int64(w.kernel/2)
	return b.node("Conv", name, []string{in, name + ".w", name + ".b"}, onnx.IntAttribute("group", int64(group)),
		onnx.IntsAttribute("kernel_shape", k, k), onnx.IntsAttribute("strides", s, s), onnx.IntsAttribute("pads", p, p, p, p))
}

func (b *builder) relu(in string) string { return b.op("Relu", in+".relu", in) }

func (b *builder) op(op, name string, in ...string) string { return b.node(op, name, in) }

func (b *builder) node(op, name string, in []string, attributes ...*onnx.AttributeProto) string {
	b.graph.Node = append(b.graph.Node, onnx.NewNode(op, name, in, []string{name}, attributes...))
	return name
}

// weights draws a tensor from its name alone, so that blocks are equal in all
// depths. The spread keeps activations in range, as a trained net's are: of
// variance 1/fan-in (LeCun).
func (b *builder) weights(name string, fanIn int, shape ...int) {
	hash := fnv.New64a()
	hash.Write([]byte(name))
	random := rand.New(rand.NewPCG(hash.Sum64(), 0))
	count, dims := 1, make([]int64, len(shape))
	for i, d := range shape {
		count *= d
		dims[i] = int64(d)
	}
	spread := math.Sqrt(3 / float64(fanIn))
	data := make([]float32, count)
	for i := range data {
		data[i] = float32(spread * (2*random.Float64() - 1))
	}
	b.graph.Initializer = append(b.graph.Initializer, onnx.FloatTensor(name, dims, data))
}
