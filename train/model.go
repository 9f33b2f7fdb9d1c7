package train

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

type mode int

const (
	infer mode = iota // running averages
	learn             // moments of the batch; running averages move
)

// net builds the graph of one net. It is made anew for each graph.
type net struct {
	name     string
	scope    *model.Scope
	seed     uint64
	stem     int
	channels []int
	classes  int
	mode     mode
	keep     *graph.Node // overrides normMomentum when statistics are re-estimated
}

// stack is the activations of all paths of a net: groups of equal row counts, one below the other. Paths that have not
// parted yet share a group.
type stack struct {
	x      *graph.Node
	rows   int // rows of a group
	groups [][]int
}

func (s stack) group(i int) *graph.Node {
	return graph.Slice(s.x, graph.AxisRange(i*s.rows, (i+1)*s.rows))
}

// each returns a stack of the given groups of s.
func (s stack) pick(keep []int, paths [][]int) stack {
	if len(keep) == len(s.groups) {
		return stack{s.x, s.rows, paths}
	}
	parts := make([]*graph.Node, len(keep))
	for i, g := range keep {
		parts[i] = s.group(g)
	}
	return stack{join(parts), s.rows, paths}
}

func join(parts []*graph.Node) *graph.Node {
	if len(parts) == 1 {
		return parts[0]
	}
	return graph.Concatenate(parts, 0)
}

// logits returns the outputs [batch, classes] of the given depths for images [batch, height, width, 3].
func (n *net) logits(images *graph.Node, depths []Depth) []*graph.Node {
	all := make([]int, len(depths))
	for i := range all {
		all[i] = i
	}
	x := relu(n.norm("stem.norm", n.conv("stem.conv", images, n.stem, 3, 2), 1))
	s := stack{x, images.Shape().Dimensions[0], [][]int{all}}
	width := n.stem
	for stage, channels := range n.channels {
		if stage > 0 || channels != width {
			stride := 2
			if stage == 0 {
				stride = 1
			}
			name := fmt.Sprintf("transition%d", stage+1)
			s.x = relu(n.norm(name+".norm", n.conv(name+".conv", s.x, channels, 3, stride), 1))
			width = channels
		}
		s = n.stage(s, stage, depths)
	}
	pooled := graph.ReduceMean(s.x, 1, 2)
	s.x = n.linear("head", pooled, n.classes)
	out := make([]*graph.Node, len(depths))
	for g, paths := range s.groups {
		for _, p := range paths {
			out[p] = s.group(g)
		}
	}
	return out
}

// stage runs the optional blocks of one stage, each on the rows of the paths that take it.
func (n *net) stage(s stack, stage int, depths []Depth) stack {
	type finished struct {
		x     *graph.Node
		paths []int
	}
	var done []finished
	for block := 1; ; block++ {
		var keep []int
		var going [][]int
		for g, paths := range s.groups {
			var on, off []int
			for _, p := range paths {
				if depths[p][stage] >= block {
					on = append(on, p)
				} else {
					off = append(off, p)
				}
			}
			if len(off) > 0 {
				x := s.x
				if len(s.groups) > 1 {
					x = s.group(g)
				}
				done = append(done, finished{x, off})
			}
			if len(on) > 0 {
				keep, going = append(keep, g), append(going, on)
			}
		}
		if len(going) == 0 {
			break
		}
		s = s.pick(keep, going)
		s.x = n.block(fmt.Sprintf("stage%d.block%d", stage+1, block), s.x)
	}
	slices.SortFunc(done, func(a, b finished) int { return a.paths[0] - b.paths[0] })
	parts := make([]*graph.Node, len(done))
	groups := make([][]int, len(done))
	for i, f := range done {
		parts[i], groups[i] = f.x, f.paths
	}
	return stack{join(parts), s.rows, groups}
}

// block is a basic residual block with an identity shortcut, so that it can be skipped. Its second normalization starts
// at a small scale: a deep net begins near a shallow one.
func (n *net) block(name string, x *graph.Node) *graph.Node {
	c := x.Shape().Dimensions[3]
	y := relu(n.norm(name+".norm1", n.conv(name+".conv1", x, c, 3, 1), 1))
	y = n.norm(name+".norm2", n.conv(name+".conv2", y, c, 3, 1), 0.2)
	return relu(graph.Add(x, y))
}

// normal draws initial weights that depend on the seed and the layer's name alone.
func (n *net) normal(layer string, std float64, dims ...int) *tensors.Tensor {
	h := fnv.New64a()
	h.Write([]byte(n.name + "/" + layer))
	r := rand.New(rand.NewPCG(n.seed, h.Sum64()))
	data := make([]float32, product(dims))
	for i := range data {
		data[i] = float32(r.NormFloat64() * std)
	}
	return tensors.FromFlatDataAndDimensions(data, dims...)
}

func constant(v float32, dims ...int) *tensors.Tensor {
	data := make([]float32, product(dims))
	for i := range data {
		data[i] = v
	}
	return tensors.FromFlatDataAndDimensions(data, dims...)
}

func product(dims []int) int {
	p := 1
	for _, d := range dims {
		p *= d
	}
	return p
}
