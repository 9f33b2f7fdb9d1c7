package glyphs

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

// Size is the side of a sample in pixels. Samples are square, RGB, HWC.
const Size = 32

// SampleBytes is the length of one sample: Size × Size pixels of 3 bytes.
const SampleBytes = Size * Size * 3

// Version names the generator: it seeds every sample, and changes whenever a
// sample would come out differently.
const Version = 1

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

// Split selects the design families that samples are drawn from.
type Split int

// The three splits. No design family is in two of them.
const (
	Train Split = iota
	Validation
	Test
	splits
)

// Splits lists all splits.
func Splits() []Split { return []Split{Train, Validation, Test} }

func (s Split) String() string {
	switch s {
	case Train:
		return "train"
	case Validation:
		return "validation"
	case Test:
		return "test"
	}
	return fmt.Sprintf("Split(%d)", int(s))
}

// ParseSplit is the inverse of Split.String.
func ParseSplit(name string) (Split, error) {
	for _, s := range Splits() {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("glyphs: no split %q (use train, validation or test)", name)
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

// New parses the embedded fonts and returns a generator of the frozen
// difficulty. It takes some tens of milliseconds: build one and share it.
func New() (*Generator, error) { return NewWithDifficulty(Frozen()) }

// NewWithDifficulty is New with other strengths. Its samples are not the
// published dataset.
func NewWithDifficulty(d Difficulty) (*Generator, error) {
	g := &Generator{difficulty: d}
	g.painters.New = func() any { return new(painter) }
	for _, f := range fontTable() {
		fam := family{name: f.name, superfamily: f.superfamily}
		for _, src := range f.faces {
			face, err := parseFace(f.name, src)
			if err != nil {
				return nil, err
			}
			fam.faces = append(fam.faces, len(g.faces))
			g.faces = append(g.faces, face)
		}
		g.families[f.split] = append(g.families[f.split], fam)
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

// labelOf spreads the labels evenly: a shuffle of all labels for each run of
// len(Labels) samples.
func labelOf(split Split, index uint64) int {
	n := uint64(len(Labels))
	block, at := index/n, int(index%n)
	rng := newRand(uint64(split)<<1|1, block)
	var order [64]uint8
	for i := range Labels {
		j := rng.IntN(i + 1)
		order[i] = order[j]
		order[j] = uint8(i)
	}
	return int(order[at])
}

// newRand seeds a generator from the version, a stream number and an index.
// The multiplications spread neighbouring indices over the seed space.
func newRand(stream, index uint64) source {
	const version = Version * 0x9e3779b97f4a7c15
	return source{*rand.NewPCG(mix(version+stream), mix(index+stream<<56))}
}

func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// source draws the random numbers of one sample. Its own short methods keep
// the stream independent of math/rand's conveniences.
type source struct{ pcg rand.PCG }

func (s *source) Uint64() uint64 { return s.pcg.Uint64() }

// IntN returns a uniform integer in [0, n). The bias is below n / 2^32.
func (s *source) IntN(n int) int { return int(s.pcg.Uint64() >> 32 * uint64(n) >> 32) }

// Unit returns a uniform number in [0, 1) with 24 bits.
func (s *source) Unit() float64 { return float64(s.pcg.Uint64()>>40) / (1 << 24) }

// In returns a uniform number in the range.
func (s *source) In(r Range) float64 {
	return r.Min + float64((r.Max-r.Min)*s.Unit())
}

// Sym returns a uniform number in [-a, a).
func (s *source) Sym(a float64) float64 { return float64(a * (2*s.Unit() - 1)) }

// Chance is true with probability p.
func (s *source) Chance(p float64) bool { return s.Unit() < p }
