package graph

import (
	"fmt"
	"strings"
)

// Unsupported is one node that cannot be converted.
type Unsupported struct {
	Node   string // its name, or that of its first output if it has none
	Op     string // the ONNX operator
	Reason string
	Hint   string // what to do about it; may be empty
}

func (u Unsupported) String() string {
	if u.Hint == "" {
		return fmt.Sprintf("%s (%s): %s", u.Node, u.Op, u.Reason)
	}
	return fmt.Sprintf("%s (%s): %s (%s)", u.Node, u.Op, u.Reason, u.Hint)
}

// UnsupportedError lists all nodes of a model that cannot be converted.
type UnsupportedError struct {
	Nodes []Unsupported
}

func (e *UnsupportedError) Error() string {
	lines := make([]string, len(e.Nodes))
	for i, n := range e.Nodes {
		lines[i] = n.String()
	}
	word := "nodes"
	if len(lines) == 1 {
		word = "node"
	}
	return fmt.Sprintf("graph: %d unsupported %s: %s", len(lines), word, strings.Join(lines, "; "))
}

// report collects unsupported nodes.
type report struct{ nodes []Unsupported }

func (r *report) add(n *Node, format string, args ...any) {
	r.nodes = append(r.nodes, Unsupported{Node: n.Name, Op: string(n.Op), Reason: fmt.Sprintf(format, args...)})
}

// err is nil when nothing was reported.
func (r *report) err() error {
	if len(r.nodes) == 0 {
		return nil
	}
	return &UnsupportedError{Nodes: r.nodes}
}
