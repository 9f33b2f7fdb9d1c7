// Package arch describes networks as stages of skippable blocks, apart from who runs them: the trainer, the ONNX exporter
// and the cost model each implement [Layers], so that an architecture is written once, in one file.
package arch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Value is a tensor of a network under construction; what it is belongs to the implementation of [Layers].
type Value any

// Layers is what architectures are built of. Values have the shapes [height, width, channels] or [tokens, channels], the
// batch left out. Names are those of the weights and must differ within a network.
type Layers interface {
	// At says where what follows belongs: the blocks of a stage count from 1, its entry is block 0. The stem is the entry
	// of stage 0, and the head that of the stage after the last.
	At(stage, block int)
	// Shape of a value, without the batch.
	Shape(x Value) []int
	// Conv is a convolution without bias, padded by (size-1)/2 on each side.
	Conv(name string, x Value, c Conv) Value
	// Norm is batch normalization of each channel with a learned scale, which starts at the given one, and offset.
	Norm(name string, x Value, scale float32) Value
	// LayerNorm normalizes each token over its channels, with a learned scale and offset.
	LayerNorm(name string, x Value) Value
	// Activate applies a function to each element.
	Activate(name string, f Activation, x Value) Value
	// Add adds two values of equal shape.
	Add(name string, x, y Value) Value
	// Linear multiplies the last axis by a learned matrix and adds a learned vector. The matrix starts at scale times the
	// usual random one.
	Linear(name string, x Value, out int, scale float32) Value
	// Tokens turns [height, width, channels] into [height*width, channels].
	Tokens(name string, x Value) Value
	// Positions adds a learned tensor of x's shape.
	Positions(name string, x Value) Value
	// Attention is softmax(q kᵀ / √d) v for each head, where q, k and v are the thirds of qkv [tokens, 3*channels], and
	// d is channels/heads; the result is [tokens, channels].
	Attention(name string, qkv Value, heads int) Value
	// Mean is the mean over all axes but the last: [channels].
	Mean(name string, x Value) Value
}

// Conv is a convolution's form.
type Conv struct {
	Out, Size, Stride int
	// Depthwise convolves each channel by itself; Out is the number of channels then.
	Depthwise bool
}

// Activation is an element-wise function.
type Activation int

// The activations.
const (
	ReLU Activation = iota
	ReLU6
	GELU // x Φ(x), by erf
)

// Architecture is a network as stages of skippable blocks: stem, then for each stage its entry and as many of its blocks
// as the depth says, then the head. Stages count from 0, blocks from 1.
type Architecture interface {
	Stem(l Layers, images Value) Value
	// Enter leads into a stage, where resolution and width may change; it may do nothing.
	Enter(l Layers, stage int, x Value) Value
	// Block keeps the shape of x and can be left out.
	Block(l Layers, stage, block int, x Value) Value
	Head(l Layers, x Value, classes int) Value
}

// Config chooses an architecture and its width. Which fields a kind uses stands at its constructor.
type Config struct {
	// Kind names the architecture; empty is resnet.
	Kind string `yaml:"arch,omitempty"`
	// Stem is the number of channels after the stem.
	Stem int `yaml:"stem"`
	// StemStride is by how much the stem lowers the resolution; 0 is 2.
	StemStride int `yaml:"stem_stride,omitempty"`
	// Channels of each stage.
	Channels []int `yaml:"channels"`
	// Strides of the stages' entries; empty is 1 for the first stage and 2 for the others.
	Strides []int `yaml:"strides,omitempty"`
	// Expand is the widening inside a block.
	Expand int `yaml:"expand,omitempty"`
	// Heads of the attention.
	Heads int `yaml:"heads,omitempty"`
}

type kind struct {
	defaults Config // of the fields that the kind uses beside Stem and Channels
	flat     bool   // all stages have one resolution
	make     func(Config) (Architecture, error)
}

var kinds = map[string]kind{}

// Kinds lists the architectures' names.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// A FieldError says which field of a [Config] is wrong, by its YAML name.
type FieldError struct{ Field, Want string }

func (e *FieldError) Error() string { return e.Field + ": " + e.Want }

func wrong(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

// New checks the configuration and returns the architecture. Errors are of type [*FieldError].
func New(c Config) (Architecture, error) {
	if c.Kind == "" {
		c.Kind = "resnet"
	}
	k, ok := kinds[c.Kind]
	if !ok {
		return nil, wrong("arch", "is %q, must be one of %s", c.Kind, strings.Join(Kinds(), ", "))
	}
	c.StemStride = or(c.StemStride, k.defaults.StemStride)
	if len(c.Channels) < 1 || len(c.Channels) > 8 {
		return nil, wrong("channels", "must have 1 to 8 stages")
	}
	for i, ch := range append([]int{c.Stem}, c.Channels...) {
		field := "stem"
		if i > 0 {
			field = fmt.Sprintf("channels[%d]", i-1)
		}
		if ch < 8 || ch > 4096 || ch%8 != 0 {
			return nil, wrong(field, "must be a multiple of 8, up to 4096")
		}
	}
	most := 2
	if k.flat {
		most = 1
	}
	if len(c.Strides) == 0 {
		c.Strides = append([]int{1}, slices.Repeat([]int{most}, len(c.Channels)-1)...)
	}
	if len(c.Strides) != len(c.Channels) {
		return nil, wrong("strides", "must name as many stages as channels")
	}
	for i, s := range c.Strides {
		switch {
		case k.flat && s != 1:
			return nil, wrong(fmt.Sprintf("strides[%d]", i), "must be 1: all stages of %s have one resolution", c.Kind)
		case s != 1 && s != 2:
			return nil, wrong(fmt.Sprintf("strides[%d]", i), "must be 1 or 2")
		}
	}
	for _, f := range []struct {
		name         string
		value, usual int
	}{{"expand", c.Expand, k.defaults.Expand}, {"heads", c.Heads, k.defaults.Heads}} {
		switch {
		case f.value != 0 && f.usual == 0:
			return nil, wrong(f.name, "does not belong to %s", c.Kind)
		case f.value < 0 || f.value > 64:
			return nil, wrong(f.name, "must be 1 to 64")
		}
	}
	c.Expand, c.Heads = or(c.Expand, k.defaults.Expand), or(c.Heads, k.defaults.Heads)
	return k.make(c)
}

func or(value, usual int) int {
	if value == 0 {
		return usual
	}
	return value
}

// Forward builds the network of one depth, blocks per stage, and returns its logits.
func Forward(l Layers, a Architecture, depth []int, classes int, images Value) Value {
	l.At(0, 0)
	x := a.Stem(l, images)
	for stage, blocks := range depth {
		l.At(stage, 0)
		x = a.Enter(l, stage, x)
		for block := 1; block <= blocks; block++ {
			l.At(stage, block)
			x = a.Block(l, stage, block, x)
		}
	}
	l.At(len(depth), 0)
	return a.Head(l, x, classes)
}

func channels(l Layers, x Value) int {
	s := l.Shape(x)
	return s[len(s)-1]
}
