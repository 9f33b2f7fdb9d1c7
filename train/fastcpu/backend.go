package fastcpu

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
)

// Backend runs GoMLX graphs. Create it with [New].
type Backend struct {
	compute.Backend // the Go backend: whatever is not native
	caps            compute.Capabilities
	pool            pool
}

// New returns a backend of its own; tensors of one backend cannot be used with another. It calls [RegisterGradients].
func New() (*Backend, error) {
	RegisterGradients()
	// The default parallelism of the Go backend was seen to deadlock in training. Sequential operations with
	// unlimited workers do not.
	inner, err := gobackend.New("ops_sequential")
	if err != nil {
		return nil, fmt.Errorf("fastcpu: create the Go backend: %w", err)
	}
	caps := inner.Capabilities().Clone()
	caps.Functions, caps.DynamicAxes = false, false
	for op := range caps.Operations {
		if op >= compute.OpTypeSort { // control flow, collective and fused operations
			delete(caps.Operations, op)
		}
	}
	for _, op := range []compute.OpType{compute.OpTypeBatchNormForTraining, compute.OpTypeBatchNormForInference, compute.OpTypeBatchNormGradient} {
		caps.Operations[op] = true
	}
	return &Backend{Backend: inner, caps: caps}, nil
}

// Name implements [compute.Backend].
func (b *Backend) Name() string { return "fastcpu" }

// String implements [compute.Backend].
func (b *Backend) String() string { return "fastcpu" }

// Description implements [compute.Backend].
func (b *Backend) Description() string {
	return fmt.Sprintf("Go backend with kernels for training (%s tiles)", tileName())
}

// Capabilities implements [compute.Backend].
func (b *Backend) Capabilities() compute.Capabilities { return b.caps }

// Builder implements [compute.Backend].
func (b *Backend) Builder(name string) compute.Builder { return newBuilder(b, name) }
