// Package matrix runs many small trainings that differ in one thing each, with several seeds, and compares what they gave.
//
// A cell is one training. Its result is a file of its own, written when it is done, so that a matrix can be ended and gone
// on with at any time; cells in progress resume from their checkpoints.
package matrix

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fathom-edge/fathom/train"
)

// Cell is one training of a matrix.
type Cell struct {
	// Method names what is compared: cells that differ only in the seed have it in common.
	Method string
	Config *train.Config
	// Extra paths to measure besides those that are trained.
	Extra []train.Path
}

// Name is the cell's file name without extension.
func (c Cell) Name() string { return fmt.Sprintf("%s-seed%d", c.Method, c.Config.Seed) }

func (c Cell) isAlone() bool { return strings.HasPrefix(c.Method, Alone) }

// The methods of a comparison. Alone is followed by the depth.
const (
	Cooperative = "cooperative"
	Alone       = "alone-"
	Embedded    = "embedded"
	Extremes    = "extremes"
)

// with is a copy of the configuration with another seed and an edit.
func with(base *train.Config, seed uint64, edit func(*train.Config)) *train.Config {
	c := *base
	c.Seed = seed
	if edit != nil {
		edit(&c)
	}
	return &c
}

// offered lists the depths of both Teammates once, deepest first: by the number of blocks.
func offered(n train.Net) []train.Depth {
	depths := slices.Concat(n.A, n.B)
	slices.SortStableFunc(depths, func(a, b train.Depth) int { return blocks(b) - blocks(a) })
	return slices.CompactFunc(depths, func(a, b train.Depth) bool { return slices.Equal(a, b) })
}

func blocks(d train.Depth) int {
	n := 0
	for _, b := range d {
		n += b
	}
	return n
}

// Compare returns the cells that set the cooperative method beside its rivals, for one seed. All see the same images.
//
//	cooperative   the configuration as it is
//	alone-D       each offered depth D by itself, with cross-entropy; the deepest is also truncated to the others
//	embedded      one net of all offered depths: CE for the full one, the mean of KL from it to each other (arXiv
//	              2103.00793; without the self-attention term, which needs features of the layers)
//	extremes      one net of the deepest depth and its half (the mandatory blocks of arXiv 2312.16392), half CE for the
//	              full one, half KL from it to the other at temperature 1, normalization sets per stage; all combinations
//	              are measured
func Compare(base *train.Config, seed uint64) ([]Cell, error) {
	depths := offered(base.Net)
	full := depths[0]
	half := make(train.Depth, len(full))
	for s, n := range full {
		half[s] = (n + 1) / 2
	}
	for i := 1; i < len(depths); i++ {
		if !depths[i].Within(depths[i-1]) {
			return nil, fmt.Errorf("matrix: depth %s is not within %s: the rival of one net needs offered depths that lie one in another", depths[i], depths[i-1])
		}
	}
	cells := []Cell{{Method: Cooperative, Config: with(base, seed, nil)}}
	single := func(method string, depths []train.Depth, edit func(*train.Config)) Cell {
		return Cell{Method: method, Config: with(base, seed, func(c *train.Config) {
			c.Net.Leader, c.Net.A, c.Net.B = nil, depths, nil
			c.Loss = train.Loss{CE: 1}
			if edit != nil {
				edit(c)
			}
		})}
	}
	cells = append(cells, single(Embedded, depths, func(c *train.Config) {
		c.Loss.FromTeammate = train.Distillation{Weight: 1 / float64(len(depths)-1), Temperature: 1}
	}))
	extremes := single(Extremes, []train.Depth{full, half}, func(c *train.Config) {
		c.Net.Norm = train.PerStage
		c.Loss = train.Loss{CE: 0.5, FromTeammate: train.Distillation{Weight: 0.5, Temperature: 1}}
	})
	for _, d := range combinations(full, half) {
		if !slices.Equal(d, full) && !slices.Equal(d, half) {
			extremes.Extra = append(extremes.Extra, train.Path{Net: "A", Depth: d})
		}
	}
	cells = append(cells, extremes)
	for i, d := range depths {
		cell := single(Alone+d.String(), []train.Depth{d}, nil)
		if i == 0 {
			for _, shallower := range depths[1:] {
				cell.Extra = append(cell.Extra, train.Path{Net: "A", Depth: shallower})
			}
		}
		cells = append(cells, cell)
	}
	return cells, nil
}

// combinations takes each stage from either depth.
func combinations(a, b train.Depth) []train.Depth {
	list := []train.Depth{{}}
	for s := range a {
		var longer []train.Depth
		for _, d := range list {
			for _, n := range slices.Compact([]int{a[s], b[s]}) {
				longer = append(longer, append(slices.Clone(d), n))
			}
		}
		list = longer
	}
	return list
}

// Ablate returns the cells with one thing changed each, and the unchanged one, for one seed.
func Ablate(base *train.Config, seed uint64) []Cell {
	cells := []Cell{{Method: Cooperative, Config: with(base, seed, nil)}}
	for _, v := range variations {
		cells = append(cells, Cell{Method: v.name, Config: with(base, seed, v.edit)})
	}
	return cells
}

var variations = []struct {
	name string
	edit func(*train.Config)
}{
	{"without-sub_ce", func(c *train.Config) { c.Loss.SubCE = 0 }},
	{"without-from_leader", func(c *train.Config) { c.Loss.FromLeader.Weight = 0 }},
	{"without-from_mate", func(c *train.Config) { c.Loss.FromMate.Weight = 0 }},
	{"without-from_teammate", func(c *train.Config) { c.Loss.FromTeammate.Weight = 0 }},
	{"norm-per-depth", func(c *train.Config) { c.Net.Norm = train.PerDepth }},
	{"sub_ce-0.3", func(c *train.Config) { c.Loss.SubCE = 0.3 }},
	{"sub_ce-2", func(c *train.Config) { c.Loss.SubCE = 2 }},
	{"temperature-1", temperature(1)},
	{"temperature-4", temperature(4)},
	{"distill_warmup", func(c *train.Config) { c.Loss.DistillWarmup = c.Steps / 3 }},
	{"subs_per_step-1", func(c *train.Config) { c.Loss.SubsPerStep = 1 }},
}

func temperature(t float64) func(*train.Config) {
	return func(c *train.Config) {
		c.Loss.FromLeader.Temperature, c.Loss.FromMate.Temperature, c.Loss.FromTeammate.Temperature = t, t, t
	}
}
