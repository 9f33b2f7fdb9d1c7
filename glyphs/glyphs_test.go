package glyphs

import "testing"

func BenchmarkSample(b *testing.B) {
	g, err := New()
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, SampleBytes)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		g.Sample(Train, uint64(i), dst)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New()
	}
}
