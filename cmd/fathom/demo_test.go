//go:build cgo

package main

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/runtime/bundle"
)

const (
	demoFamily = "../../testdata/families/demo"
	demoBundle = "../../testdata/bundles/demo"
)

// The committed bundle is what the converter makes of the committed family,
// byte for byte: on any machine, with any later version of the converter that
// does not mean to change it.
func TestDemoBundleIsTheConvertedFamily(t *testing.T) {
	out := filepath.Join(t.TempDir(), "bundle")
	if code, _, errs := fathom("convert", demoFamily, "-o", out); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if d := cmp.Diff(deterministicFiles(t, demoBundle), deterministicFiles(t, out)); d != "" {
		t.Errorf("bundle (-committed +converted): run make demo-convert if the change is meant:\n%s", d)
	}
}

// deterministicFiles maps the files of a bundle to their content, but for what was measured: evidence.json, and the
// escalation in the manifest.
func deterministicFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	b, err := bundle.Open(dir) // verifies every segment against its SHA-256
	if err != nil {
		t.Fatal(err)
	}
	b.Manifest.Escalation = nil
	manifest, err := bundle.EncodeManifest(b.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"manifest.json": string(manifest)}
	for _, s := range b.Manifest.Segments {
		files[s.File] = s.SHA256
	}
	return files
}

// What the trainer measured and what TFLite measures are the same network on
// the same images: they may differ by a few images that lie on an edge.
func TestDemoBundleIsAsAccurateAsItStates(t *testing.T) {
	const edge = 10
	e := evalJSON(t, demoBundle, "glyphs:test:10200")
	b, err := bundle.Open(demoBundle)
	if err != nil {
		t.Fatal(err)
	}
	stated := map[string]float64{}
	for _, v := range b.Manifest.Variants {
		for _, a := range v.Accuracy {
			if a.Split == "test" && a.Samples == 10200 {
				stated[v.Name] = a.Top1
			}
		}
	}
	for i, v := range e.Variants {
		want, ok := stated[v.Name]
		if !ok {
			t.Errorf("%s: the bundle states no accuracy on 10200 test images", v.Name)
			continue
		}
		if math.Abs(float64(v.Correct)-want*10200) > edge {
			t.Errorf("%s: %d right, the bundle states %.0f", v.Name, v.Correct, want*10200)
		}
		if i > 0 && v.Top1 <= e.Variants[i-1].Top1 {
			t.Errorf("%s costs more than %s, but is no more accurate: %.4f and %.4f", v.Name, e.Variants[i-1].Name, v.Top1, e.Variants[i-1].Top1)
		}
	}
}
