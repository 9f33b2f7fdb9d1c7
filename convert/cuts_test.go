package convert

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Words are written as strings here; a capital letter weighs 100, a small one
// 10, and a point nothing. The least saving is 64.
func lay(words ...string) []string {
	ids, weights := encode(words)
	cuts := findCuts(ids, weights, 64)
	var paths []string
	for i, word := range ids {
		path, at := "", 0
		for _, run := range runs(word, cuts) {
			if at > 0 {
				path += " "
			}
			path += words[i][at : at+len(run)]
			at += len(run)
		}
		paths = append(paths, path)
	}
	return paths
}

func encode(words []string) (ids [][]int, weights []int64) {
	for _, w := range words {
		var word []int
		for _, c := range []byte(w) {
			word = append(word, int(c))
		}
		ids = append(ids, word)
	}
	weights = make([]int64, 128)
	for c := range weights {
		switch {
		case c >= 'A' && c <= 'Z':
			weights[c] = 100
		case c >= 'a' && c <= 'z':
			weights[c] = 10
		}
	}
	return ids, weights
}

func TestFindCuts(t *testing.T) {
	for _, c := range []struct {
		name        string
		words, want []string
	}{
		{"one variant", []string{"ABC"}, []string{"ABC"}},
		{"nothing in common", []string{"AB", "CD"}, []string{"AB", "CD"}},
		{"equal variants", []string{"ABC", "ABC"}, []string{"ABC", "ABC"}},
		{"common beginning", []string{"AB", "AC"}, []string{"A B", "A C"}},
		{"common end", []string{"BA", "CA"}, []string{"B A", "C A"}},
		{"optional middle", []string{"ABE", "ABCDE"}, []string{"AB E", "AB CD E"}},
		{"two stages", []string{"ADG", "ABCDEFG"}, []string{"A D G", "A BC D EF G"}},
		{"three depths", []string{"AE", "ABE", "ABCDE"}, []string{"A E", "A B E", "A B CD E"}},
		{"a prefix of the other", []string{"AB", "ABC"}, []string{"AB", "AB C"}},
		{"small beginning is not worth a cut", []string{"aB", "aC"}, []string{"aB", "aC"}},
		{"small ends add up", []string{"abcdefgB", "abcdefgC"}, []string{"abcdefg B", "abcdefg C"}},
		{"small tail", []string{"AEx", "ABEFx"}, []string{"A E x", "A B E Fx"}},
		{"weightless pieces do not count", []string{"..A", "..B"}, []string{"..A", "..B"}},
		{"weightless middle", []string{"A.B", "A..CB"}, []string{"A. B", "A. .C B"}},
		{"repeated piece", []string{"ABAB"}, []string{"AB AB"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, lay(c.words...)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestEveryCutPays checks, on random families, that each cut that stays saves
// at least the least saving, that all words are kept whole, and that the bytes
// are never more than those of whole models.
func TestEveryCutPays(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const least = 64
	for range 300 {
		var words []string
		for range 2 + random.IntN(3) {
			word := ""
			for _, piece := range "AbC.dEFgHi" { // each variant leaves some out
				if random.IntN(3) > 0 {
					word += string(piece)
				}
			}
			words = append(words, word+"Z")
		}
		ids, weights := encode(words)
		cuts := findCuts(ids, weights, least)
		now := measure(ids, weights, cuts)
		for p := range cuts {
			fewer := map[pair]bool{}
			for q := range cuts {
				fewer[q] = q != p
			}
			if saved := measure(ids, weights, fewer).bytes - now.bytes; saved < least {
				t.Errorf("%q: the cut at %q saves %d", words, []rune{rune(p[0]), rune(p[1])}, saved)
			}
		}
		for _, word := range ids {
			if !slices.Equal(slices.Concat(runs(word, cuts)...), word) {
				t.Errorf("%q: runs %v do not make up %v", words, runs(word, cuts), word)
			}
		}
		if whole := measure(ids, weights, nil).bytes; now.bytes > whole {
			t.Errorf("%q: %d bytes, whole models have %d", words, now.bytes, whole)
		}
	}
}

// TestAllJunctionsStoreEveryPieceOnce is the lower bound that the search
// starts from.
func TestAllJunctionsStoreEveryPieceOnce(t *testing.T) {
	ids, weights := encode([]string{"ADG", "ABCDEFG", "BDG", "GDA"})
	got := measure(ids, weights, findCuts(ids, weights, 1))
	if got.bytes != 7*100 {
		t.Errorf("%d bytes, want 700: each of seven pieces once", got.bytes)
	}
}
