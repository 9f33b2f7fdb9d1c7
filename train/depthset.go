package train

import "fmt"

// Normalization says which depths of a net have normalization statistics (and scales and offsets) in common.
type Normalization string

const (
	// Shared is one set for all depths; its moments are taken over all of them together.
	Shared Normalization = "shared"
	// PerDepth is a set for each depth from the block on where it parts from the others.
	PerDepth Normalization = "per-depth"
	// PerStage is a set for each depth of the block's own stage, as Adaptive Depth Networks (arXiv 2312.16392) have it.
	PerStage Normalization = "per-stage"
)

// normSets tells which set of normalization variables a path uses.
type normSets struct {
	kind    Normalization
	trained []Depth
}

// key names the set that depth d uses in a block of a stage (block 0 is what leads into the stage); "" is the only one.
// Depths that were not trained have no set of their own.
func (n normSets) key(d Depth, stage, block int) (string, error) {
	switch n.kind {
	case PerDepth:
		for _, q := range n.trained {
			if sameTrace(d, q, stage, block) {
				return q.String(), nil
			}
		}
		return "", fmt.Errorf("depth %s was not trained: per-depth normalization serves only trained depths", d)
	case PerStage:
		if stage >= len(d) {
			return "", nil
		}
		for _, q := range n.trained {
			if q[stage] == d[stage] {
				return fmt.Sprint(d[stage]), nil
			}
		}
		return "", fmt.Errorf("depth %s: stage %d was not trained at depth %d: per-stage normalization serves only combinations of trained stages",
			d, stage+1, d[stage])
	default:
		return "", nil
	}
}

// sameTrace says whether both depths take the same blocks before and including the given one.
func sameTrace(d, q Depth, stage, block int) bool {
	for s := range min(stage, len(d)) {
		if d[s] != q[s] {
			return false
		}
	}
	return stage >= len(d) || (d[stage] >= block && q[stage] >= block)
}
