package glyphs

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/fathom-edge/fathom/glyphs/internal/outlines"
)

// The outlines of all characters of all faces, which go run ./glyphs/fonts takes out of the fonts.
//
//go:generate go run ./fonts outlines.gz
//go:embed outlines.gz
var outlinesFile []byte

// families reads the embedded outlines once.
var families = sync.OnceValues(func() ([]outlines.Family, error) { return outlines.Decode(outlinesFile) })

// face is one font: the outlines of all characters of all labels.
type face struct {
	name   string
	glyphs map[rune]*outline
}

// newFace flattens the characters of a face.
func newFace(family string, src outlines.Face) (face, error) {
	f := face{name: family + "/" + src.Name, glyphs: map[rune]*outline{}}
	for _, g := range src.Glyphs {
		o := flatten(g.Segments)
		if len(o.points) == 0 {
			return face{}, fmt.Errorf("glyphs: font %s: %q is empty", f.name, g.Rune)
		}
		f.glyphs[g.Rune] = o
	}
	for _, r := range Runes() {
		if f.glyphs[r] == nil {
			return face{}, fmt.Errorf("glyphs: font %s: %q is missing", f.name, r)
		}
	}
	_, y0, _, y1 := f.glyphs['H'].box()
	capHeight := y1 - y0
	for _, o := range f.glyphs {
		o.normalize(1 / capHeight)
	}
	return f, nil
}
