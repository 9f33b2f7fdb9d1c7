package train

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/fathom-edge/fathom/train/arch"
	"github.com/fathom-edge/fathom/train/dataset"
	"github.com/fathom-edge/fathom/train/fastcpu"
)

// The paths of one net in training mode equal a net that is written out path by path, whose normalization takes its
// moments over the concatenated activations of the paths that pass and have a set of statistics in common.
func TestNormalizationEqualsPathByPath(t *testing.T) {
	depths := []Depth{{3, 2}, {2, 2}, {1, 1}}
	for _, c := range []struct {
		norm Normalization
		// set says which one a path uses in a stage.
		set func(d Depth, stage int) string
	}{
		{Shared, func(Depth, int) string { return "" }},
		{PerStage, func(d Depth, stage int) string { return fmt.Sprint(d[stage]) }},
		// Paths that have come the same way have one set.
		{PerDepth, func(d Depth, stage int) string { return fmt.Sprint(d[:stage]) }},
	} {
		t.Run(string(c.norm), func(t *testing.T) { testNormalization(t, depths, c.norm, c.set) })
	}
}

func testNormalization(t *testing.T, depths []Depth, norm Normalization, set func(d Depth, stage int) string) {
	backend, err := fastcpu.New()
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	a, err := arch.New(arch.Config{Stem: 16, Channels: []int{16, 32}})
	if err != nil {
		t.Fatal(err)
	}
	newNet := func(scope *model.Scope) *net {
		return &net{arch: a, name: "a", scope: scope, seed: 1, classes: 5, mode: learn, sets: normSets{norm, depths}, depths: depths}
	}
	images := tensors.FromFlatDataAndDimensions(blobImages(t, 6), 6, blobSize, blobSize, 3)
	exec, err := model.NewExec(backend, store, func(scope *model.Scope, images *graph.Node) []*graph.Node {
		fast, err := newNet(scope).logits(images)
		if err != nil {
			t.Error(err)
		}
		return append(fast, pathByPath(newNet(scope), images, set)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Call(images)
	if err != nil {
		t.Fatal(err)
	}
	for i := range depths {
		got, want := tensors.MustCopyFlatData[float32](out[i]), tensors.MustCopyFlatData[float32](out[i+len(depths)])
		for j := range want {
			if math.Abs(float64(got[j]-want[j])) > 1e-4 {
				t.Fatalf("depth %s: logit %d is %v, want %v", depths[i], j, got[j], want[j])
			}
		}
	}
}

func blobImages(t *testing.T, n int) []float32 {
	t.Helper()
	l, err := dataset.NewLoader(blobs{}, dataset.Options{Batch: n})
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range l.Evaluate(context.Background(), dataset.Train, n) {
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(b.Images)
	}
	return nil
}

// pathByPath computes every path on its own rows, and joins those of one set only to normalize.
func pathByPath(n *net, images *graph.Node, set func(d Depth, stage int) string) []*graph.Node {
	depths, widths := n.depths, []int{16, 32}
	conv := func(name string, x *graph.Node, out, stride int) *graph.Node {
		one := stack{x, x.Shape().Dimensions[0], [][]int{{0}}}
		return n.Conv(name, one, arch.Conv{Out: out, Size: 3, Stride: stride}).(stack).x
	}
	relu := func(x *graph.Node) *graph.Node { return graph.Max(x, graph.ZerosLike(x)) }
	normalize := func(norm string, xs []*graph.Node, scale float32) []*graph.Node {
		rows, channels := xs[0].Shape().Dimensions[0], xs[0].Shape().Dimensions[3]
		gamma := n.scope.At("%s", n.name).At("%s", norm).VariableWithValue("weight", constant(scale, channels)).NodeValue(xs[0])
		all := join(xs)
		mean := graph.ReduceAndKeep(all, graph.ReduceMean, 0, 1, 2)
		d := graph.Sub(all, mean)
		variance := graph.ReduceAndKeep(graph.Mul(d, d), graph.ReduceMean, 0, 1, 2)
		all = graph.Mul(graph.Div(d, graph.Sqrt(graph.AddScalar(variance, normEpsilon))), graph.Reshape(gamma, 1, 1, 1, channels))
		ys := make([]*graph.Node, len(xs))
		for i := range ys {
			ys[i] = graph.Slice(all, graph.AxisRange(i*rows, (i+1)*rows))
		}
		return ys
	}
	xs := make([]*graph.Node, len(depths))
	for i := range xs {
		xs[i] = images
	}
	// layer applies a convolution to the given paths and normalizes each set by itself.
	layer := func(name string, stage int, paths []int, xs []*graph.Node, channels, stride int, scale float32) []*graph.Node {
		members, ys := map[string][]int{}, make([]*graph.Node, len(xs))
		for i, p := range paths {
			key := set(depths[p], stage)
			members[key] = append(members[key], i)
		}
		for _, key := range slices.Sorted(maps.Keys(members)) {
			var in []*graph.Node
			for _, i := range members[key] {
				in = append(in, conv(name, xs[i], channels, stride))
			}
			for k, y := range normalize(name+" of "+key, in, scale) {
				ys[members[key][k]] = y
			}
		}
		return ys
	}
	each := func(xs []*graph.Node, f func(*graph.Node) *graph.Node) []*graph.Node {
		for i := range xs {
			xs[i] = f(xs[i])
		}
		return xs
	}
	all := []int{0, 1, 2}
	xs = each(layer("stem.conv", 0, all, xs, 16, 2, 1), relu)
	for s, channels := range widths {
		if s > 0 {
			xs = each(layer(fmt.Sprintf("transition%d.conv", s+1), s, all, xs, channels, 2, 1), relu)
		}
		for k := 1; k <= depths[0][s]; k++ {
			var on []int
			var in []*graph.Node
			for p, d := range depths {
				if d[s] >= k {
					on, in = append(on, p), append(in, xs[p])
				}
			}
			name := fmt.Sprintf("stage%d.block%d", s+1, k)
			ys := each(layer(name+".conv1", s, on, in, channels, 1, 1), relu)
			ys = layer(name+".conv2", s, on, ys, channels, 1, 0.2)
			for i, p := range on {
				xs[p] = relu(graph.Add(xs[p], ys[i]))
			}
		}
	}
	return each(xs, func(x *graph.Node) *graph.Node {
		pooled := stack{graph.ReduceMean(x, 1, 2), x.Shape().Dimensions[0], [][]int{{0}}}
		return n.Linear("head", pooled, n.classes, 1).(stack).x
	})
}
