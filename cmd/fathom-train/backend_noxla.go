//go:build !xla

package main

import (
	"errors"

	"github.com/gomlx/compute"
)

func openXLA(string) (compute.Backend, error) {
	return nil, errors.New("--backend xla: this build has no XLA: build with CGO_ENABLED=1 go build -tags xla ./cmd/fathom-train (docs/training.md)")
}
