package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/convert/graph"
)

var updateDocs = flag.Bool("update-docs", false, "write the table of operators in docs/convert.md anew")

// The table in docs/convert.md is what fathom convert --list-operators prints.
func TestOperatorTable(t *testing.T) {
	const file = "../../docs/convert.md"
	const begin, end = "-update-docs -->\n", "<!-- end of operators -->"
	var want strings.Builder
	want.WriteString("\n| ONNX | becomes | limits |\n|---|---|---|\n")
	_, listed, _ := fathom("convert", "--list-operators")
	for _, op := range graph.Operators() {
		fmt.Fprintf(&want, "| %s | %s | %s |\n", op.Name, op.Becomes, op.Limits)
		if !strings.Contains(listed, "\n"+op.Name+" ") {
			t.Errorf("--list-operators does not list %s", op.Name)
		}
	}
	fmt.Fprintf(&want, "\nOf constants, also: %s.\n", strings.Join(graph.Folded(), ", "))
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(doc), begin)
	got, after, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("%s has no place for the table", file)
	}
	if *updateDocs {
		if err := os.WriteFile(file, []byte(before+begin+want.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want.String(), got); diff != "" {
		t.Errorf("%s (run the test with -update-docs): -want +got:\n%s", file, diff)
	}
}
