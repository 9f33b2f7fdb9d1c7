package arch

import "fmt"

func init() {
	kinds["vit"] = kind{defaults: Config{StemStride: 4, Expand: 4, Heads: 4}, flat: true, make: newViT}
}

// viT is a vision transformer (arXiv 2010.11929) with layer normalization before attention and MLP, the mean over tokens
// instead of a class token, and patches of StemStride x StemStride pixels that a convolution of twice that reach embeds.
// All stages have the stem's width and stride 1; stages only group blocks, so that depth can vary early or late.
type viT struct{ Config }

func newViT(c Config) (Architecture, error) {
	switch {
	case c.StemStride < 2 || c.StemStride > 32:
		return nil, wrong("stem_stride", "must be 2 to 32 (the patch size)")
	case c.Stem%c.Heads != 0:
		return nil, wrong("heads", "must divide stem (%d)", c.Stem)
	}
	for i, ch := range c.Channels {
		if ch != c.Stem {
			return nil, wrong(fmt.Sprintf("channels[%d]", i), "must equal stem (%d): all stages of a transformer have one width", c.Stem)
		}
	}
	return viT{c}, nil
}

func (v viT) Stem(l Layers, x Value) Value {
	x = l.Conv("stem.conv", x, Conv{Out: v.Config.Stem, Size: 2*v.StemStride - 1, Stride: v.StemStride})
	return l.Positions("stem.positions", l.Tokens("stem.tokens", x))
}

func (v viT) Enter(_ Layers, _ int, x Value) Value { return x }

// Block's two branches start at a small scale: a deep net begins near a shallow one.
func (v viT) Block(l Layers, stage, block int, x Value) Value {
	name := fmt.Sprintf("stage%d.block%d", stage+1, block)
	width := channels(l, x)
	y := l.Linear(name+".qkv", l.LayerNorm(name+".norm1", x), 3*width, 1)
	y = l.Linear(name+".project", l.Attention(name+".attention", y, v.Heads), width, 0.2)
	x = l.Add(name+".add1", x, y)
	y = l.Linear(name+".mlp1", l.LayerNorm(name+".norm2", x), v.Expand*width, 1)
	y = l.Linear(name+".mlp2", l.Activate(name+".gelu", GELU, y), width, 0.2)
	return l.Add(name+".add2", x, y)
}

func (v viT) Head(l Layers, x Value, classes int) Value {
	return l.Linear("head", l.Mean("pool", l.LayerNorm("last.norm", x)), classes, 1)
}
