// Package scene says which part of a picture is looked at, and whether anything
// moved in it.
package scene

import (
	"fmt"
	"image"
	"math"
)

// Region is a rectangle of the picture, in shares of its width and height: x and y
// from the upper left corner. Each region is classified by itself.
type Region struct {
	// Name of the region, as events tell it.
	Name string `yaml:"name"`
	// Upper left corner and sides, shares of the picture.
	X      float64 `yaml:"x"`
	Y      float64 `yaml:"y"`
	Width  float64 `yaml:"width"`
	Height float64 `yaml:"height"`
}

// maxRegions bounds what shares one rate of frames.
const maxRegions = 8

// leastShare is the smallest side of a region.
const leastShare = 0.02

// ValidateRegions says what is wrong with a list; the message begins with what the name of the field goes on with.
func ValidateRegions(list []Region) error {
	if len(list) > maxRegions {
		return fmt.Errorf(": %d regions: at most %d share the frames", len(list), maxRegions)
	}
	seen := map[string]bool{}
	for i, r := range list {
		const slack = 1e-9 // 0.7 + 0.3 is more than 1
		switch {
		case r.Name == "":
			return fmt.Errorf("[%d].name: missing (events tell it)", i)
		case seen[r.Name]:
			return fmt.Errorf("[%d].name: %q stands twice", i, r.Name)
		case !(r.X >= 0 && r.Y >= 0 && r.Width >= leastShare && r.Height >= leastShare && r.X+r.Width <= 1+slack && r.Y+r.Height <= 1+slack):
			return fmt.Errorf("[%d]: %s: x %g, y %g, width %g, height %g: want shares of the picture within 0 to 1, sides of at least %g",
				i, r.Name, r.X, r.Y, r.Width, r.Height, leastShare)
		}
		seen[r.Name] = true
	}
	return nil
}

// Crop returns the region of a picture, which shares its pixels. Every picture of
// a camera can be cropped; another one is returned whole. The sides are rounded
// outwards to whole pixels.
func (r Region) Crop(picture image.Image) image.Image {
	sub, ok := picture.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if !ok || r.Width == 0 {
		return picture
	}
	b := picture.Bounds()
	at := func(share float64, low, side int, round func(float64) float64) int {
		return low + int(round(share*float64(side)))
	}
	return sub.SubImage(image.Rect(
		at(r.X, b.Min.X, b.Dx(), math.Floor), at(r.Y, b.Min.Y, b.Dy(), math.Floor),
		at(min(r.X+r.Width, 1), b.Min.X, b.Dx(), math.Ceil), at(min(r.Y+r.Height, 1), b.Min.Y, b.Dy(), math.Ceil)))
}
