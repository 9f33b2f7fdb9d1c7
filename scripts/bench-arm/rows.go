package main

import (
	"strings"

	"github.com/fathom-edge/fathom/internal/results"
)

const file = "docs/results/arm.json"

// renewed drops the rows of a prefix that an earlier run wrote: of a variant or a file that is no longer.
func renewed(prefix string, rows []results.Row) ([]results.Row, error) {
	return rows, results.Remove(file, func(r results.Row) bool { return strings.HasPrefix(r.ID, prefix) })
}
