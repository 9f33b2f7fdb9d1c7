package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Ladder chooses at most rungs candidates and marks them, shallow to deep; it returns their positions. What is maximized is
// the mean accuracy over all budgets of MACs, from the cheapest candidate's to a tenth beyond the most accurate one's, when
// the most accurate rung within the budget runs. With a budget of bytes, the weights of all rungs together, as size counts
// them, stay within it; 0 is none.
//
// The cheapest candidate that fits is always a rung: a board that can afford nothing else must still run. Without a budget
// of bytes the choice is optimal; with one it is the best that adding and exchanging single rungs find.
func Ladder(list []Candidate, rungs int, bytes int64, size func([]Path) int64) ([]int, error) {
	if rungs < 1 {
		return nil, fmt.Errorf("train: a ladder of %d rungs: must have at least 1", rungs)
	}
	front := staircase(list, func(c Candidate) bool { return bytes == 0 || c.Bytes <= bytes })
	if len(front) == 0 {
		return nil, fmt.Errorf("train: no candidate fits into %d bytes: the smallest needs %d", bytes, smallest(list))
	}
	dearest := list[front[len(front)-1]].MACs
	end := dearest + dearest/10
	var chosen []int
	if bytes == 0 {
		chosen = optimal(list, front, rungs, end)
	} else {
		chosen = exchanged(list, front[0], rungs, end, func(c []int) bool {
			paths := make([]Path, len(c))
			for i, at := range c {
				paths[i] = list[at].Path
			}
			return size(paths) <= bytes
		})
	}
	for _, i := range chosen {
		list[i].Rung = true
	}
	return chosen, nil
}

func smallest(list []Candidate) int64 {
	return slices.MinFunc(list, func(a, b Candidate) int { return cmp.Compare(a.Bytes, b.Bytes) }).Bytes
}

// staircase returns the candidates than which none that costs as much or less is as accurate, by MACs.
func staircase(list []Candidate, ok func(Candidate) bool) []int {
	var order []int
	for i, c := range list {
		if ok(c) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := list[i], list[j]
		return cmp.Or(cmp.Compare(a.MACs, b.MACs), cmp.Compare(b.Top1, a.Top1), cmp.Compare(a.Bytes, b.Bytes))
	})
	var front []int
	for _, i := range order {
		if len(front) == 0 || list[i].Top1 > list[front[len(front)-1]].Top1 {
			front = append(front, i)
		}
	}
	return front
}

// gain is the area that a rung adds over all budgets from its MACs to the end, above the rung before it.
func gain(list []Candidate, rung int, below float64, end int64) float64 {
	return (list[rung].Top1 - below) * float64(max(0, end-list[rung].MACs))
}

// area of a ladder, shallow to deep; a rung that is less accurate than the one before it lowers it.
func area(list []Candidate, ladder []int, end int64) float64 {
	sum, below := 0.0, 0.0
	for _, i := range ladder {
		sum += gain(list, i, below, end)
		below = list[i].Top1
	}
	return sum
}

// optimal chooses by dynamic programming over the front: best[k][j] is the largest area of k+1 rungs of which the first is
// front[0] and the last is front[j]. Each rung of the front adds some, so that as many as may be are taken.
func optimal(list []Candidate, front []int, rungs int, end int64) []int {
	rungs = min(rungs, len(front))
	best, from := make([][]float64, rungs), make([][]int, rungs)
	for k := range rungs {
		best[k], from[k] = make([]float64, len(front)), make([]int, len(front))
		for j := k; j < len(front); j++ {
			best[k][j] = math.Inf(-1)
			if k == 0 {
				if j == 0 {
					best[0][0] = gain(list, front[0], 0, end)
				}
				continue
			}
			for i := k - 1; i < j; i++ {
				if v := best[k-1][i] + gain(list, front[j], list[front[i]].Top1, end); v > best[k][j] {
					best[k][j], from[k][j] = v, i
				}
			}
		}
	}
	j := rungs - 1
	for i := j; i < len(front); i++ {
		if best[rungs-1][i] > best[rungs-1][j] {
			j = i
		}
	}
	ladder := make([]int, rungs)
	for k := rungs - 1; k >= 0; k-- {
		ladder[k] = front[j]
		j = from[k][j]
	}
	return ladder
}

// exchanged begins with the cheapest candidate that fits, and adds or exchanges the rung that gains most while that helps.
// Any candidate may be taken: one that is not on the front may share the weights of another rung.
func exchanged(list []Candidate, first, rungs int, end int64, fits func([]int) bool) []int {
	ladder := []int{first}
	for {
		best, bestArea := ladder, area(list, ladder, end)
		try := func(c []int) {
			slices.SortFunc(c, func(i, j int) int { return cmp.Compare(list[i].MACs, list[j].MACs) })
			if a := area(list, c, end); a > bestArea && fits(c) {
				best, bestArea = c, a
			}
		}
		for i := range list {
			if list[i].MACs <= list[first].MACs || slices.Contains(ladder, i) {
				continue
			}
			if len(ladder) < rungs {
				try(append(slices.Clone(ladder), i))
			}
			for at := 1; at < len(ladder); at++ {
				c := slices.Clone(ladder)
				c[at] = i
				try(c)
			}
		}
		if len(best) == len(ladder) && &best[0] == &ladder[0] {
			return ladder
		}
		ladder = best
	}
}
