package preprocess

import (
	"fmt"
	"image"
)

// place is the part of a frame that is used, and the part of the tensor that shows
// it, both in whole pixels.
func (s Spec) place(width, height int) (window, target image.Rectangle) {
	w, h := width, height
	tw, th := s.Width, s.Height
	wide := width*s.Height > height*s.Width
	switch {
	case s.Fit == FitCrop && wide:
		w = max(1, height*s.Width/s.Height)
	case s.Fit == FitCrop:
		h = max(1, width*s.Height/s.Width)
	case s.Fit == FitLetterbox && wide:
		th = max(1, (2*height*s.Width+width)/(2*width))
	case s.Fit == FitLetterbox:
		tw = max(1, (2*width*s.Height+height)/(2*height))
	}
	x, y := (width-w)/2, (height-h)/2
	tx, ty := (s.Width-tw)/2, (s.Height-th)/2
	return image.Rect(x, y, x+w, y+h), image.Rect(tx, ty, tx+tw, ty+th)
}

// Region is a part of a frame, in shares of its width and height: {0, 0, 1, 1} and
// the zero value are the whole frame, {0.5, 0, 1, 0.5} the quarter at the top right.
// It has at least one pixel.
type Region struct {
	Left, Top, Right, Bottom float64
}

// Validate reports an edge out of order.
func (r Region) Validate() error {
	if r == (Region{}) || 0 <= r.Left && r.Left < r.Right && r.Right <= 1 && 0 <= r.Top && r.Top < r.Bottom && r.Bottom <= 1 {
		return nil
	}
	return fmt.Errorf("preprocess: region from (%g, %g) to (%g, %g): must be shares of the frame with 0 ≤ left < right ≤ 1 and 0 ≤ top < bottom ≤ 1",
		r.Left, r.Top, r.Right, r.Bottom)
}

// in is the region in pixels of a frame.
func (r Region) in(width, height int) image.Rectangle {
	if r == (Region{}) {
		return image.Rect(0, 0, width, height)
	}
	left, right := edges(r.Left, r.Right, width)
	top, bottom := edges(r.Top, r.Bottom, height)
	return image.Rect(left, top, right, bottom)
}

func edges(from, to float64, size int) (low, high int) {
	low = min(int(float64(from*float64(size))+0.5), size-1)
	return low, max(low+1, min(int(float64(to*float64(size))+0.5), size))
}
