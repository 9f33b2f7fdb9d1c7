package glyphs

import (
	"fmt"
)

// Split selects the design families that samples are drawn from.
type Split int

// The three splits. No design family is in two of them.
const (
	Train Split = iota
	Validation
	Test
	splits
)

// Splits lists all splits.
func Splits() []Split { return []Split{Train, Validation, Test} }

func (s Split) String() string {
	switch s {
	case Train:
		return "train"
	case Validation:
		return "validation"
	case Test:
		return "test"
	}
	return fmt.Sprintf("Split(%d)", int(s))
}

// ParseSplit is the inverse of Split.String.
func ParseSplit(name string) (Split, error) {
	for _, s := range Splits() {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("glyphs: no split %q (use train, validation or test)", name)
}
