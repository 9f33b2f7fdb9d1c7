package convert

import (
	"fmt"
	"slices"
)

// pair is two neighbouring pieces.
type pair [2]int

// edge stands for the beginning and the end of a word.
const edge = -1

// layout is what a set of cuts amounts to.
type layout struct {
	bytes    int64 // of the weights in all distinct segments
	longest  int   // segments on the longest path
	segments int   // distinct ones
}

// findCuts chooses the pairs to cut between; see the package comment.
func findCuts(words [][]int, bytes []int64, minSaving int64) map[pair]bool {
	open := junctions(words)
	cuts := map[pair]bool{}
	for _, p := range open {
		cuts[p] = true
	}
	now := measure(words, bytes, cuts)
	for len(open) > 0 {
		best, at := layout{}, edge
		for i, p := range open {
			delete(cuts, p)
			without := measure(words, bytes, cuts)
			cuts[p] = true
			if at == edge || without.less(best) {
				best, at = without, i
			}
		}
		if best.bytes-now.bytes >= minSaving {
			break
		}
		delete(cuts, open[at])
		open = slices.Delete(open, at, at+1)
		now = best
	}
	return cuts
}

// less prefers fewer bytes, then shorter paths, then fewer segments.
func (l layout) less(m layout) bool {
	if l.bytes != m.bytes {
		return l.bytes < m.bytes
	}
	if l.longest != m.longest {
		return l.longest < m.longest
	}
	return l.segments < m.segments
}

// junctions lists the pairs where words diverge or meet, in order of
// appearance.
func junctions(words [][]int) []pair {
	after, before := map[int]map[int]bool{}, map[int]map[int]bool{}
	note := func(m map[int]map[int]bool, key, value int) {
		if m[key] == nil {
			m[key] = map[int]bool{}
		}
		m[key][value] = true
	}
	var all []pair
	for _, w := range words {
		for i, id := range w {
			if i == 0 {
				note(before, id, edge)
			} else {
				p := pair{w[i-1], id}
				note(after, p[0], p[1])
				note(before, p[1], p[0])
				if !slices.Contains(all, p) {
					all = append(all, p)
				}
			}
			if i == len(w)-1 {
				note(after, id, edge)
			}
		}
	}
	return slices.DeleteFunc(all, func(p pair) bool {
		return len(after[p[0]]) == 1 && len(before[p[1]]) == 1
	})
}

// runs divides a word at its cuts.
func runs(word []int, cuts map[pair]bool) [][]int {
	var found [][]int
	start := 0
	for i := 1; i <= len(word); i++ {
		if i == len(word) || cuts[pair{word[i-1], word[i]}] {
			found = append(found, word[start:i])
			start = i
		}
	}
	return found
}

func measure(words [][]int, bytes []int64, cuts map[pair]bool) layout {
	var l layout
	seen := map[string]bool{}
	for _, w := range words {
		segments := runs(w, cuts)
		l.longest = max(l.longest, len(segments))
		for _, run := range segments {
			key := fmt.Sprint(run)
			if seen[key] {
				continue
			}
			seen[key] = true
			l.segments++
			for _, id := range run {
				l.bytes += bytes[id]
			}
		}
	}
	return l
}
