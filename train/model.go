package train

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/fathom-edge/fathom/train/arch"
)

type mode int

const (
	infer mode = iota // running averages
	learn             // moments of the batch; running averages move
)

// net builds the graph of one net at several depths; it implements [arch.Layers] on values of type stack. It is made anew
// for each graph.
type net struct {
	arch    arch.Architecture
	name    string
	scope   *model.Scope
	seed    uint64
	classes int
	mode    mode
	keep    *graph.Node // overrides normMomentum when statistics are re-estimated
	sets    normSets
	depths  []Depth // of the paths
	// stage and block are where the construction stands; see [arch.Layers.At].
	stage, block int
	err          error // the first
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

// with is the same stack with other activations.
func (s stack) with(x *graph.Node) stack { return stack{x, s.rows, s.groups} }

// pick returns a stack of the given groups of s, in order; a group may be taken more than once if none is left out.
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

// logits returns the outputs [batch, classes] of the net's depths for images [batch, height, width, 3].
func (n *net) logits(images *graph.Node) ([]*graph.Node, error) {
	all := make([]int, len(n.depths))
	for i := range all {
		all[i] = i
	}
	stages := len(n.depths[0])
	s := stack{images, images.Shape().Dimensions[0], [][]int{all}}
	n.At(0, 0)
	if n.sets.kind == PerStage {
		s = n.split(s, 0)
	}
	s = n.arch.Stem(n, s).(stack)
	for stage := range stages {
		if n.sets.kind == PerStage && stage > 0 {
			s = n.split(s, stage)
		}
		n.At(stage, 0)
		s = n.arch.Enter(n, stage, s).(stack)
		s = n.blocks(s, stage)
	}
	n.At(stages, 0)
	s = n.arch.Head(n, s, n.classes).(stack)
	out := make([]*graph.Node, len(n.depths))
	for g, paths := range s.groups {
		for _, p := range paths {
			out[p] = s.group(g)
		}
	}
	return out, n.err
}

// split parts the paths whose depth differs in a stage, which then have normalization sets of their own there.
func (n *net) split(s stack, stage int) stack {
	var keep []int
	var groups [][]int
	for g, paths := range s.groups {
		rest := slices.Clone(paths)
		for len(rest) > 0 {
			depth := n.depths[rest[0]][stage]
			var same, other []int
			for _, p := range rest {
				if n.depths[p][stage] == depth {
					same = append(same, p)
				} else {
					other = append(other, p)
				}
			}
			keep, groups, rest = append(keep, g), append(groups, same), other
		}
	}
	return s.pick(keep, groups)
}

// blocks runs the optional blocks of one stage, each on the rows of the paths that take it.
func (n *net) blocks(s stack, stage int) stack {
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
				if n.depths[p][stage] >= block {
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
		n.At(stage, block)
		s = n.arch.Block(n, stage, block, s.pick(keep, going)).(stack)
	}
	slices.SortFunc(done, func(a, b finished) int { return a.paths[0] - b.paths[0] })
	parts := make([]*graph.Node, len(done))
	groups := make([][]int, len(done))
	for i, f := range done {
		parts[i], groups[i] = f.x, f.paths
	}
	return stack{join(parts), s.rows, groups}
}
