package train

import "github.com/fathom-edge/fathom/train/arch"

// Cost of a path's network.
func (t *Trainer) Cost(p Path) arch.Cost {
	s := t.data.Spec()
	sets := t.cfg.Net.sets(p.mate())
	cost := arch.CostOf(t.arch, p.Depth, t.classes(), [3]int{s.Height, s.Width, 3}, func(stage, block int) string {
		key, _ := sets.key(p.Depth, stage, block)
		return key
	})
	for i := range cost {
		cost[i].Name = p.mate() + "." + cost[i].Name
	}
	return cost
}

// Bytes of the weights of all given paths together (float32), what they share once.
func (t *Trainer) Bytes(paths []Path) int64 {
	costs := make([]arch.Cost, len(paths))
	for i, p := range paths {
		costs[i] = t.Cost(p)
	}
	return arch.Bytes(costs...)
}

// TrainingMACs are the multiplications of the forward pass of one image through all that is trained, the mean where
// sub-networks take turns. What paths of one net do alike, before they part, is computed once.
func (t *Trainer) TrainingMACs() int64 {
	var n int64
	turns := t.cfg.turns()
	for turn := range turns {
		for _, m := range t.cfg.Net.mates() {
			var before []arch.Cost
			for _, d := range t.cfg.takes(m.depths, turn) {
				cost := t.Cost(Path{m.name, d})
				shared := int64(0)
				for _, other := range before {
					shared = max(shared, cost.SharedMACs(other))
				}
				n += cost.MACs() - shared
				before = append(before, cost)
			}
		}
	}
	return n / int64(turns)
}
