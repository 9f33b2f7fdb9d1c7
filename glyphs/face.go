package glyphs

import (
	"fmt"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// face is one parsed font: the outlines of all characters of all labels.
type face struct {
	name   string
	glyphs map[rune]*outline
}

// parseFace reads the characters of all labels out of a font file.
func parseFace(family string, src fontFile) (face, error) {
	f := face{name: family + "/" + src.name, glyphs: map[rune]*outline{}}
	parsed, err := sfnt.Parse(src.data)
	if err != nil {
		return face{}, fmt.Errorf("glyphs: font %s: %w", f.name, err)
	}
	var buf sfnt.Buffer
	load := func(r rune) (*outline, error) {
		index, err := parsed.GlyphIndex(&buf, r)
		if err == nil && index == 0 {
			err = fmt.Errorf("no such glyph")
		}
		if err != nil {
			return nil, fmt.Errorf("glyphs: font %s: %q: %w", f.name, r, err)
		}
		segments, err := parsed.LoadGlyph(&buf, index, fixed.I(unitsPerEm), &sfnt.LoadGlyphOptions{})
		if err != nil {
			return nil, fmt.Errorf("glyphs: font %s: %q: %w", f.name, r, err)
		}
		o := flatten(segments)
		if len(o.points) == 0 {
			return nil, fmt.Errorf("glyphs: font %s: %q is empty", f.name, r)
		}
		return o, nil
	}
	h, err := load('H')
	if err != nil {
		return face{}, err
	}
	_, y0, _, y1 := h.box()
	capHeight := y1 - y0
	for label := range Labels {
		for _, r := range runesOf(label) {
			o, err := load(r)
			if err != nil {
				return face{}, err
			}
			o.normalize(1 / capHeight)
			f.glyphs[r] = o
		}
	}
	return f, nil
}
