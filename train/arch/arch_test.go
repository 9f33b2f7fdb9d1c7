package arch

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func architecture(t *testing.T, c Config) Architecture {
	t.Helper()
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The shapes after the stem, each stage's entry and the head, at the sizes that people train at.
func TestShapes(t *testing.T) {
	for _, c := range []struct {
		name string
		Config
		side int
		want []shape
	}{
		{"resnet at 32", Config{Kind: "resnet", Stem: 16, StemStride: 1, Channels: []int{16, 32, 64}}, 32,
			[]shape{{32, 32, 16}, {32, 32, 16}, {16, 16, 32}, {8, 8, 64}, {7}}},
		{"resnet by default", Config{Stem: 16, Channels: []int{16, 32, 64}}, 32,
			[]shape{{16, 16, 16}, {16, 16, 16}, {8, 8, 32}, {4, 4, 64}, {7}}},
		{"resnet at 224", Config{Kind: "resnet", Stem: 64, StemStride: 4, Channels: []int{64, 128, 256, 512}}, 224,
			[]shape{{56, 56, 64}, {56, 56, 64}, {28, 28, 128}, {14, 14, 256}, {7, 7, 512}, {7}}},
		{"resnet on odd sides", Config{Kind: "resnet", Stem: 8, Channels: []int{8, 8}}, 33,
			[]shape{{17, 17, 8}, {17, 17, 8}, {9, 9, 8}, {7}}},
		{"mobilenetv2 at 32", Config{Kind: "mobilenetv2", Stem: 16, StemStride: 1, Channels: []int{16, 24, 32}}, 32,
			[]shape{{32, 32, 16}, {32, 32, 16}, {16, 16, 24}, {8, 8, 32}, {7}}},
		{"mobilenetv2 at 224", Config{Kind: "mobilenetv2", Stem: 32, Channels: []int{16, 24, 32, 96, 160}, Strides: []int{1, 2, 2, 2, 2}}, 224,
			[]shape{{112, 112, 32}, {112, 112, 16}, {56, 56, 24}, {28, 28, 32}, {14, 14, 96}, {7, 7, 160}, {7}}},
		{"vit at 32", Config{Kind: "vit", Stem: 64, Channels: []int{64, 64}}, 32, []shape{{64, 64}, {64, 64}, {64, 64}, {7}}},
		{"vit at 224", Config{Kind: "vit", Stem: 192, StemStride: 16, Heads: 3, Channels: []int{192, 192}}, 224,
			[]shape{{196, 192}, {196, 192}, {196, 192}, {7}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, l := architecture(t, c.Config), &costLayers{}
			x := a.Stem(l, shape{c.side, c.side, 3})
			got := []shape{x.(shape)}
			for stage := range c.Channels {
				x = a.Enter(l, stage, x)
				got = append(got, x.(shape))
				for block := 1; block <= 2; block++ {
					if y := a.Block(l, stage, block, x); !cmp.Equal(y, x) {
						t.Errorf("block %d of stage %d turns %v into %v", block, stage, x, y)
					}
				}
			}
			got = append(got, a.Head(l, x, 7).(shape))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("shapes (-want +got):\n%s", diff)
			}
		})
	}
}

