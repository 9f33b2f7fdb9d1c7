//go:build !cgo

package main

import "github.com/fathom-edge/fathom/convert"

// runner is nil: a binary built without cgo has no TFLite.
func runner() convert.Runner { return nil }
