package train

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Depth is the number of residual blocks that take part, per stage.
type Depth []int

// ParseDepth reads the form that String writes, e.g. "3-3-3".
func ParseDepth(s string) (Depth, error) {
	var d Depth
	for part := range strings.SplitSeq(s, "-") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || n > 64 {
			return nil, fmt.Errorf("depth %q: want blocks per stage joined by dashes, like 3-3-3", s)
		}
		d = append(d, n)
	}
	return d, nil
}

// String joins the stages with dashes.
func (d Depth) String() string {
	parts := make([]string, len(d))
	for i, n := range d {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, "-")
}

// UnmarshalYAML reads the form that String writes; its errors name the line.
func (d *Depth) UnmarshalYAML(n ast.Node) error {
	text := n.GetToken().Value
	parsed, err := ParseDepth(text)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.GetToken().Position.Line, err)
	}
	*d = parsed
	return nil
}

// Within says whether no stage of d has more blocks than in full.
func (d Depth) Within(full Depth) bool {
	for s := range d {
		if d[s] > full[s] {
			return false
		}
	}
	return true
}

func (d Depth) equal(o Depth) bool { return slices.Equal(d, o) }
