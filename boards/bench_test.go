package boards

import (
	"testing"

	"github.com/fathom-edge/fathom/boards/boardtest"
)

// BenchmarkRead is a full snapshot of the fixture with the most sensors.
func BenchmarkRead(b *testing.B) {
	root := b.TempDir()
	closeAll, err := boardtest.Unpack(archive("agx-orin"), root)
	if err != nil {
		b.Fatal(err)
	}
	defer closeAll()
	board, err := New(root, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		read(board)
	}
}
