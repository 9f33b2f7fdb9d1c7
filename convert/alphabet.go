package convert

import (
	"slices"

	"github.com/fathom-edge/fathom/convert/graph"
)

// alphabet holds the distinct pieces of all variants, in the order in which
// they are first met.
type alphabet struct {
	pieces []*graph.Graph
	bytes  []int64 // of each piece's weights
	words  [][]int // the pieces of each variant
}

func newAlphabet(variants []*variant) *alphabet {
	a := &alphabet{}
	ids := map[string][]int{} // by key
	for _, v := range variants {
		var word []int
		for _, p := range graph.Split(v.graph) {
			key := graph.Key(p)
			at := slices.IndexFunc(ids[key], func(id int) bool { return graph.SameWeights(p, a.pieces[id]) })
			if at < 0 {
				at = len(ids[key])
				ids[key] = append(ids[key], len(a.pieces))
				a.pieces = append(a.pieces, p)
				a.bytes = append(a.bytes, p.WeightBytes())
			}
			word = append(word, ids[key][at])
		}
		a.words = append(a.words, word)
	}
	return a
}

// concat joins a run of pieces to one graph.
func (a *alphabet) concat(run []int) *graph.Graph {
	pieces := make([]*graph.Graph, len(run))
	for i, id := range run {
		pieces[i] = a.pieces[id]
	}
	return graph.Concat(pieces)
}
