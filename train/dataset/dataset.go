package dataset

import (
	"fmt"
	"image"

	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// Split is a part of a data set. Nothing is learnt or chosen from Test.
type Split int

// The three splits.
const (
	Train Split = iota
	Validation
	Test
)

// Splits lists all splits.
func Splits() []Split { return []Split{Train, Validation, Test} }

// String is the name of the split in family.json.
func (s Split) String() string {
	switch s {
	case Train:
		return "train"
	case Validation:
		return "validation"
	case Test:
		return "test"
	}
	return fmt.Sprintf("Split(%d)", int(s))
}

// What [Dataset.Len] returns besides a number of images.
const (
	Endless = 0  // as many as are asked for
	Absent  = -1 // the data set has no such split
)

// Dataset is labelled images. It may be used by any number of goroutines.
type Dataset interface {
	// Name is what measurements on it are called, e.g. "cifar10".
	Name() string
	// Labels are the classes in the order of the network's outputs.
	Labels() []string
	// Spec is how images become tensors, in evaluation and on the board.
	Spec() preprocess.Spec
	// Len is the number of samples of the split, Endless or Absent.
	Len(split Split) int
	// Sample reads sample index (below Len, where that is a number) into dst, whose size and memory it replaces as needed,
	// and returns the number of its class. Pictures may have any size; transparency is black. The same (split, index) gives
	// the same picture. Errors name the file.
	Sample(split Split, index int, dst *image.RGBA) (label int, err error)
}

// setSize makes dst width x height pixels, in its own memory where they fit. The pixels are left undefined.
func setSize(dst *image.RGBA, width, height int) {
	n := 4 * width * height
	if cap(dst.Pix) < n {
		dst.Pix = make([]byte, n)
	}
	*dst = image.RGBA{Pix: dst.Pix[:n], Stride: 4 * width, Rect: image.Rect(0, 0, width, height)}
}
