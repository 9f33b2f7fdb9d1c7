package main

import (
	"context"

	"github.com/fathom-edge/fathom/internal/results"
)

// fit says how far the simulated boards are from published measurements.
func fit(context.Context, flags) ([]results.Row, error) {
	return nil, nil
}
