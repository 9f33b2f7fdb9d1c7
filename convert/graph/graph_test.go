package graph

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// chain builds a graph whose nodes follow one another; nodes with inputs of
// their own keep them.
func chain(l Layout, shape []int, nodes ...*Node) *Graph {
	in := &Node{Name: "in", Op: OpInput, Shape: shape}
	g := &Graph{Layout: l, Nodes: []*Node{in}}
	for i, n := range nodes {
		if n.Name == "" {
			n.Name = fmt.Sprintf("n%d", i)
		}
		if n.Inputs == nil {
			n.Inputs = []*Node{g.Nodes[len(g.Nodes)-1]}
		}
		g.Nodes = append(g.Nodes, n)
	}
	g.Output = g.Nodes[len(g.Nodes)-1]
	return g
}

// tensor numbers its values from 1.
func tensor(shape ...int) Tensor {
	t := Tensor{Shape: shape}
	for i := range elements(shape) {
		t.Data = append(t.Data, float32(i+1))
	}
	return t
}

func values(v ...float32) Tensor { return Tensor{[]int{len(v)}, v} }

// conv is a square convolution with a stride and equal pads.
func conv(from, to, kernel, stride, pads int) *Node {
	return &Node{Op: OpConv, Weights: []Tensor{tensor(to, from, kernel, kernel), tensor(to)}, Attrs: square(kernel, stride, pads)}
}

func square(kernel, stride, pads int) Attrs {
	return Attrs{Kernel: [2]int{kernel, kernel}, Stride: [2]int{stride, stride}, Dilation: [2]int{1, 1}, Pads: [4]int{pads, pads, pads, pads}}
}

func apply(t *testing.T, g *Graph, passes ...Pass) *Graph {
	t.Helper()
	for _, pass := range passes {
		before := describe(g)
		next, err := pass(g)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, describe(g)); diff != "" {
			t.Fatalf("the pass changed its argument:\n%s", diff)
		}
		g = next
	}
	return g
}

// describe gives a line per node: operator, inputs, shape, activation.
func describe(g *Graph) string {
	index := map[*Node]int{}
	var lines []string
	for i, n := range g.Nodes {
		index[n] = i
		line := string(n.Op)
		for _, in := range n.Inputs {
			line += fmt.Sprintf(" %%%d", index[in])
		}
		line += fmt.Sprint(" ", n.Shape)
		if n.Attrs.Activation != None {
			line += fmt.Sprint(" activation ", n.Attrs.Activation)
		}
		lines = append(lines, line)
	}
	return strings.Join(append(lines, fmt.Sprintf("output %%%d", index[g.Output])), "\n")
}

func wantGraph(t *testing.T, g *Graph, lines ...string) {
	t.Helper()
	if diff := cmp.Diff(strings.Join(lines, "\n"), describe(g)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func wantUnsupported(t *testing.T, g *Graph, err error, want ...string) {
	t.Helper()
	if g != nil {
		t.Errorf("there is a graph beside the error")
	}
	u, ok := err.(*UnsupportedError)
	if !ok {
		t.Fatalf("error is %v, want unsupported nodes", err)
	}
	var got []string
	for _, n := range u.Nodes {
		got = append(got, n.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
