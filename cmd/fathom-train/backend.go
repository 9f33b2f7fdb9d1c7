package main

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute"

	"github.com/fathom-edge/fathom/train/fastcpu"
)

// backendFlag chooses what computes.
type backendFlag struct {
	Backend string `default:"go" help:"What computes: go (built in), xla:cpu, xla:cuda or xla:/path/of/plugin.so (docs/training.md)."`
}

func (b backendFlag) open() (compute.Backend, error) {
	switch {
	case b.Backend == "go":
		return fastcpu.New()
	case strings.HasPrefix(b.Backend, "xla:"):
		return openXLA(strings.TrimPrefix(b.Backend, "xla:"))
	default:
		return nil, fmt.Errorf("--backend %s: must be go, xla:cpu, xla:cuda or xla:/path/of/plugin.so", b.Backend)
	}
}
