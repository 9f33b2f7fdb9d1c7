//go:build cgo

package main

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/glyphs"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// fathom runs a command line.
func fathom(args ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = run(args, &out, &errs)
	return code, out.String(), errs.String()
}

func evalJSON(t *testing.T, args ...string) evaluation {
	t.Helper()
	code, out, errs := fathom(append([]string{"eval", "--json"}, args...)...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var e evaluation
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return e
}

// predict is what a variant of the tiny bundle says of an image.
func predict(t *testing.T, variant string, img image.Image) string {
	t.Helper()
	b, err := bundle.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(b, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.SetActive(variant); err != nil {
		t.Fatal(err)
	}
	res, err := e.Infer(img)
	if err != nil {
		t.Fatal(err)
	}
	return b.Manifest.Labels[res.Best]
}

func noise(seed uint64) *image.RGBA {
	rng := rand.New(rand.NewPCG(seed, 3))
	img := image.NewRGBA(image.Rect(0, 0, 12, 10))
	bright := rng.Float64() * 255
	for i := range img.Pix {
		img.Pix[i] = byte(bright * rng.Float64())
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

func save(t *testing.T, path string, img image.Image, encode func(io.Writer, image.Image) error) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := encode(f, img); err != nil {
		t.Fatal(err)
	}
}

// Images are filed under what the cheapest variant says, but for three.
func TestEvalFolder(t *testing.T) {
	b, err := bundle.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	cheapest, labels := b.Manifest.Variants[0].Name, b.Manifest.Labels
	dir, truth := t.TempDir(), map[string]int{}
	for i := range 20 {
		img := noise(uint64(i))
		class := predict(t, cheapest, img)
		truth[class]++
		if i < 3 {
			class = labels[(indexOf(labels, class)+1)%len(labels)]
		}
		save(t, filepath.Join(dir, class, fmt.Sprintf("%02d.png", i)), img, png.Encode)
	}
	// What is no image is passed over.
	if err := os.WriteFile(filepath.Join(dir, labels[0], "notes.txt"), []byte("x"), 0o644); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	labelsOut := filepath.Join(t.TempDir(), "labels.tsv")
	e := evalJSON(t, tiny, dir, "--labels-out", labelsOut)
	if len(e.Variants) != len(b.Manifest.Variants) {
		t.Fatalf("%d variants", len(e.Variants))
	}
	v := e.Variants[0]
	if v.Name != cheapest || v.Samples != 20 || v.Correct != 17 || v.Top1 != 0.85 || v.MACs != b.Manifest.Variants[0].MACs || v.MeanLatency <= 0 {
		t.Errorf("%+v, want 17 of 20", v)
	}
	if low, high := wilson(17, 20); v.Low != low || v.High != high {
		t.Errorf("interval %v - %v", v.Low, v.High)
	}
	written, err := os.ReadFile(labelsOut)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	for line := range strings.Lines(string(written)) {
		variant, label, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if variant == cheapest {
			said[label]++
		}
	}
	for class, n := range truth {
		if said[class] != n {
			t.Errorf("predicted %s %d times, want %d", class, said[class], n)
		}
	}

	deepest := b.Manifest.Variants[1].Name
	if e := evalJSON(t, tiny, dir, "--variant", deepest, "--limit", "5"); len(e.Variants) != 1 || e.Variants[0].Name != deepest || e.Variants[0].Samples != 5 {
		t.Errorf("one variant, five samples: %+v", e.Variants)
	}
	_, table, _ := fathom("eval", tiny, dir)
	if !strings.Contains(table, "85.00 %") || !strings.Contains(table, cheapest) {
		t.Errorf("table:\n%s", table)
	}
}

func indexOf(labels []string, label string) int {
	for i, l := range labels {
		if l == label {
			return i
		}
	}
	return -1
}

func TestEvalReadsEveryKindOfImage(t *testing.T) {
	b, err := bundle.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	class := filepath.Join(t.TempDir(), b.Manifest.Labels[0])
	r := image.Rect(0, 0, 9, 9)
	paletted := image.NewPaletted(r, palette.Plan9)
	deep := image.NewNRGBA64(r)
	for i := range 81 {
		paletted.Pix[i] = byte(i * 3)
		deep.SetNRGBA64(i%9, i/9, color.NRGBA64{uint16(i * 800), 1000, 60000, 65535})
	}
	save(t, filepath.Join(class, "paletted.png"), paletted, png.Encode)
	save(t, filepath.Join(class, "deep.png"), deep, png.Encode)
	save(t, filepath.Join(class, "gray.png"), image.NewGray(r), png.Encode)
	save(t, filepath.Join(class, "photo.JPG"), noise(1), func(w io.Writer, img image.Image) error { return jpeg.Encode(w, img, nil) })
	if e := evalJSON(t, tiny, filepath.Dir(class)); e.Variants[0].Samples != 4 {
		t.Errorf("%d samples, want 4", e.Variants[0].Samples)
	}
}

func TestEvalRefuses(t *testing.T) {
	b, err := bundle.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	label := b.Manifest.Labels[0]
	misspelt, damaged, empty := t.TempDir(), t.TempDir(), t.TempDir()
	save(t, filepath.Join(misspelt, label+"x", "1.png"), noise(1), png.Encode)
	save(t, filepath.Join(damaged, label, "1.png"), noise(1), png.Encode)
	bad := filepath.Join(damaged, label, "2.png")
	if err := os.WriteFile(bad, []byte("\x89PNG no more"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no bundle":       {[]string{empty, damaged}, exitFailure, "not a bundle"},
		"no data":         {[]string{tiny, filepath.Join(empty, "nothing")}, exitFailure, "no such file"},
		"empty data":      {[]string{tiny, empty}, exitFailure, "holds no images: they belong in"},
		"unknown class":   {[]string{tiny, misspelt}, exitFailure, label + "x is no label of the bundle: closest are " + label},
		"damaged image":   {[]string{tiny, damaged}, exitFailure, bad},
		"other labels":    {[]string{tiny, "glyphs:test"}, exitFailure, "not those of glyphs"},
		"variant":         {[]string{tiny, damaged, "--variant", "z"}, exitUsage, `no variant "z": the bundle has ` + b.Manifest.Variants[0].Name},
		"limit":           {[]string{tiny, damaged, "--limit=-1"}, exitUsage, "--limit must not be negative"},
		"threads":         {[]string{tiny, damaged, "--threads=-1"}, exitFailure, "-1 threads"},
		"no family":       {[]string{tiny, damaged, "--limit", "1", "--against", empty}, exitFailure, "family.json"},
		"nowhere to save": {[]string{tiny, damaged, "--limit", "1", "--labels-out", filepath.Join(empty, "a", "b")}, exitFailure, "writing predictions"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := fathom(append([]string{"eval"}, tc.args...)...)
			if code != tc.code || !strings.Contains(errs, tc.want) || strings.Count(errs, "\n") != 1 || out != "" {
				t.Errorf("exit %d, want %d with %q in one line; stdout %q, stderr:\n%s", code, tc.code, tc.want, out, errs)
			}
		})
	}
}

// glyphsBundle converts a random family with the labels of glyphs.
func glyphsBundle(t *testing.T) (bundleDir, familyDir string) {
	t.Helper()
	bundleDir, familyDir = filepath.Join(t.TempDir(), "b"), t.TempDir()
	s := tinyFamily()
	s.Classes = len(glyphs.Labels)
	fam, err := familytest.Write(familyDir, s)
	if err != nil {
		t.Fatal(err)
	}
	fam.Labels = glyphs.Labels
	if err := family.Write(familyDir, fam); err != nil {
		t.Fatal(err)
	}
	if _, err := convert.Convert(fam, familyDir, convert.Options{Out: bundleDir}); err != nil {
		t.Fatal(err)
	}
	return bundleDir, familyDir
}

func TestEvalGlyphsAgainstReference(t *testing.T) {
	b, fam := glyphsBundle(t)
	e := evalJSON(t, b, "glyphs:validation:68", "--against", fam, "--against-samples", "4")
	for _, v := range e.Variants {
		if v.Samples != 68 || v.Against == nil || v.Against.Samples != 4 {
			t.Fatalf("%+v", v)
		}
		if d := v.Against.MaxAbsError; d > 1e-4 || d == 0 {
			t.Errorf("%s: TFLite differs from the reference by %g", v.Name, d)
		}
	}
	if again := evalJSON(t, b, "glyphs:validation:68"); again.Variants[1].Correct != e.Variants[1].Correct {
		t.Error("the same samples gave another accuracy")
	}
	if e := evalJSON(t, b, "glyphs:test", "--limit", "3"); e.Variants[0].Samples != 3 {
		t.Errorf("limit: %+v", e.Variants[0])
	}
	_, table, _ := fathom("eval", b, "glyphs:test:2", "--against", fam)
	if !strings.Contains(table, "MAX LOGIT ERROR") || !strings.Contains(table, "(2 samples)") {
		t.Errorf("table:\n%s", table)
	}
	for data, want := range map[string]string{"glyphs:tset": "no split", "glyphs:test:0": "whole number above 0", "glyphs:test:x": "whole number above 0"} {
		if code, _, errs := fathom("eval", b, data); code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %s", data, code, errs)
		}
	}
	other := t.TempDir()
	if _, err := familytest.Write(other, tinyFamily()); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := fathom("eval", b, "glyphs:test:2", "--against", other); code != exitFailure || !strings.Contains(errs, "another family") {
		t.Errorf("other family: exit %d, %s", code, errs)
	}
}

func TestWilson(t *testing.T) {
	// Table I, method 3 of R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872.
	for _, tc := range []struct {
		correct, samples int
		low, high        float64
	}{
		{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}, {20, 20, 0.8389, 1},
	} {
		low, high := wilson(tc.correct, tc.samples)
		if math.Abs(low-tc.low) > 5e-5 || math.Abs(high-tc.high) > 5e-5 {
			t.Errorf("%d of %d: %.5f - %.5f, want %.4f - %.4f", tc.correct, tc.samples, low, high, tc.low, tc.high)
		}
	}
}

func TestClosest(t *testing.T) {
	labels := []string{"cat", "dog", "car", "horse"}
	if got := strings.Join(closest("Cats", labels), " "); got != "cat car dog" {
		t.Errorf("closest to Cats: %s", got)
	}
}
