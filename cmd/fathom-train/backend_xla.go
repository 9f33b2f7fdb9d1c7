//go:build xla

package main

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
)

// openXLA loads a PJRT plugin: by name from PJRT_PLUGIN_LIBRARY_PATH, or by absolute path.
func openXLA(plugin string) (compute.Backend, error) {
	b, err := xla.New(plugin)
	if err != nil {
		return nil, fmt.Errorf("--backend xla:%s: %w", plugin, err)
	}
	return b, nil
}