// Computed by hand for images of 16x16: MACs are output pixels times the weights of one output, bytes count the offset
// that a normalization folds into.
func TestCostByHand(t *testing.T) {
	for _, c := range []struct {
		name string
		Config
		depth []int
		want  Cost
	}{
		{"resnet", Config{Stem: 8, Channels: []int{8, 16}}, []int{1, 1}, Cost{
			{"stem.conv@s0b0", 8 * 8 * 27 * 8, 4 * (27*8 + 8)},
			{"stage1.block1.conv1@s0b1", 8 * 8 * 72 * 8, 4 * (72*8 + 8)},
			{"stage1.block1.conv2@s0b1", 8 * 8 * 72 * 8, 4 * (72*8 + 8)},
			{"transition2.conv@s1b0", 4 * 4 * 72 * 16, 4 * (72*16 + 16)},
			{"stage2.block1.conv1@s1b1", 4 * 4 * 144 * 16, 4 * (144*16 + 16)},
			{"stage2.block1.conv2@s1b1", 4 * 4 * 144 * 16, 4 * (144*16 + 16)},
			{"head", 16 * 10, 4 * 17 * 10},
		}},
		{"mobilenetv2", Config{Kind: "mobilenetv2", Stem: 8, Channels: []int{8}, Expand: 2}, []int{1}, Cost{
			{"stem.conv@s0b0", 8 * 8 * 27 * 8, 4 * (27*8 + 8)},
			{"transition1.expand@s0b0", 8 * 8 * 8 * 16, 4 * (8*16 + 16)},
			{"transition1.depthwise@s0b0", 8 * 8 * 9 * 16, 4 * (9*16 + 16)},
			{"transition1.project@s0b0", 8 * 8 * 16 * 8, 4 * (16*8 + 8)},
			{"stage1.block1.expand@s0b1", 8 * 8 * 8 * 16, 4 * (8*16 + 16)},
			{"stage1.block1.depthwise@s0b1", 8 * 8 * 9 * 16, 4 * (9*16 + 16)},
			{"stage1.block1.project@s0b1", 8 * 8 * 16 * 8, 4 * (16*8 + 8)},
			{"last.conv@s1b0", 8 * 8 * 8 * 32, 4 * (8*32 + 32)},
			{"head", 32 * 10, 4 * 33 * 10},
		}},
		{"vit", Config{Kind: "vit", Stem: 8, Channels: []int{8}, Heads: 2, Expand: 2}, []int{1}, Cost{
			{"stem.conv", 4 * 4 * 147 * 8, 4 * 147 * 8},
			{"stem.positions", 0, 4 * 16 * 8},
			{"stage1.block1.norm1", 0, 4 * 2 * 8},
			{"stage1.block1.qkv", 16 * 8 * 24, 4 * 9 * 24},
			{"stage1.block1.attention", 2 * 16 * 16 * 8, 0},
			{"stage1.block1.project", 16 * 8 * 8, 4 * 9 * 8},
			{"stage1.block1.norm2", 0, 4 * 2 * 8},
			{"stage1.block1.mlp1", 16 * 8 * 16, 4 * 9 * 16},
			{"stage1.block1.mlp2", 16 * 16 * 8, 4 * 17 * 8},
			{"last.norm", 0, 4 * 2 * 8},
			{"head", 8 * 10, 4 * 9 * 10},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			place := func(stage, block int) string { return "s" + string(rune('0'+stage)) + "b" + string(rune('0'+block)) }
			got := CostOf(architecture(t, c.Config), c.depth, 10, [3]int{16, 16, 3}, place)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("cost (-want +got):\n%s", diff)
			}
			var macs int64
			for _, l := range c.want {
				macs += l.MACs
			}
			if got.MACs() != macs {
				t.Errorf("%d MACs in all, want %d", got.MACs(), macs)
			}
		})
	}
}

func TestSharedCost(t *testing.T) {
	deep := Cost{{"a", 10, 1}, {"b", 20, 2}, {"c", 30, 4}}
	shallow := Cost{{"a", 10, 1}, {"c", 30, 4}}
	if got := deep.SharedMACs(shallow); got != 10 {
		t.Errorf("shared prefix of %d MACs, want 10: what follows the part is not shared", got)
	}
	if got := shallow[:1].SharedMACs(deep); got != 10 {
		t.Errorf("shared prefix of %d MACs with a longer one, want 10", got)
	}
	if got := Bytes(deep, shallow, Cost{{"d", 0, 8}}); got != 15 {
		t.Errorf("%d bytes together, want 15: equal names once", got)
	}
}

func TestFieldErrors(t *testing.T) {
	good := Config{Stem: 16, Channels: []int{16, 32}}
	for _, c := range []struct {
		field string
		edit  func(*Config)
	}{
		{"arch", func(c *Config) { c.Kind = "renset" }},
		{"stem", func(c *Config) { c.Stem = 12 }},
		{"stem", func(c *Config) { c.Stem = 8192 }},
		{"channels", func(c *Config) { c.Channels = nil }},
		{"channels", func(c *Config) { c.Channels = make([]int, 9) }},
		{"channels[1]", func(c *Config) { c.Channels = []int{16, 0} }},
		{"strides", func(c *Config) { c.Strides = []int{1} }},
		{"strides[0]", func(c *Config) { c.Strides = []int{4, 1} }},
		{"stem_stride", func(c *Config) { c.StemStride = 3 }},
		{"stem_stride", func(c *Config) { c.StemStride = -2 }},
		{"stem_stride", func(c *Config) { c.Kind, c.StemStride = "mobilenetv2", 4 }},
		{"stem_stride", func(c *Config) { c.Kind, c.Channels, c.StemStride = "vit", []int{16, 16}, 64 }},
		{"expand", func(c *Config) { c.Expand = 2 }}, // resnet has none
		{"expand", func(c *Config) { c.Kind, c.Expand = "mobilenetv2", -1 }},
		{"heads", func(c *Config) { c.Kind, c.Heads = "mobilenetv2", 2 }},
		{"heads", func(c *Config) { c.Kind, c.Channels, c.Heads = "vit", []int{16, 16}, 3 }},
		{"channels[1]", func(c *Config) { c.Kind = "vit" }},
		{"strides[1]", func(c *Config) { c.Kind, c.Channels, c.Strides = "vit", []int{16, 16}, []int{1, 2} }},
	} {
		bad := good
		c.edit(&bad)
		_, err := New(bad)
		var wrong *FieldError
		if !errors.As(err, &wrong) || wrong.Field != c.field || wrong.Want == "" {
			t.Errorf("%+v: got %v, want an error of field %s", bad, err, c.field)
		}
	}
	architecture(t, good)
}

func TestKinds(t *testing.T) {
	if diff := cmp.Diff([]string{"mobilenetv2", "resnet", "vit"}, Kinds()); diff != "" {
		t.Error(diff)
	}
}
