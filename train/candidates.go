package train

import (
	"context"
	"fmt"
	"slices"

	"github.com/fathom-edge/fathom/train/dataset"
)

// Candidate is a path that could be a rung of the ladder.
type Candidate struct {
	Path Path   `json:"-"`
	Name string `json:"name"`
	// Top1 is the accuracy on the validation split.
	Top1 float64 `json:"top1"`
	// MACs for one image, and Bytes of its weights (float32).
	MACs  int64 `json:"macs"`
	Bytes int64 `json:"bytes"`
	// PrefixMACs are those of the layers with which the deepest path of the net also begins: what is not computed again
	// when the same image goes on to that path.
	PrefixMACs int64 `json:"prefix_macs"`
	// Front says that no other candidate is at least as good in all four respects and better in one.
	Front bool `json:"front"`
	// Rung says that it was chosen.
	Rung bool `json:"rung"`
}

// CandidatePaths lists every per-stage combination of depths of every net, as far as the normalization has statistics for
// it: all with shared ones, combinations of trained stages with sets per stage, and what was trained with sets per depth.
func (c *Config) CandidatePaths() []Path {
	var paths []Path
	for _, m := range c.Net.mates() {
		sets := c.Net.sets(m.name)
		for _, d := range within(m.depths[0]) {
			if sets.serves(d) {
				paths = append(paths, Path{string(m.name[0] &^ 0x20), d})
			}
		}
	}
	return paths
}

// within lists all depths within full.
func within(full Depth) []Depth {
	list := []Depth{{}}
	for _, most := range full {
		var longer []Depth
		for _, d := range list {
			for n := range most + 1 {
				longer = append(longer, append(slices.Clone(d), n))
			}
		}
		list = longer
	}
	return list
}

// serves says whether a depth finds a normalization set at every place.
func (n normSets) serves(d Depth) bool {
	for stage := range len(d) + 1 {
		blocks := 0
		if stage < len(d) {
			blocks = d[stage]
		}
		for block := range blocks + 1 {
			if _, err := n.key(d, stage, block); err != nil {
				return false
			}
		}
	}
	return true
}

// pathsPerGraph is how many candidates are evaluated in one pass over the images.
const pathsPerGraph = 12

// Candidates measures all candidates on the first samples of the validation split. It tells progress how many are done.
func (t *Trainer) Candidates(ctx context.Context, samples int, progress func(done, all int)) ([]Candidate, error) {
	paths := t.cfg.CandidatePaths()
	list := make([]Candidate, 0, len(paths))
	for chunk := range slices.Chunk(paths, pathsPerGraph) {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("train: search: %w", err)
		}
		top1, err := t.Evaluate(chunk, dataset.Validation, samples)
		if err != nil {
			return nil, err
		}
		for i, p := range chunk {
			cost := t.Cost(p)
			deepest := t.Cost(Path{p.Net, t.cfg.Net.sets(p.mate()).trained[0]})
			list = append(list, Candidate{Path: p, Name: p.String(), Top1: top1[i], MACs: cost.MACs(), Bytes: t.Bytes([]Path{p}),
				PrefixMACs: cost.SharedMACs(deepest)})
		}
		progress(len(list), len(paths))
	}
	markFront(list)
	return list, nil
}

func markFront(list []Candidate) {
	for i := range list {
		list[i].Front = !slices.ContainsFunc(list, func(o Candidate) bool { return o.dominates(list[i]) })
	}
}

func (c Candidate) dominates(o Candidate) bool {
	asGood := c.Top1 >= o.Top1 && c.MACs <= o.MACs && c.Bytes <= o.Bytes && c.PrefixMACs >= o.PrefixMACs
	better := c.Top1 > o.Top1 || c.MACs < o.MACs || c.Bytes < o.Bytes || c.PrefixMACs > o.PrefixMACs
	return asGood && better
}
