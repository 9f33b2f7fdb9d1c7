package glyphs

import (
	"bytes"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var shared = sync.OnceValues(New)

func generator(t testing.TB) *Generator {
	t.Helper()
	g, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestSampleRepeats draws the same samples in order, out of order by several
// goroutines, and by another generator.
func TestSampleRepeats(t *testing.T) {
	const n = 150
	g := generator(t)
	other, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for _, split := range Splits() {
		want := make([][]byte, n)
		labels := make([]int, n)
		for i := range want {
			want[i] = make([]byte, SampleBytes)
			labels[i] = g.Sample(split, uint64(i), want[i])
		}
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Go(func() {
				from := []*Generator{g, other}[worker%2]
				got := make([]byte, SampleBytes)
				for k := range n {
					i := (k*7 + worker*31) % n
					if label := from.Sample(split, uint64(i), got); label != labels[i] || !bytes.Equal(got, want[i]) {
						t.Errorf("%v sample %d differs when drawn again", split, i)
						return
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestSamplesDiffer(t *testing.T) {
	g := generator(t)
	seen := map[string]uint64{}
	dst := make([]byte, SampleBytes)
	for _, split := range Splits() {
		for _, first := range []uint64{0, 1 << 32, math.MaxUint64 - 50} {
			for i := range uint64(50) {
				g.Sample(split, first+i, dst)
				if before, ok := seen[string(dst)]; ok {
					t.Fatalf("%v samples %d and %d are the same", split, first+i, before)
				}
				seen[string(dst)] = first + i
			}
		}
	}
}

func TestEveryRunOfLabelsIsBalanced(t *testing.T) {
	g := generator(t)
	var want []int
	for label := range Labels {
		want = append(want, label)
	}
	var orders [][]int
	for _, split := range Splits() {
		for _, block := range []uint64{0, 1, 1000} {
			var got []int
			for i := range uint64(len(Labels)) {
				s := g.Scene(split, block*uint64(len(Labels))+i)
				got = append(got, s.Glyph.Label)
			}
			for _, order := range orders {
				if slices.Equal(order, got) {
					t.Errorf("%v block %d has the order of another block", split, block)
				}
			}
			orders = append(orders, slices.Clone(got))
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v block %d (-want +got):\n%s", split, block, diff)
			}
		}
	}
}

// TestFamiliesAreDrawnEvenly counts the families and the characters of shared
// classes over many scenes.
func TestFamiliesAreDrawnEvenly(t *testing.T) {
	g := generator(t)
	const n = 34 * 300
	for _, split := range Splits() {
		families, runes := map[int]int{}, map[rune]int{}
		faceFamily := map[int]int{}
		for f, fam := range g.families[split] {
			for _, face := range fam.faces {
				faceFamily[face] = f
			}
		}
		var s Scene
		for i := range uint64(n) {
			g.scene(split, i, &s)
			f, ok := faceFamily[s.Glyph.Face]
			if !ok {
				t.Fatalf("%v draws face %s of another split", split, g.FaceName(s.Glyph.Face))
			}
			families[f]++
			runes[s.Glyph.Rune]++
		}
		for f, fam := range g.families[split] {
			near(t, split.String()+" "+fam.name, families[f], n/len(g.families[split]))
		}
		for r, want := range map[rune]int{'0': n / 68, 'O': n / 68, '1': n / 102, 'I': n / 102, 'l': n / 102, 'Z': n / 34} {
			near(t, split.String()+" "+string(r), runes[r], want)
		}
	}
}

// near fails where a count is five standard deviations off.
func near(t *testing.T, what string, got, want int) {
	t.Helper()
	if math.Abs(float64(got-want)) > 5*math.Sqrt(float64(want)) {
		t.Errorf("%s: drawn %d times, want about %d", what, got, want)
	}
}

func TestSampleDoesNotAllocate(t *testing.T) {
	g := generator(t)
	dst := make([]byte, SampleBytes)
	for i := range uint64(300) { // let the working memory grow
		g.Sample(Train, i, dst)
	}
	i := uint64(0)
	if allocs := testing.AllocsPerRun(300, func() { g.Sample(Train, i, dst); i++ }); allocs > 1 {
		t.Errorf("Sample allocates %v times", allocs)
	}
}

func TestLabels(t *testing.T) {
	if len(Labels) != 34 {
		t.Errorf("%d labels, want 34", len(Labels))
	}
	all := map[rune]string{}
	for label, name := range Labels {
		for _, r := range runesOf(label) {
			if before, ok := all[r]; ok {
				t.Errorf("%q is of %s and of %s", r, before, name)
			}
			all[r] = name
		}
	}
	for _, r := range "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZl" {
		if _, ok := all[r]; !ok {
			t.Errorf("%q has no label", r)
		}
	}
	if all['0'] != all['O'] || all['1'] != all['I'] || all['I'] != all['l'] {
		t.Error("0 and O, or 1, I and l, are apart")
	}
}

func TestParseSplit(t *testing.T) {
	for _, s := range Splits() {
		got, err := ParseSplit(s.String())
		if err != nil || got != s {
			t.Errorf("ParseSplit(%q) = %v, %v", s.String(), got, err)
		}
	}
	if _, err := ParseSplit("Split(3)"); err == nil {
		t.Error("ParseSplit takes a name that is none")
	}
}

func BenchmarkSample(b *testing.B) {
	g := generator(b)
	dst := make([]byte, SampleBytes)
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		g.Sample(Train, i, dst)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(); err != nil {
			b.Fatal(err)
		}
	}
}
