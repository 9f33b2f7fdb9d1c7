package dataset

import (
	"image"
	"sync"

	"github.com/fathom-edge/fathom/glyphs"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// glyphsSet draws the glyphs data set, at any size. All its splits are endless.
type glyphsSet struct {
	spec preprocess.Spec
	// generator parses its fonts when the first sample is asked for.
	generator func() (*glyphs.Generator, error)
}

func newGlyphs(spec preprocess.Spec) *glyphsSet {
	return &glyphsSet{spec: spec, generator: sync.OnceValues(glyphs.New)}
}

func (g *glyphsSet) Name() string          { return "glyphs" }
func (g *glyphsSet) Labels() []string      { return glyphs.Labels }
func (g *glyphsSet) Spec() preprocess.Spec { return g.spec }
func (g *glyphsSet) Len(Split) int         { return Endless }

func (g *glyphsSet) Sample(split Split, index int, dst *image.RGBA) (int, error) {
	generator, err := g.generator()
	if err != nil {
		return 0, err
	}
	from := [...]glyphs.Split{Train: glyphs.Train, Validation: glyphs.Validation, Test: glyphs.Test}[split]
	scene := generator.Scene(from, uint64(index))
	setSize(dst, g.spec.Width, g.spec.Height)
	generator.Paint(dst, &scene)
	return scene.Glyph.Label, nil
}
