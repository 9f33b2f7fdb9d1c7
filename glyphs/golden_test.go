package glyphs

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/samples.sha256 anew")

// TestSamplesAreFrozen compares the first samples of each split with the
// committed hashes. Where they must change, raise Version and run
//
//	go test ./glyphs -run TestSamplesAreFrozen -update
func TestSamplesAreFrozen(t *testing.T) {
	const n, golden = 1020, "testdata/samples.sha256"
	g := generator(t)
	dst := make([]byte, SampleBytes)
	var got strings.Builder
	for _, split := range Splits() {
		h := sha256.New()
		for i := range uint64(n) {
			label := g.Sample(split, i, dst)
			h.Write([]byte{byte(label)})
			h.Write(dst)
		}
		fmt.Fprintf(&got, "%s  %v 0-%d\n", hex.EncodeToString(h.Sum(nil)), split, n-1)
	}
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("the samples have changed (-committed +drawn); raise Version and run with -update:\n%s", diff)
	}
}
