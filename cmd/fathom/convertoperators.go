package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/fathom-edge/fathom/convert/graph"
)

// listOperators prints what can be converted.
func (c *convertCommand) listOperators(out *output) error {
	if c.JSON {
		var list []map[string]string
		for _, op := range graph.Operators() {
			list = append(list, map[string]string{"name": op.Name, "becomes": op.Becomes, "limits": op.Limits})
		}
		return writeJSON(out, map[string]any{"operators": list, "folded": graph.Folded()})
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ONNX\tbecomes\tlimits")
	for _, op := range graph.Operators() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", op.Name, op.Becomes, op.Limits)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nOf constants, as in arithmetic on shapes, also computed: %s.\n", strings.Join(graph.Folded(), ", "))
	return err
}
