package glyphs

import "fmt"

// Range is a closed interval to draw from uniformly.
type Range struct{ Min, Max float64 }

// Difficulty holds the strength of every nuisance, the same for all splits.
// A frame is the side of the sample; lengths in frames do not depend on its
// resolution.
type Difficulty struct {
	Height      Range   // cap height, frames
	Shift       float64 // centre of the glyph from the centre of the frame, frames, ± on each axis
	Rotation    float64 // degrees, ±
	Perspective float64 // relative change of size across one cap height, ± on each axis
	Slant       float64 // degrees, ±, on top of the face's own
	Stretch     Range   // width over height, relative to the face
	Weight      Range   // growth of a stroke, in strokes of the glyph (0 as designed)

	Contrast   Range   // |luma of glyph − luma of background|, of full scale; thin strokes get more
	Gradient   float64 // change of the background across the frame, of the contrast
	Light      Range   // lost light at the dark end of a gradient, of full light
	ShadowP    float64 // probability of a shadow with an edge
	Shadow     Range   // light lost in the shadow, of full light
	NeighbourP float64 // probability of a neighbouring glyph, for each side
	Lines      int     // at most so many lines behind the glyph
	Blobs      int     // at most so many blobs behind the glyph
	Clutter    Range   // contrast of a line or blob to the background, of the glyph's contrast
	OccludeP   float64 // probability of a patch over the glyph, each of two times
	OccludeW   Range   // its width, cap heights: below the size of any part that decides
	OccludeL   Range   // its length, cap heights
	StrikeP    float64 // probability of a thin line across the glyph
	Strike     Range   // its width, frames

	Blur    Range   // Gaussian, standard deviation in cap heights
	MotionP float64 // probability of motion blur
	Motion  Range   // its length, cap heights
	Noise   Range   // standard deviation, of the contrast in the light that is left
	Grain   Range   // standard deviation of noise that does not follow the contrast, of full scale
}

// Frozen returns the strengths of the published dataset.
func Frozen() Difficulty {
	const px = 1.0 / Size
	return Difficulty{
		Height:      Range{0.46, 0.74},
		Shift:       0.07,
		Rotation:    20,
		Perspective: 0.2,
		Slant:       12,
		Stretch:     Range{0.72, 1.3},
		Weight:      Range{-0.25, 0.4},

		Contrast:   Range{0.18, 0.8},
		Gradient:   0.5,
		Light:      Range{0, 0.4},
		ShadowP:    0.3,
		Shadow:     Range{0.15, 0.4},
		NeighbourP: 0.35,
		Lines:      3,
		Blobs:      3,
		Clutter:    Range{0.15, 0.5},
		OccludeP:   0.25,
		OccludeW:   Range{0.08, 0.17},
		OccludeL:   Range{0.15, 0.45},
		StrikeP:    0.15,
		Strike:     Range{0.6 * px, 1.5 * px},

		Blur:    Range{0.01, 0.058},
		MotionP: 0.25,
		Motion:  Range{0.05, 0.13},
		Noise:   Range{0.02, 0.17},
		Grain:   Range{0, 0.02},
	}
}

// check refuses strengths that cannot be drawn.
func (d Difficulty) check() error {
	for _, r := range []struct {
		name     string
		r        Range
		min, max float64
	}{
		{"Height", d.Height, 0.1, 1},
		{"Stretch", d.Stretch, 0.2, 5},
		{"Weight", d.Weight, -1, 1},
		{"Contrast", d.Contrast, 0.01, 1},
		{"Light", d.Light, 0, 1},
		{"Shadow", d.Shadow, 0, 1},
		{"Clutter", d.Clutter, 0, 1},
		{"OccludeW", d.OccludeW, 0, 1},
		{"OccludeL", d.OccludeL, 0, 2},
		{"Strike", d.Strike, 0, 1},
		{"Blur", d.Blur, 0, 1},
		{"Motion", d.Motion, 0, 1},
		{"Noise", d.Noise, 0, 1},
		{"Grain", d.Grain, 0, 1},
	} {
		if !(r.min <= r.r.Min && r.r.Min <= r.r.Max && r.r.Max <= r.max) {
			return fmt.Errorf("glyphs: difficulty %s: range %v to %v is not inside %v to %v", r.name, r.r.Min, r.r.Max, r.min, r.max)
		}
	}
	for _, v := range []struct {
		name       string
		value, max float64
	}{
		{"Shift", d.Shift, 0.5},
		{"Rotation", d.Rotation, 180},
		{"Perspective", d.Perspective, 0.6},
		{"Slant", d.Slant, 60},
		{"Gradient", d.Gradient, 1},
		{"ShadowP", d.ShadowP, 1},
		{"NeighbourP", d.NeighbourP, 1},
		{"Lines", float64(d.Lines), 100},
		{"Blobs", float64(d.Blobs), 100},
		{"OccludeP", d.OccludeP, 1},
		{"StrikeP", d.StrikeP, 1},
		{"MotionP", d.MotionP, 1},
	} {
		if !(0 <= v.value && v.value <= v.max) {
			return fmt.Errorf("glyphs: difficulty %s: %v is not inside 0 to %v", v.name, v.value, v.max)
		}
	}
	return nil
}
