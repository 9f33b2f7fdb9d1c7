package dataset

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkLabels holds class names to what family.json takes.
func checkLabels(labels []string) error {
	if len(labels) < 2 {
		return fmt.Errorf("must have at least 2 classes, has %d", len(labels))
	}
	seen := map[string]bool{}
	for _, label := range labels {
		odd := strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsPrint(r) })
		if label == "" || len(label) > 200 || odd || !utf8.ValidString(label) {
			return fmt.Errorf("class name %q: must be 1 to 200 bytes of printable text", label)
		}
		if seen[label] {
			return fmt.Errorf("class name %q is there twice", label)
		}
		seen[label] = true
	}
	return nil
}
