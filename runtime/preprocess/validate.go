package preprocess

import (
	"fmt"
	"math"
)

const (
	maxInput = 4096  // pixels per side of a network's input
	maxFrame = 16384 // pixels per side of a frame
)

// Validate reports the first value of the spec that no frame could be brought to.
func (s Spec) Validate() error {
	if s.Width < 1 || s.Height < 1 || s.Width > maxInput || s.Height > maxInput {
		return fmt.Errorf("preprocess: input of %dx%d pixels: each side must be 1 to %d", s.Width, s.Height, maxInput)
	}
	if s.Channels != "RGB" && s.Channels != "BGR" {
		return fmt.Errorf("preprocess: channels %q: must be \"RGB\" or \"BGR\"", s.Channels)
	}
	if s.Fit != FitCrop && s.Fit != FitStretch && s.Fit != FitLetterbox {
		return fmt.Errorf("preprocess: fit %q: must be %q, %q or %q", s.Fit, FitCrop, FitStretch, FitLetterbox)
	}
	for c := range 3 {
		if !finite(s.Mean[c]) {
			return fmt.Errorf("preprocess: mean of channel %d is %v: must be a finite number", c, s.Mean[c])
		}
		if !finite(s.Std[c]) || s.Std[c] <= 0 {
			return fmt.Errorf("preprocess: std of channel %d is %v: must be a finite number above 0", c, s.Std[c])
		}
	}
	return nil
}

// Len is the number of values in the tensor: Height x Width x 3.
func (s Spec) Len() int { return s.Height * s.Width * 3 }

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }
