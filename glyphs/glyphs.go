package glyphs

import (
	"sync"
)

// Size is the side of a sample in pixels. Samples are square, RGB, HWC.
const Size = 32

// SampleBytes is the length of one sample: Size × Size pixels of 3 bytes.
const SampleBytes = Size * Size * 3

// Version names the generator: it seeds every sample, and changes whenever a
// sample would come out differently.
const Version = 2

// Labels are the classes in the order of the network's outputs. O and 0 are
// one class, and so are I, 1 and l.
var Labels = []string{
	"0-O", "1-I", "2", "3", "4", "5", "6", "7", "8", "9",
	"A", "B", "C", "D", "E", "F", "G", "H", "J", "K", "L", "M", "N",
	"P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z",
}

// runesOf returns the characters that are drawn for a label.
func runesOf(label int) []rune {
	switch label {
	case 0:
		return []rune{'0', 'O'}
	case 1:
		return []rune{'1', 'I', 'l'}
	}
	return []rune{rune(Labels[label][0])}
}

// Runes returns the characters of all labels.
func Runes() []rune {
	var all []rune
	for label := range Labels {
		all = append(all, runesOf(label)...)
	}
	return all
}

// Generator draws samples. It is safe for concurrent use.
type Generator struct {
	difficulty Difficulty
	faces      []face
	families   [splits][]family
	painters   sync.Pool // *painter
}

// family is the faces of one design family, as indices into Generator.faces.
type family struct {
	name        string
	superfamily string
	faces       []int
}

// New reads the embedded outlines and returns a generator of the frozen
// difficulty. It takes some tens of milliseconds on a
// desktop machine: build one and share it.
func New() (*Generator, error) { return NewWithDifficulty(Frozen()) }

// NewWithDifficulty is New with other strengths; it refuses those that cannot
// be drawn. Its samples are not the published dataset.
func NewWithDifficulty(d Difficulty) (*Generator, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	g := &Generator{difficulty: d}
	g.painters.New = func() any { return new(painter) }
	list, err := families()
	if err != nil {
		return nil, err
	}
	for _, f := range list {
		fam := family{name: f.Name, superfamily: f.Superfamily}
		for _, src := range f.Faces {
			face, err := newFace(f.Name, src)
			if err != nil {
				return nil, err
			}
			fam.faces = append(fam.faces, len(g.faces))
			g.faces = append(g.faces, face)
		}
		g.families[f.Split] = append(g.families[f.Split], fam)
	}
	return g, nil
}

// Families returns the names of the design families of a split.
func (g *Generator) Families(split Split) []string {
	var names []string
	for _, f := range g.families[split] {
		names = append(names, f.name)
	}
	return names
}

// Faces returns how many faces the generator knows; a Glyph.Face is below it.
func (g *Generator) Faces() int { return len(g.faces) }

// FaceName names a face, with its family in front: "DejaVu/SansBold".
func (g *Generator) FaceName(face int) string { return g.faces[face].name }

// FacesOf returns the faces of a split.
func (g *Generator) FacesOf(split Split) []int {
	var faces []int
	for _, f := range g.families[split] {
		faces = append(faces, f.faces...)
	}
	return faces
}

// RunesOf returns the characters that stand for a label in this generator.
func (g *Generator) RunesOf(label int) []rune { return runesOf(label) }

// Sample draws sample index of the split into dst, SampleBytes bytes of RGB in
// HWC order, and returns its label. The same (split, index) gives the same
// bytes. Each run of len(Labels) samples that starts at a multiple of it holds
// every label once. It panics where dst is too short.
func (g *Generator) Sample(split Split, index uint64, dst []byte) (label int) {
	_ = dst[SampleBytes-1]
	p := g.painters.Get().(*painter)
	defer g.painters.Put(p)
	g.scene(split, index, &p.scene)
	p.resize(Size, Size)
	p.paint(g, &p.scene)
	p.writeRGB(dst)
	return p.scene.Glyph.Label
}
