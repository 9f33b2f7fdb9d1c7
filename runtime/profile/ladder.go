package profile

import (
	"cmp"
	"slices"
)

// Ladder orders rungs from the cheapest to the dearest (latency, then MACs,
// then name) and drops those that are not worth having: a rung whose accuracy is
// known stays only if it beats every cheaper rung whose accuracy is known.
// Rungs of unknown accuracy all stay. The argument is not changed.
func Ladder(rungs []Rung) []Rung {
	sorted := slices.Clone(rungs)
	slices.SortFunc(sorted, func(a, b Rung) int {
		return cmp.Or(
			cmp.Compare(a.Cost.Latency, b.Cost.Latency),
			cmp.Compare(a.MACs, b.MACs),
			compareAccuracy(a.Accuracy, b.Accuracy), // of two equal costs the better comes first and wins
			cmp.Compare(a.Variant, b.Variant),
		)
	})
	var kept []Rung
	var best *float64
	for _, r := range sorted {
		if r.Accuracy != nil {
			if best != nil && *r.Accuracy <= *best {
				continue
			}
			best = r.Accuracy
		}
		kept = append(kept, r)
	}
	return kept
}

// compareAccuracy puts the more accurate first and unknown last.
func compareAccuracy(a, b *float64) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return cmp.Compare(*b, *a)
}
