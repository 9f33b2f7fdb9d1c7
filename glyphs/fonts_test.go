package glyphs

import (
	"image"
	"testing"

	"github.com/fathom-edge/fathom/glyphs/internal/outlines"
)

func TestSplitsShareNoSuperfamily(t *testing.T) {
	splitOf := map[string]Split{}
	names := map[string]bool{}
	designs := map[Split]int{}
	list, err := families()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		split := Split(f.Split)
		if f.Name == "" || f.Superfamily == "" || f.Module == "" || f.Licence == "" || len(f.Faces) == 0 {
			t.Errorf("incomplete row %q", f.Name)
		}
		if names[f.Name] {
			t.Errorf("%s is listed twice", f.Name)
		}
		names[f.Name] = true
		before, ok := splitOf[f.Superfamily]
		if ok && before != split {
			t.Errorf("%s is in %v and %v", f.Superfamily, before, split)
		}
		if !ok {
			designs[split]++
		}
		splitOf[f.Superfamily] = split
	}
	for _, s := range Splits() {
		if designs[s] < 2 {
			t.Errorf("%v has %d superfamilies, want at least 2", s, designs[s])
		}
	}
}

// TestEveryGlyphIsDrawn draws each character of each face upright: it must
// have ink, stay a sign and not a blot, and lie in the middle.
func TestEveryGlyphIsDrawn(t *testing.T) {
	g := generator(t)
	const side = 48
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	faces := 0
	for _, split := range Splits() {
		for _, face := range g.FacesOf(split) {
			faces++
			for label := range Labels {
				for _, r := range g.RunesOf(label) {
					clear(img.Pix)
					g.Draw(img, Glyph{Label: label, Rune: r, Face: face}, Pose{Height: 0.5}, RGB{1, 1, 1})
					ink, edge := 0, 0
					for y := range side {
						for x := range side {
							v := int(img.Pix[img.PixOffset(x, y)])
							ink += v
							if x == 0 || y == 0 || x == side-1 || y == side-1 {
								edge += v
							}
						}
					}
					// Of a square of the cap height, the thinnest l has some
					// 5 % of ink and the boldest W some 80 %.
					part := float64(ink) / 255 / (side * side / 4)
					if part < 0.04 || part > 0.9 || edge > 0 {
						t.Errorf("%s %q: ink %.3f of the square, %d at the edge", g.FaceName(face), r, part, edge)
					}
				}
			}
		}
	}
	if faces != g.Faces() {
		t.Errorf("the splits have %d faces, the generator %d", faces, g.Faces())
	}
}

// TestWeightGrowsInk checks that the weight thickens and thins strokes of every
// face, whichever way round its contours run.
func TestWeightGrowsInk(t *testing.T) {
	g := generator(t)
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	ink := func(glyph Glyph, weight float64) (sum int) {
		clear(img.Pix)
		g.Draw(img, glyph, Pose{Height: 0.6, Weight: weight}, RGB{1, 1, 1})
		for i := 0; i < len(img.Pix); i += 4 {
			sum += int(img.Pix[i])
		}
		return sum
	}
	for face := range g.Faces() {
		for _, label := range []int{0, 1, 8, 10} {
			glyph := Glyph{Label: label, Face: face}
			thin, plain, bold := ink(glyph, -0.2), ink(glyph, 0), ink(glyph, 0.3)
			if !(thin < plain && plain < bold) {
				t.Errorf("%s %s: ink %d, %d, %d at weights -0.2, 0, 0.3", g.FaceName(face), Labels[label], thin, plain, bold)
			}
		}
	}
}

func TestNewFaceRefusesWhatIsIncomplete(t *testing.T) {
	list, err := families()
	if err != nil {
		t.Fatal(err)
	}
	whole := list[0].Faces[0]
	for name, glyphs := range map[string][]outlines.Glyph{
		"a character is missing": whole.Glyphs[1:],
		"a character is empty":   append([]outlines.Glyph{{Rune: whole.Glyphs[0].Rune}}, whole.Glyphs[1:]...),
	} {
		if f, err := newFace("Family", outlines.Face{Name: "Regular", Glyphs: glyphs}); err == nil || f.glyphs != nil {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
}
