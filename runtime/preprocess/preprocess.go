package preprocess

import (
	"fmt"
	"image"
)

// Preprocessor brings frames to tensors by one Spec. It keeps scratch memory
// for the last frame size, so that a stream of equal frames allocates nothing.
// One goroutine at a time may use it.
type Preprocessor struct {
	spec Spec
	// plane[c] is where colour c (red, green, blue) lies within a tensor pixel.
	plane [3]int
	// table[c][p] is the value of colour c at byte p where nothing is resized.
	table [3][256]float32

	width, height int             // of the frame that the fields below fit
	window        image.Rectangle // the part of the frame that is used
	x, y          axis
	rgb           []byte      // one row of the window
	mixed         [2][]uint32 // two rows resampled along x, by parity of their row
	mixedRow      [2]int      // which rows of the window they are, or -1
	sums          []uint64    // one row of the tensor
}

// New prepares for the given spec.
func New(spec Spec) (*Preprocessor, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	p := &Preprocessor{spec: spec, plane: [3]int{0, 1, 2}, sums: make([]uint64, 3*spec.Width)}
	if spec.Channels == "BGR" {
		p.plane = [3]int{2, 1, 0}
	}
	for c := range 3 {
		for v := range 256 {
			p.table[c][v] = p.value(c, uint64(v), 255)
		}
	}
	for i := range p.mixed {
		p.mixed[i] = make([]uint32, 3*spec.Width)
	}
	return p, nil
}

// Spec is what the preprocessor was made for.
func (p *Preprocessor) Spec() Spec { return p.spec }

// Apply writes the tensor of img to dst (Height x Width x 3). It takes
// *image.RGBA, *image.NRGBA (seen on black), *image.Gray and *image.YCbCr.
func (p *Preprocessor) Apply(dst []float32, img image.Image) error {
	src, err := newSource(img)
	if err != nil {
		return err
	}
	return p.apply(dst, src)
}

// ApplyRGB writes the tensor of a frame of tightly packed RGB bytes to dst.
func (p *Preprocessor) ApplyRGB(dst []float32, pix []byte, width, height int) error {
	if width > 0 && height > 0 && width <= maxFrame && height <= maxFrame && len(pix) != 3*width*height {
		return fmt.Errorf("preprocess: %d bytes for an RGB frame of %dx%d: must be %d", len(pix), width, height, 3*width*height)
	}
	return p.apply(dst, source{kind: kindRGB, bounds: image.Rectangle{Max: image.Pt(width, height)}, pix: pix, stride: 3 * width})
}

func (p *Preprocessor) apply(dst []float32, src source) error {
	width, height := src.bounds.Dx(), src.bounds.Dy()
	if width < 1 || height < 1 || width > maxFrame || height > maxFrame {
		return fmt.Errorf("preprocess: frame of %dx%d pixels: each side must be 1 to %d", width, height, maxFrame)
	}
	if len(dst) != p.spec.Len() {
		return fmt.Errorf("preprocess: tensor of %d values: the spec has %d (%dx%dx3)", len(dst), p.spec.Len(), p.spec.Height, p.spec.Width)
	}
	if width != p.width || height != p.height {
		p.fit(width, height)
	}
	if p.window.Dx() == p.spec.Width && p.window.Dy() == p.spec.Height {
		p.copy(dst, src)
	} else {
		p.resize(dst, src)
	}
	return nil
}

// fit prepares for frames of another size.
func (p *Preprocessor) fit(width, height int) {
	p.width, p.height = width, height
	p.window = p.spec.window(width, height)
	p.x.resample(p.window.Dx(), p.spec.Width)
	p.y.resample(p.window.Dy(), p.spec.Height)
	if n := 3 * p.window.Dx(); cap(p.rgb) < n {
		p.rgb = make([]byte, n)
	} else {
		p.rgb = p.rgb[:n]
	}
}

// window is the part of a frame that becomes the tensor, in whole pixels.
func (s Spec) window(width, height int) image.Rectangle {
	w, h := width, height
	if s.Fit == FitCrop {
		if width*s.Height > height*s.Width {
			w = max(1, height*s.Width/s.Height)
		} else {
			h = max(1, width*s.Height/s.Width)
		}
	}
	x, y := (width-w)/2, (height-h)/2
	return image.Rect(x, y, x+w, y+h)
}

// copy is the case without resizing: each byte has one value.
func (p *Preprocessor) copy(dst []float32, src source) {
	for y := range p.spec.Height {
		row := src.row(p.rgb, p.window, y)
		out := dst[3*p.spec.Width*y : 3*p.spec.Width*(y+1)]
		for i := 0; i < len(row); i += 3 {
			for c := range 3 {
				out[i+p.plane[c]] = p.table[c][row[i+c]]
			}
		}
	}
}

func (p *Preprocessor) resize(dst []float32, src source) {
	p.mixedRow = [2]int{-1, -1}
	den := 255 * uint64(p.x.den) * uint64(p.y.den)
	for y, t := range p.y.taps {
		clear(p.sums)
		for k := range t.n {
			w := uint64(t.weight(k))
			for i, v := range p.mix(src, t.start+k) {
				p.sums[i] += w * uint64(v)
			}
		}
		out := dst[3*p.spec.Width*y : 3*p.spec.Width*(y+1)]
		for i := 0; i < len(out); i += 3 {
			for c := range 3 {
				out[i+p.plane[c]] = p.value(c, p.sums[i+c], den)
			}
		}
	}
}

// mix is row y of the window, resampled along x. Neighbouring outputs share rows.
func (p *Preprocessor) mix(src source, y int) []uint32 {
	slot := y & 1
	if p.mixedRow[slot] != y {
		p.x.mixRow(p.mixed[slot], src.row(p.rgb, p.window, y))
		p.mixedRow[slot] = y
	}
	return p.mixed[slot]
}

// value normalizes sum/den, a colour in [0, 1]. Both are exact in float64, and
// no product is followed by a sum, so every machine gives the same float32.
func (p *Preprocessor) value(colour int, sum, den uint64) float32 {
	c := p.plane[colour]
	return (float32(float64(sum)/float64(den)) - p.spec.Mean[c]) / p.spec.Std[c]
}
