package arch

import "fmt"

func init() { kinds["resnet"] = kind{defaults: Config{StemStride: 2}, make: newResNet} }

// resNet has basic blocks (two 3x3 convolutions beside an identity shortcut, arXiv 1512.03385). Resolution and width change
// in a convolution at the entry of a stage, so that every block can be left out. The stem is one 3x3 convolution for each
// halving of the resolution, at least one; its stride is 1, 2 or 4.
type resNet struct{ Config }

func newResNet(c Config) (Architecture, error) {
	if s := c.StemStride; s != 1 && s != 2 && s != 4 {
		return nil, wrong("stem_stride", "must be 1, 2 or 4")
	}
	return resNet{c}, nil
}

func convNormReLU(l Layers, name string, x Value, out, stride int) Value {
	x = l.Conv(name+".conv", x, Conv{Out: out, Size: 3, Stride: stride})
	return l.Activate(name+".relu", ReLU, l.Norm(name+".norm", x, 1))
}

func (r resNet) Stem(l Layers, x Value) Value {
	x = convNormReLU(l, "stem", x, r.Config.Stem, min(2, r.StemStride))
	if r.StemStride == 4 {
		x = convNormReLU(l, "stem2", x, r.Config.Stem, 2)
	}
	return x
}

func (r resNet) Enter(l Layers, stage int, x Value) Value {
	if r.Strides[stage] == 1 && channels(l, x) == r.Channels[stage] {
		return x
	}
	return convNormReLU(l, fmt.Sprintf("transition%d", stage+1), x, r.Channels[stage], r.Strides[stage])
}

// Block's second normalization starts at a small scale: a deep net begins near a shallow one.
func (r resNet) Block(l Layers, stage, block int, x Value) Value {
	name := fmt.Sprintf("stage%d.block%d", stage+1, block)
	c := Conv{Out: r.Channels[stage], Size: 3, Stride: 1}
	y := l.Activate(name+".relu1", ReLU, l.Norm(name+".norm1", l.Conv(name+".conv1", x, c), 1))
	y = l.Norm(name+".norm2", l.Conv(name+".conv2", y, c), 0.2)
	return l.Activate(name+".relu2", ReLU, l.Add(name+".add", x, y))
}

func (r resNet) Head(l Layers, x Value, classes int) Value {
	return l.Linear("head", l.Mean("pool", x), classes, 1)
}
