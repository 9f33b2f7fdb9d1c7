package dataset

import (
	"image"
	"math"
	"math/rand/v2"

	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// viewer turns pictures into tensors, with augmentation or without. One goroutine may use it.
type viewer struct {
	spec    preprocess.Spec
	augment Augment
	plain   *preprocess.Preprocessor // as on the board
	part    *preprocess.Preprocessor // a part of another shape
	pcg     rand.PCG
	rng     *rand.Rand
	spare   []float32
}

func newViewer(spec preprocess.Spec, a Augment) (*viewer, error) {
	v := &viewer{spec: spec, augment: a, spare: make([]float32, spec.Len())}
	v.rng = rand.New(&v.pcg)
	if a.ResizedCrop != nil {
		crop := a.ResizedCrop.complete()
		v.augment.ResizedCrop = &crop
	}
	var err error
	if v.plain, err = preprocess.New(spec); err != nil {
		return nil, err
	}
	spec.Fit = preprocess.FitStretch
	v.part, err = preprocess.New(spec)
	return v, err
}

// as is the view of evaluation.
func (v *viewer) as(dst []float32, img *image.RGBA) error { return v.plain.Apply(dst, img) }

// varied is the view of training, drawn from (seed, ordinal).
func (v *viewer) varied(dst []float32, img *image.RGBA, seed uint64, ordinal int) error {
	reseed(&v.pcg, seed, streamView, uint64(ordinal))
	window, ok := img.Rect, false
	if v.augment.ResizedCrop != nil {
		window, ok = v.window(img.Rect)
	}
	pre := v.plain
	if ok {
		pre = v.part
	}
	if err := pre.Apply(dst, img.SubImage(window)); err != nil {
		return err
	}
	v.colour(dst)
	if v.augment.Pad > 0 {
		v.shift(dst)
	}
	if v.augment.Flip && v.rng.IntN(2) == 0 {
		v.flip(dst)
	}
	if v.augment.Cutout > 0 {
		v.cutout(dst)
	}
	return nil
}

// window draws a part of the picture; not ok where none of the drawn shapes fits.
func (v *viewer) window(b image.Rectangle) (part image.Rectangle, ok bool) {
	const tries = 10
	c := v.augment.ResizedCrop
	area := float64(b.Dx()) * float64(b.Dy())
	low, high := math.Log(c.Ratio[0]), math.Log(c.Ratio[1])
	for range tries {
		a := area * v.between(c.Scale[0], c.Scale[1])
		ratio := math.Exp(v.between(low, high))
		w, h := int(math.Round(math.Sqrt(a*ratio))), int(math.Round(math.Sqrt(a/ratio)))
		if w >= 1 && h >= 1 && w <= b.Dx() && h <= b.Dy() {
			x, y := b.Min.X+v.rng.IntN(b.Dx()-w+1), b.Min.Y+v.rng.IntN(b.Dy()-h+1)
			return image.Rect(x, y, x+w, y+h), true
		}
	}
	return b, false
}

func (v *viewer) between(low, high float64) float64 { return low + (high-low)*v.rng.Float64() }

// shift moves the image by up to Pad pixels on each axis.
func (v *viewer) shift(t []float32) {
	dx, dy := v.rng.IntN(2*v.augment.Pad+1)-v.augment.Pad, v.rng.IntN(2*v.augment.Pad+1)-v.augment.Pad
	copy(v.spare, t)
	clear(t)
	w, h := v.spec.Width, v.spec.Height
	from, to := max(0, -dx), min(w, w-dx) // columns of the source that stay
	for y := max(0, -dy); y < min(h, h-dy); y++ {
		copy(t[3*((y+dy)*w+from+dx):3*((y+dy)*w+to+dx)], v.spare[3*(y*w+from):])
	}
}

func (v *viewer) flip(t []float32) {
	for y := range v.spec.Height {
		row := t[3*y*v.spec.Width : 3*(y+1)*v.spec.Width]
		for i, j := 0, len(row)-3; i < j; i, j = i+3, j-3 {
			for c := range 3 {
				row[i+c], row[j+c] = row[j+c], row[i+c]
			}
		}
	}
}

func (v *viewer) cutout(t []float32) {
	w, h, side := v.spec.Width, v.spec.Height, v.augment.Cutout
	x, y := v.rng.IntN(w)-side/2, v.rng.IntN(h)-side/2
	for row := max(0, y); row < min(h, y+side); row++ {
		clear(t[3*(row*w+max(0, x)) : 3*(row*w+min(w, x+side))])
	}
}
