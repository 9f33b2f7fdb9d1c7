package graph

import (
	"container/heap"
	"fmt"
	"sort"
	"strings"

	"github.com/fathom-edge/fathom/convert/onnx"
)

// ordered returns the nodes so that each stands after those that it reads,
// otherwise in the order of the file. ONNX demands this order; a graph that has
// none, because nodes wait for one another, is refused.
func ordered(og *onnx.GraphProto) ([]*onnx.NodeProto, error) {
	nodes := og.GetNode()
	writer := make(map[string]int, len(nodes))
	for i, n := range nodes {
		for _, out := range n.GetOutput() {
			if out == "" {
				continue
			}
			if first, twice := writer[out]; twice {
				return nil, fmt.Errorf("graph: %q is written by both %s and %s (export the model again)", out, onnx.NodeName(nodes[first]), onnx.NodeName(n))
			}
			writer[out] = i
		}
	}
	readers := make([][]int, len(nodes))
	waiting := make([]int, len(nodes))
	for i, n := range nodes {
		for _, in := range n.GetInput() {
			if from, ok := writer[in]; ok && in != "" {
				readers[from] = append(readers[from], i)
				waiting[i]++
			}
		}
	}
	order := make([]*onnx.NodeProto, 0, len(nodes))
	ready := &positions{}
	for i, w := range waiting {
		if w == 0 {
			heap.Push(ready, i)
		}
	}
	for ready.Len() > 0 {
		i := heap.Pop(ready).(int)
		order = append(order, nodes[i])
		for _, r := range readers[i] {
			if waiting[r]--; waiting[r] == 0 {
				heap.Push(ready, r)
			}
		}
	}
	if len(order) < len(nodes) {
		return nil, fmt.Errorf("graph: the nodes wait for one another in a circle: %s (file damaged? export it again)", circle(nodes, writer, waiting))
	}
	return order, nil
}

// circle names the nodes of one cycle.
func circle(nodes []*onnx.NodeProto, writer map[string]int, waiting []int) string {
	at := 0
	for waiting[at] == 0 {
		at++
	}
	seen := map[int]int{}
	var path []string
	for {
		if first, ok := seen[at]; ok {
			path = path[first:]
			break
		}
		seen[at] = len(path)
		path = append(path, onnx.NodeName(nodes[at]))
		for _, in := range nodes[at].GetInput() {
			if from, ok := writer[in]; ok && in != "" && waiting[from] > 0 {
				at = from
				break
			}
		}
	}
	const most = 5
	if len(path) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(path[:most], ", "), len(path)-most)
	}
	return strings.Join(path, ", ")
}

// positions is a heap of places in the file, the first on top.
type positions struct{ sort.IntSlice }

func (p *positions) Push(v any) { p.IntSlice = append(p.IntSlice, v.(int)) }

func (p *positions) Pop() any {
	last := p.IntSlice[len(p.IntSlice)-1]
	p.IntSlice = p.IntSlice[:len(p.IntSlice)-1]
	return last
}
