//go:build !cgo

package engine

import "time"

// Bare is what it is with cgo; without, OpenBare gives none.
type Bare struct{ Output []float32 }

// OpenBare returns ErrNoInference.
func OpenBare(string, int) (*Bare, error) { return nil, ErrNoInference }

// Loop returns ErrNoInference.
func (*Bare) Loop([]float32, []time.Duration) error { return ErrNoInference }

// Close does nothing.
func (*Bare) Close() {}
