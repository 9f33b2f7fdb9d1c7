package arch

// LayerCost is what one layer with weights costs: multiplications with accumulation for one image, and the bytes of its
// weights in float32. A normalization folds into the convolution before it and counts as that one's offset.
type LayerCost struct {
	Name  string
	MACs  int64
	Bytes int64
}

// Cost is the layers of one network in order. Layers of equal name are the same weights.
type Cost []LayerCost

// MACs of the whole network.
func (c Cost) MACs() int64 {
	var n int64
	for _, l := range c {
		n += l.MACs
	}
	return n
}

// SharedMACs are those of the layers with which both networks begin: what need not be computed again for the same image.
func (c Cost) SharedMACs(other Cost) int64 {
	var n int64
	for i, l := range c {
		if i >= len(other) || other[i].Name != l.Name {
			break
		}
		n += l.MACs
	}
	return n
}

// Bytes of the weights of all networks together, layers of equal name once.
func Bytes(networks ...Cost) int64 {
	seen := map[string]bool{}
	var n int64
	for _, c := range networks {
		for _, l := range c {
			if !seen[l.Name] {
				seen[l.Name] = true
				n += l.Bytes
			}
		}
	}
	return n
}

// CostOf a network of the given depth for images [height, width, channels]. Where depths have normalization sets of their
// own, set names the one in use at a place (see [Layers.At]): weights that it is folded into are shared only under the
// same name. A nil set is one set for all.
func CostOf(a Architecture, depth []int, classes int, image [3]int, set func(stage, block int) string) Cost {
	c := &costLayers{set: set}
	Forward(c, a, depth, classes, shape(image[:]))
	return c.cost
}

const floatBytes = 4

type shape []int

type costLayers struct {
	cost         Cost
	set          func(stage, block int) string
	stage, block int
}

func (c *costLayers) At(stage, block int) { c.stage, c.block = stage, block }

func (c *costLayers) Shape(x Value) []int { return x.(shape) }

func (c *costLayers) layer(name string, macs, weights int) {
	c.cost = append(c.cost, LayerCost{name, int64(macs), floatBytes * int64(weights)})
}

func (c *costLayers) Conv(name string, x Value, conv Conv) Value {
	s := x.(shape)
	pad := (conv.Size - 1) / 2
	out := func(n int) int { return (n+2*pad-conv.Size)/conv.Stride + 1 }
	y := shape{out(s[0]), out(s[1]), conv.Out}
	weights := conv.Size * conv.Size * s[2] * conv.Out
	if conv.Depthwise {
		weights = conv.Size * conv.Size * conv.Out
	}
	c.layer(name, y[0]*y[1]*weights, weights)
	return y
}

func (c *costLayers) Norm(_ string, x Value, _ float32) Value {
	last := &c.cost[len(c.cost)-1]
	last.Bytes += floatBytes * int64(channels(c, x))
	if c.set != nil {
		last.Name += "@" + c.set(c.stage, c.block)
	}
	return x
}

func (c *costLayers) LayerNorm(name string, x Value) Value {
	c.layer(name, 0, 2*channels(c, x))
	return x
}

func (c *costLayers) Activate(_ string, _ Activation, x Value) Value { return x }

func (c *costLayers) Add(_ string, x, _ Value) Value { return x }

func (c *costLayers) Linear(name string, x Value, out int, _ float32) Value {
	s := x.(shape)
	in := s[len(s)-1]
	rows := elements(s) / in
	c.layer(name, rows*in*out, (in+1)*out)
	return append(append(shape{}, s[:len(s)-1]...), out)
}

func (c *costLayers) Tokens(_ string, x Value) Value {
	s := x.(shape)
	return shape{s[0] * s[1], s[2]}
}

func (c *costLayers) Positions(name string, x Value) Value {
	c.layer(name, 0, elements(x.(shape)))
	return x
}

func (c *costLayers) Attention(name string, qkv Value, _ int) Value {
	s := qkv.(shape)
	width := s[1] / 3
	c.layer(name, 2*s[0]*s[0]*width, 0)
	return shape{s[0], width}
}

func (c *costLayers) Mean(_ string, x Value) Value { return shape{channels(c, x)} }

func elements(s []int) int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}
