package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/runtime/bundle"
)

// tiny is the bundle that the engine's tests run:
//
//	go test ./cmd/fathom -run TestTinyBundle -update-tiny
const tiny = "../../testdata/bundles/tiny"

var updateTiny = flag.Bool("update-tiny", false, "write "+tiny+" anew")

// tinyFamily has a shared beginning, a block that only the deeper variant has,
// and a shared end, each large enough to be worth a cut.
func tinyFamily() familytest.Spec {
	return familytest.Spec{
		Variants: []familytest.Variant{{Net: "A", Depth: []int{1, 1}}, {Net: "A", Depth: []int{2, 1}}},
		Widths:   []int{32, 32}, Size: 8, Classes: 5, Seed: 7,
	}
}

// The committed bundle is what the converter makes today, on any machine.
func TestTinyBundle(t *testing.T) {
	family := t.TempDir()
	fam, err := familytest.Write(family, tinyFamily())
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "tiny")
	if *updateTiny {
		out = tiny
	}
	made, err := convert.Convert(fam, family, convert.Options{Out: out})
	if err != nil {
		t.Fatal(err)
	}
	committed, err := bundle.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(committed.Manifest, made.Manifest); diff != "" {
		t.Fatalf("manifest (-committed +made now):\n%s", diff)
	}
	for _, s := range made.Manifest.Segments {
		want, err := os.ReadFile(committed.SegmentPath(s.ID))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(out, s.File))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s differs from the committed file", s.File)
		}
	}
	if n := len(made.Manifest.Variants[1].Path); n != 3 {
		t.Errorf("the deeper variant has %d segments, want 3", n)
	}
}
