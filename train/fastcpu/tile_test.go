package fastcpu

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The portable tiles are the truth for the ones in assembly.
func TestTilesEqualPortable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noise := func(n int) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = float32(r.NormFloat64())
		}
		return s
	}
	near := func(t *testing.T, want, got []float32) {
		t.Helper()
		for i := range want {
			if math.Abs(float64(want[i]-got[i])) > 1e-4 {
				t.Fatalf("value %d is %v, want %v", i, got[i], want[i])
			}
		}
	}
	t.Run("conv", func(t *testing.T) {
		const channels, width, rows, stride = 8, 12, 3, 2
		x, w := noise(rows*width*channels), noise(rows*3*channels*tileChannels)
		want, got := make([]float32, 4*20), make([]float32, 4*20)
		convTilePortable(ptr(x), stride*channels, width*channels, rows, 3*channels, ptr(w), ptr(want), 20)
		convTile(ptr(x), stride*channels, width*channels, rows, 3*channels, ptr(w), ptr(got), 20)
		near(t, want, got)
	})
	t.Run("gradient", func(t *testing.T) {
		const channels, width, rows, images, out = 8, 6, 5, 3, 32
		x, g := noise(images*rows*width*channels), noise(images*4*4*out)
		want := noise(4 * out)
		got := append([]float32{}, want...)
		gradTilePortable(ptr(x), channels, width*channels, rows*width*channels, ptr(g), out, 4, 4, images, ptr(want), out)
		gradTile(ptr(x), channels, width*channels, rows*width*channels, ptr(g), out, 4, 4, images, ptr(got), out)
		near(t, want, got)
	})
}

func TestPartsCoverTheRangeOnce(t *testing.T) {
	for _, n := range []int{0, 1, 7, 64, 1000} {
		seen := make([]int32, n)
		parallel(n, 4, 2, func(part, lo, hi int) {
			if part >= maxParts || lo%4 != 0 {
				t.Errorf("part %d is [%d, %d)", part, lo, hi)
			}
			for i := lo; i < hi; i++ {
				seen[i]++
			}
		})
		for i, s := range seen {
			if s != 1 {
				t.Fatalf("n = %d: item %d done %d times", n, i, s)
			}
		}
	}
}
