// Package outlines is the file that keeps of each font what the data set draws:
// the outlines of some forty characters. The fonts themselves are a hundred
// times as large.
package outlines

import (
	"bytes"
	"compress/gzip"
	"encoding/gob"
	"fmt"

	"golang.org/x/image/font/sfnt"
)

// UnitsPerEm is the scale of all outlines: a font unit of a 2048-unit font is 1 (64 in a fixed.Int26_6).
const UnitsPerEm = 2048

// Family is one type design. Families of one superfamily share their designer's
// shapes, and so are in one split.
type Family struct {
	Name, Superfamily string
	Split             int
	Module, Licence   string // of the font files
	Faces             []Face
}

// Face is one weight, width and slope of a family.
type Face struct {
	Name   string
	Glyphs []Glyph
}

// Glyph is the outline of a character, y down.
type Glyph struct {
	Rune     rune
	Segments sfnt.Segments
}

// Encode writes families; the same families are the same bytes for one version of Go.
func Encode(families []Family) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if err := gob.NewEncoder(z).Encode(families); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Decode reads what Encode wrote.
func Decode(file []byte) ([]Family, error) {
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("outlines: %w", err)
	}
	var families []Family
	if err := gob.NewDecoder(z).Decode(&families); err != nil {
		return nil, fmt.Errorf("outlines: %w", err)
	}
	return families, nil
}
