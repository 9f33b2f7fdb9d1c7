package preprocess

import "image"

// Window is the part of a frame of so many pixels that is used.
func (s Spec) Window(width, height int) image.Rectangle {
	window, _ := s.place(width, height)
	return window
}

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
