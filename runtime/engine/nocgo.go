//go:build !cgo

package engine

import "github.com/fathom-edge/fathom/runtime/bundle"

// Without cgo there is nothing that could load a segment.

// LibraryVersion is empty.
func LibraryVersion() string { return "" }

type runtime struct{}

type segment struct {
	in, out              tensor
	operators, delegated int
}

func newRuntime(Options) (*runtime, error) { return nil, ErrNoInference }

func (*runtime) load(string) (*segment, error) { return nil, ErrNoInference }

func (*runtime) loadVerified(*bundle.Bundle, *bundle.Segment) (*segment, error) {
	return nil, ErrNoInference
}

func (*runtime) close() {}

func (*segment) point(tensor) {}

func (*segment) invoke() error { return ErrNoInference }

func (*segment) settled() error { return ErrNoInference }

func (*segment) close() {}
