//go:build !(cgo && turbojpeg && linux && (amd64 || arm64))

package turbo

import (
	"errors"
	"fmt"
	"image"
)

// Decode is not in this build.
func Decode([]byte, image.Point, image.Image) (image.Image, error) {
	return nil, fmt.Errorf("turbo: this build has no libjpeg-turbo: %w", errors.ErrUnsupported)
}
