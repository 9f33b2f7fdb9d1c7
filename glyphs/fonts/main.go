// Command fonts takes the outlines that the data set draws out of the open
// fonts of several Go modules, and writes the file that package glyphs embeds:
//
//	go run ./glyphs/fonts glyphs/outlines.gz
package main

import (
	"fmt"
	"os"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"github.com/fathom-edge/fathom/glyphs"
	"github.com/fathom-edge/fathom/glyphs/internal/outlines"
	"github.com/fathom-edge/fathom/internal/atomicfile"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "fonts: call it with the file to write, glyphs/outlines.gz")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "fonts:", err)
		os.Exit(1)
	}
}

func write(path string) error {
	families, err := extract(fontTable())
	if err != nil {
		return err
	}
	file, err := outlines.Encode(families)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, file)
}

// extract reads the characters of all labels out of every font.
func extract(table []fontFamily) ([]outlines.Family, error) {
	var families []outlines.Family
	for _, f := range table {
		family := outlines.Family{Name: f.name, Superfamily: f.superfamily, Split: int(f.split), Module: f.module, Licence: f.licence}
		for _, src := range f.faces {
			face, err := readFace(src)
			if err != nil {
				return nil, fmt.Errorf("font %s/%s: %w", f.name, src.name, err)
			}
			family.Faces = append(family.Faces, face)
		}
		families = append(families, family)
	}
	return families, nil
}

func readFace(src fontFile) (outlines.Face, error) {
	face := outlines.Face{Name: src.name}
	parsed, err := sfnt.Parse(src.data)
	if err != nil {
		return face, err
	}
	for _, r := range glyphs.Runes() {
		var buf sfnt.Buffer // not shared: the segments are kept
		index, err := parsed.GlyphIndex(&buf, r)
		if err == nil && index == 0 {
			err = fmt.Errorf("no such glyph")
		}
		if err != nil {
			return face, fmt.Errorf("%q: %w", r, err)
		}
		segments, err := parsed.LoadGlyph(&buf, index, fixed.I(outlines.UnitsPerEm), &sfnt.LoadGlyphOptions{})
		if err != nil {
			return face, fmt.Errorf("%q: %w", r, err)
		}
		face.Glyphs = append(face.Glyphs, outlines.Glyph{Rune: r, Segments: segments})
	}
	return face, nil
}
