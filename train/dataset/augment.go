package dataset

import (
	"errors"
	"fmt"
)

// Augment is how training images are varied. The zero value leaves them as they are. Lengths are pixels of the network's
// input; what is cut out or lies beyond an image's border has the spec's mean colour, which is 0 in the tensor.
type Augment struct {
	// Pad shifts the image by up to so many pixels on each axis: a random crop of the padded image.
	Pad int `yaml:"pad"`
	// ResizedCrop takes a random part of the picture instead of the largest centred window.
	ResizedCrop *ResizedCrop `yaml:"resized_crop"`
	// Flip mirrors half of the images, by chance, left to right.
	Flip bool `yaml:"flip"`
	// Brightness, Contrast and Saturation multiply by a factor from 1-v to 1+v; v is 0 to 1. Contrast is about the mean luma
	// of the image, saturation about the luma of the pixel.
	Brightness float64 `yaml:"brightness"`
	Contrast   float64 `yaml:"contrast"`
	Saturation float64 `yaml:"saturation"`
	// Cutout clears a square of that side around a random pixel (arXiv 1708.04552).
	Cutout int `yaml:"cutout"`
	// Mixup blends every image and its target with another of the batch, the share drawn from Beta(v, v) (arXiv 1710.09412).
	Mixup float64 `yaml:"mixup"`
}

// ResizedCrop is the part of a picture that becomes the network's input. Empty fields are the usual ranges.
type ResizedCrop struct {
	// Scale is the least and greatest share of the picture's area; [0.08, 1] where it is empty.
	Scale []float64 `yaml:"scale"`
	// Ratio is the least and greatest width over height; [0.75, 1.3333] where it is empty.
	Ratio []float64 `yaml:"ratio"`
}

// complete fills empty ranges in.
func (r ResizedCrop) complete() ResizedCrop {
	if len(r.Scale) == 0 {
		r.Scale = []float64{0.08, 1}
	}
	if len(r.Ratio) == 0 {
		r.Ratio = []float64{3. / 4, 4. / 3}
	}
	return r
}

// check returns the first field that cannot be, below "augment", for inputs of size x size pixels.
func (a Augment) check(size int) (field string, err error) {
	type rule struct {
		field string
		ok    bool
		want  string
	}
	rules := []rule{
		{"pad", a.Pad >= 0 && a.Pad < size, fmt.Sprintf("must be 0 to %d, less than the image's size", size-1)},
		{"pad", a.Pad == 0 || a.ResizedCrop == nil, "and resized_crop both choose the part of the image: leave one out"},
		{"brightness", unit(a.Brightness), "must be 0 to 1"},
		{"contrast", unit(a.Contrast), "must be 0 to 1"},
		{"saturation", unit(a.Saturation), "must be 0 to 1"},
		{"cutout", a.Cutout >= 0 && a.Cutout <= size, fmt.Sprintf("must be 0 to %d, the image's size", size)},
		{"mixup", a.Mixup == 0 || a.Mixup >= 0.01 && a.Mixup <= maxMixup, fmt.Sprintf("must be 0 (off) or 0.01 to %d", maxMixup)},
	}
	if a.ResizedCrop != nil {
		r := a.ResizedCrop.complete()
		rules = append(rules,
			rule{"resized_crop.scale", span(r.Scale, 0.001, 1), "must be two shares of the area, the smaller first, from 0.001 to 1"},
			rule{"resized_crop.ratio", span(r.Ratio, 0.1, 10), "must be two ratios of width to height, the smaller first, from 0.1 to 10"})
	}
	for _, r := range rules {
		if !r.ok {
			return r.field, errors.New(r.want)
		}
	}
	return "", nil
}

func unit(v float64) bool { return v >= 0 && v <= 1 }

func span(v []float64, low, high float64) bool {
	return len(v) == 2 && low <= v[0] && v[0] <= v[1] && v[1] <= high
}
