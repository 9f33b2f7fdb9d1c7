package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fathom-edge/fathom/convert/graph"
)

// NotShared is a run of layers that several variants have in common and that is
// stored more than once all the same.
type NotShared struct {
	Variants []string `json:"variants"`
	// Layers counts the layers with weights; First and Last are the names of
	// the first and last in the model of the first variant.
	Layers int    `json:"layers"`
	First  string `json:"first"`
	Last   string `json:"last"`
	// Bytes is what the extra copies cost.
	Bytes  int64  `json:"bytes"`
	Reason string `json:"reason"`
}

const (
	reasonNormalization = "trained weights are equal, but the normalization folded into them differs"
	reasonGeometry      = "weights are equal, but shapes or attributes differ"
)

// reasonSmall is for equal layers that no cut separates.
func reasonSmall(minSaving int64) string {
	return fmt.Sprintf("sharing it would save less than %d KiB per cut", minSaving>>10)
}

// notShared explains what is stored more than once: pieces that stand in
// several segments, and layers whose trained weights are equal but which were
// written differently.
func notShared(variants []*variant, a *alphabet, cuts map[pair]bool, minSaving int64) []NotShared {
	notes := &notes{}
	copies := make([]map[string]bool, len(a.pieces)) // the segments of each piece
	users := make([][]string, len(a.pieces))
	for i, v := range variants {
		for _, run := range runs(a.words[i], cuts) {
			for _, id := range run {
				if copies[id] == nil {
					copies[id] = map[string]bool{}
				}
				copies[id][fmt.Sprint(run)] = true
				if !slices.Contains(users[id], v.Name) {
					users[id] = append(users[id], v.Name)
				}
			}
		}
	}
	for id, p := range a.pieces {
		if len(users[id]) > 1 {
			for _, n := range p.Nodes {
				notes.add(users[id], n, int64(len(copies[id])-1)*n.WeightBytes(), reasonSmall(minSaving))
			}
		}
	}
	addUnequal(notes, variants)
	return notes.list
}

// addUnequal notes layers of equal origin that were lowered differently.
func addUnequal(notes *notes, variants []*variant) {
	type form struct {
		node *graph.Node
		used []string
	}
	origins := map[string][]*form{}
	var order []string
	for _, v := range variants {
		for _, n := range v.graph.Nodes {
			if n.Origin == "" {
				continue
			}
			if origins[n.Origin] == nil {
				order = append(order, n.Origin)
			}
			at := slices.IndexFunc(origins[n.Origin], func(f *form) bool { return sameLayer(f.node, n) })
			if at < 0 {
				at = len(origins[n.Origin])
				origins[n.Origin] = append(origins[n.Origin], &form{node: n})
			}
			f := origins[n.Origin][at]
			if !slices.Contains(f.used, v.Name) {
				f.used = append(f.used, v.Name)
			}
		}
	}
	for _, origin := range order {
		forms := origins[origin]
		if len(forms) < 2 {
			continue
		}
		var users []string
		for _, f := range forms {
			users = append(users, f.used...)
		}
		reason := reasonGeometry
		if !sameWeights(forms[0].node, forms[1].node) {
			reason = reasonNormalization
		}
		slices.Sort(users)
		notes.add(slices.Compact(users), forms[0].node, int64(len(forms)-1)*forms[0].node.WeightBytes(), reason)
	}
}

func sameLayer(a, b *graph.Node) bool {
	x, y := a.Attrs, b.Attrs
	x.Dims, y.Dims = nil, nil
	return a.Op == b.Op && fmt.Sprint(x, a.Shape) == fmt.Sprint(y, b.Shape) && sameWeights(a, b)
}

func sameWeights(a, b *graph.Node) bool {
	return slices.EqualFunc(a.Weights, b.Weights, func(s, t graph.Tensor) bool {
		return slices.Equal(s.Shape, t.Shape) && slices.Equal(s.Data, t.Data)
	})
}

// notes gathers layers with the same users and reason.
type notes struct{ list []NotShared }

func (ns *notes) add(users []string, n *graph.Node, bytes int64, reason string) {
	if bytes == 0 {
		return
	}
	key := strings.Join(users, " ")
	for i := range ns.list {
		if o := &ns.list[i]; o.Reason == reason && strings.Join(o.Variants, " ") == key {
			o.Layers++
			o.Last = n.Name
			o.Bytes += bytes
			return
		}
	}
	ns.list = append(ns.list, NotShared{users, 1, n.Name, n.Name, bytes, reason})
}
