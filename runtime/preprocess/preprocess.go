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
	// table[c][p] is the value of tensor channel c at byte p where nothing is resized.
	table   [3][256]float32
	inverse [3]float64 // see Spec.inverses
	line    []float32  // a row of the tensor on its way to int8

	width, height int             // of the frame that the fields below fit
	window        image.Rectangle // the part of the frame that is used
	target        image.Rectangle // the part of the tensor that shows it
	x, y          axis
	narrow        bool        // how it is resampled
	pixels        []uint64    // one row of the window
	mixed         [2][]uint64 // two rows resampled along x, by parity of their row
	mixedRow      [2]int      // which rows of the window they are, or -1
	sums          []uint64    // one row of the tensor
}

// New prepares for the given spec.
func New(spec Spec) (*Preprocessor, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	p := &Preprocessor{
		spec: spec, inverse: spec.inverses(), line: make([]float32, 3*spec.Width), sums: make([]uint64, 3*spec.Width),
	}
	for c := range p.table {
		for v := range p.table[c] {
			p.table[c][v] = (float32(float64(v)/255) - spec.Mean[c]) / spec.Std[c]
		}
	}
	for i := range p.mixed {
		p.mixed[i] = make([]uint64, 3*spec.Width)
	}
	return p, nil
}

// Spec is what the preprocessor was made for.
func (p *Preprocessor) Spec() Spec { return p.spec }

// Apply writes the tensor of img to dst (Height x Width x 3). It takes
// *image.RGBA, *image.NRGBA (seen on black), *image.Gray, *image.YCbCr and
// *frame.YUV, and parts of them that SubImage gives.
func (p *Preprocessor) Apply(dst []float32, img image.Image) error {
	src, err := newSource(img)
	if err != nil {
		return err
	}
	return p.apply(output{floats: dst}, &src)
}

// ApplyInt8 is Apply for networks whose input is int8: q tells what it stands
// for. The codes are those that q.Quantize makes of the tensor of Apply.
func (p *Preprocessor) ApplyInt8(dst []int8, q Quantization, img image.Image) error {
	if err := q.Validate(); err != nil {
		return err
	}
	src, err := newSource(img)
	if err != nil {
		return err
	}
	return p.apply(output{codes: dst, scale: q}, &src)
}

// ApplyRGB writes the tensor of a frame of tightly packed RGB bytes to dst.
func (p *Preprocessor) ApplyRGB(dst []float32, pix []byte, width, height int) error {
	if width > 0 && height > 0 && width <= maxFrame && height <= maxFrame && len(pix) != 3*width*height {
		return fmt.Errorf("preprocess: %d bytes for an RGB frame of %dx%d: must be %d", len(pix), width, height, 3*width*height)
	}
	src := source{kind: kindRGB, bounds: image.Rectangle{Max: image.Pt(width, height)}, pix: pix, stride: 3 * width}
	return p.apply(output{floats: dst}, &src)
}

// output is the tensor, as floats or as codes.
type output struct {
	floats []float32
	codes  []int8
	scale  Quantization // of codes
}

func (p *Preprocessor) apply(dst output, src *source) error {
	width, height := src.bounds.Dx(), src.bounds.Dy()
	if width < 1 || height < 1 || width > maxFrame || height > maxFrame {
		return fmt.Errorf("preprocess: frame of %dx%d pixels: each side must be 1 to %d", width, height, maxFrame)
	}
	if n := len(dst.floats) + len(dst.codes); n != p.spec.Len() {
		return fmt.Errorf("preprocess: tensor of %d values: the spec has %d (%dx%dx3)", n, p.spec.Len(), p.spec.Height, p.spec.Width)
	}
	if width != p.width || height != p.height {
		p.fit(width, height)
	}
	p.mixedRow = [2]int{-1, -1}
	n := 3 * p.spec.Width
	for y := range p.spec.Height {
		if dst.codes == nil {
			p.row(dst.floats[n*y:n*(y+1)], src, y)
		} else {
			p.row(p.line, src, y)
			dst.scale.Quantize(dst.codes[n*y:n*(y+1)], p.line)
		}
	}
	return nil
}

// fit prepares for frames of another size.
func (p *Preprocessor) fit(width, height int) {
	p.width, p.height = width, height
	p.window, p.target = p.spec.place(width, height)
	p.x.resample(p.window.Dx(), p.target.Dx())
	p.y.resample(p.window.Dy(), p.target.Dy())
	p.narrow = narrow(&p.x, &p.y)
	if n := p.window.Dx(); cap(p.pixels) < n {
		p.pixels = make([]uint64, n)
	} else {
		p.pixels = p.pixels[:n]
	}
}

// row writes a row of the tensor.
func (p *Preprocessor) row(line []float32, src *source, y int) {
	if y < p.target.Min.Y || y >= p.target.Max.Y {
		clear(line)
		return
	}
	y -= p.target.Min.Y
	clear(line[:3*p.target.Min.X])
	clear(line[3*p.target.Max.X:])
	line = line[3*p.target.Min.X : 3*p.target.Max.X]
	switch {
	case p.window.Size() == p.target.Size():
		src.row(p.pixels, p.window, y)
		p.look(line)
	case p.narrow:
		p.rowNarrow(line, src, y)
	default:
		p.rowWide(line, src, y)
	}
}

// look is the case without resizing: each byte has one value.
func (p *Preprocessor) look(line []float32) {
	first, last := 0, 2*laneBits
	if p.spec.Channels == "BGR" {
		first, last = last, first
	}
	for i, v := range p.pixels {
		d := line[3*i : 3*i+3 : 3*i+3]
		d[0], d[1], d[2] = p.table[0][byte(v>>first)], p.table[1][byte(v>>laneBits)], p.table[2][byte(v>>last)]
	}
}
