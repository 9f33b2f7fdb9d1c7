package daemon

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a configuration, and where.
type Problem struct {
	// File, Line and Column say where; Variable stands in for them where an
	// environment variable set the value. All are empty where nothing in particular did.
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Variable string `json:"variable,omitempty"`
	// Field is its path in the file: source.url.
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	// Hint is what to do; empty where the message says it.
	Hint string `json:"hint,omitempty"`
}

// String is one line: "fathomd.yaml:3:5: source.url: not an address (hint)".
func (p Problem) String() string {
	var b strings.Builder
	switch {
	case p.Variable != "":
		b.WriteString("environment variable " + p.Variable + ": ")
	case p.Line > 0:
		if p.File != "" {
			b.WriteString(p.File + ":")
		} else {
			b.WriteString("line ")
		}
		fmt.Fprintf(&b, "%d:%d: ", p.Line, p.Column)
	case p.File != "":
		b.WriteString(p.File + ": ")
	}
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString(" (" + p.Hint + ")")
	}
	return b.String()
}

// Problems are all that is wrong with a configuration, in the order of the file; never empty as an error.
type Problems []Problem

// Error is one line: the first problem, and how many more there are.
func (p Problems) Error() string {
	text := "config: " + p[0].String()
	if more := len(p) - 1; more > 0 {
		text += fmt.Sprintf("; and %d more (fathomd check-config lists them)", more)
	}
	return text
}

// orNil keeps an empty list from being an error.
func (p Problems) orNil() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
