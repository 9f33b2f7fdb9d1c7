package arch

import "fmt"

func init() {
	kinds["mobilenetv2"] = kind{defaults: Config{StemStride: 2, Expand: 6}, make: newMobileNetV2}
}

// mobileNetV2 has inverted residual blocks (arXiv 1801.04381): 1x1 convolution to Expand times the width, depthwise 3x3,
// and a linear 1x1 convolution back, beside an identity shortcut. The entry of a stage is such a block without the
// shortcut, which changes resolution and width. A 1x1 convolution to four times the last stage's width leads to the head.
type mobileNetV2 struct{ Config }

func newMobileNetV2(c Config) (Architecture, error) {
	if c.StemStride != 1 && c.StemStride != 2 {
		return nil, wrong("stem_stride", "must be 1 or 2")
	}
	return mobileNetV2{c}, nil
}

func (m mobileNetV2) Stem(l Layers, x Value) Value {
	x = l.Conv("stem.conv", x, Conv{Out: m.Config.Stem, Size: 3, Stride: m.StemStride})
	return l.Activate("stem.relu", ReLU6, l.Norm("stem.norm", x, 1))
}

func (m mobileNetV2) inverted(l Layers, name string, x Value, out, stride int, scale float32) Value {
	wide := m.Expand * channels(l, x)
	x = l.Conv(name+".expand", x, Conv{Out: wide, Size: 1, Stride: 1})
	x = l.Activate(name+".relu1", ReLU6, l.Norm(name+".norm1", x, 1))
	x = l.Conv(name+".depthwise", x, Conv{Out: wide, Size: 3, Stride: stride, Depthwise: true})
	x = l.Activate(name+".relu2", ReLU6, l.Norm(name+".norm2", x, 1))
	return l.Norm(name+".norm3", l.Conv(name+".project", x, Conv{Out: out, Size: 1, Stride: 1}), scale)
}

func (m mobileNetV2) Enter(l Layers, stage int, x Value) Value {
	return m.inverted(l, fmt.Sprintf("transition%d", stage+1), x, m.Channels[stage], m.Strides[stage], 1)
}

// Block's last normalization starts at a small scale: a deep net begins near a shallow one.
func (m mobileNetV2) Block(l Layers, stage, block int, x Value) Value {
	name := fmt.Sprintf("stage%d.block%d", stage+1, block)
	return l.Add(name+".add", x, m.inverted(l, name, x, m.Channels[stage], 1, 0.2))
}

func (m mobileNetV2) Head(l Layers, x Value, classes int) Value {
	x = l.Conv("last.conv", x, Conv{Out: 4 * channels(l, x), Size: 1, Stride: 1})
	x = l.Activate("last.relu", ReLU6, l.Norm("last.norm", x, 1))
	return l.Linear("head", l.Mean("pool", x), classes, 1)
}
