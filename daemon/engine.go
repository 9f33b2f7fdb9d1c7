package daemon

import (
	"image"

	"github.com/fathom-edge/fathom/runtime/engine"
)

// Engine runs the variants of one bundle; *engine.Engine is the one that does
// it with TensorFlow Lite. SetActive may be called from any goroutine and takes
// effect at the next Infer; Infer and Close belong to one.
type Engine interface {
	SetActive(variant string) error
	// Infer classifies a picture of any size. An error concerns this picture only.
	Infer(picture image.Image) (engine.Result, error)
	Close() error
}
