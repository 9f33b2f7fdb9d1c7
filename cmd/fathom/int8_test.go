//go:build cgo

package main

import (
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// random is calibration data of evenly distributed pixels, normalized as in
// familytest.
type random struct{ count, values int }

func (r random) Len() int { return r.count }

func (r random) At(i int) ([]float32, int, error) {
	rng := rand.New(rand.NewPCG(uint64(i), 3))
	input := make([]float32, r.values)
	for k := range input {
		input[k] = (float32(rng.IntN(256))/255 - 0.5) / 0.25
	}
	return input, i % 4, nil
}

func calibrated(count, size int) convert.Numbers {
	return convert.Numbers{
		Precision: bundle.Int8, MaxDrop: 100,
		Calibration: &convert.Dataset{Data: random{count, size * size * 3}, Name: "random", Split: "validation"},
	}
}

// convertModel converts and proves a family of one model.
func convertModel(t *testing.T, m *onnx.ModelProto, numbers convert.Numbers) *convert.Result {
	t.Helper()
	dir := t.TempDir()
	fam, err := familytest.Single(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	r, err := convert.Convert(fam, dir, convert.Options{Out: t.TempDir(), Numbers: numbers, Runner: runner(), MaxError: 1e-5})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestInt8OperatorsAgainstTFLite converts a model for every operator to int8.
// TFLite must give the evaluator's answer to the last bit, with XNNPACK and
// without.
func TestInt8OperatorsAgainstTFLite(t *testing.T) {
	for _, c := range familytest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			r := convertModel(t, c.Model, calibrated(6, 8))
			k := r.Evidence.Proof[0].Kernels
			if k.XNNPACK != 0 || k.Builtin == nil || *k.Builtin != 0 {
				t.Errorf("TFLite differs from the evaluator: %+v (without XNNPACK %v)", *k, k.Builtin)
			}
			if kept := r.Evidence.Quantization.Kept; len(kept) > 0 {
				t.Errorf("kept in float32: %v", kept)
			}
		})
	}
}

func TestFloat16AgainstTFLite(t *testing.T) {
	for _, c := range familytest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			r := convertModel(t, c.Model, convert.Numbers{Precision: bundle.Float16})
			if p := r.Evidence.Proof; len(p) != 1 || p[0].Kernels == nil {
				t.Errorf("proof is %v", p)
			}
		})
	}
}

// TestInt8Family runs a family whose variants share segments with the engine,
// and compares it with its own proof.
func TestInt8Family(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "b")
	spec := familytest.Small()
	spec.Widths = []int{64, 128} // large enough for cuts in int8
	fam, err := familytest.Write(dir, spec)
	if err != nil {
		t.Fatal(err)
	}
	r, err := convert.Convert(fam, dir, convert.Options{Out: out, Numbers: calibrated(4, spec.Size), Runner: runner()})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Evidence.Proof {
		if p.Kernels.XNNPACK != 0 || *p.Kernels.Builtin != 0 {
			t.Errorf("%s: TFLite differs from the evaluator: %v", p.Variant, *p.Kernels)
		}
	}
	b, err := bundle.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	shared := map[string]int{}
	for _, v := range b.Manifest.Variants {
		for _, id := range v.Path {
			shared[id]++
		}
	}
	if len(shared) == len(b.Manifest.Variants) {
		t.Error("the variants share no segment")
	}
	e, err := engine.Open(b, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	img := image.NewRGBA(image.Rect(0, 0, spec.Size, spec.Size))
	for i := range img.Pix {
		img.Pix[i] = byte(i * 7)
	}
	input := tensorOf(t, b.Manifest.Preprocess, img)
	for _, v := range b.Manifest.Variants {
		if err := e.SetActive(v.Name); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Infer(img); err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, id := range v.Path {
			files = append(files, b.SegmentPath(id))
		}
		want, err := engine.RunPath(files, input, engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, e.Logits()); diff != "" {
			t.Errorf("%s: the engine differs from the path by itself:\n%s", v.Name, diff)
		}
	}
}

// writeImages makes a folder of small images.
func writeImages(t *testing.T, count int, pixel func(i, k int) byte) string {
	t.Helper()
	dir := t.TempDir()
	for i := range count {
		img := image.NewRGBA(image.Rect(0, 0, 8, 8))
		for k := range img.Pix {
			img.Pix[k] = pixel(i, k)
			if k%4 == 3 {
				img.Pix[k] = 255
			}
		}
		save(t, filepath.Join(dir, string(rune('a'+i))+".png"), img, func(w io.Writer, img image.Image) error { return png.Encode(w, img) })
	}
	return dir
}

func TestConvertCommandInt8(t *testing.T) {
	family := t.TempDir()
	if _, err := familytest.Write(family, tinyFamily()); err != nil {
		t.Fatal(err)
	}
	images := writeImages(t, 5, func(i, k int) byte { return byte(i*31 + k*k*7) })
	out := filepath.Join(t.TempDir(), "b")
	code, stdout, stderr := fathom("convert", family, "-o", out, "--precision", "int8", "--calibration", images, "--max-drop", "100")
	if code != 0 {
		t.Fatal(stderr)
	}
	for _, want := range []string{"int8: ranges by", "SAME ANSWER", "at most 0 steps of the output"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in:\n%s", want, stdout)
		}
	}
	_, stdout, _ = fathom("inspect", out)
	if !strings.Contains(stdout, "test: int8, 5 classes") || !strings.Contains(stdout, "[1 8 8 3] int8") {
		t.Errorf("inspect says:\n%s", stdout)
	}
}

func TestConvertCommandInt8Refuses(t *testing.T) {
	family := t.TempDir()
	if _, err := familytest.Write(family, tinyFamily()); err != nil {
		t.Fatal(err)
	}
	images := writeImages(t, 2, func(i, k int) byte { return byte(i*31 + k*k*7) })
	broken := writeImages(t, 2, func(i, k int) byte { return byte(k) })
	if err := os.WriteFile(filepath.Join(broken, "c.png"), []byte("no image"), 0o644); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		code int
		args []string
	}{
		"needs --calibration":      {2, []string{"--precision", "int8"}},
		"of no use with":           {2, []string{"--calibration", images}},
		"must not be negative":     {2, []string{"--precision", "int8", "--calibration", images, "--max-drop=-1"}},
		"holds no images":          {1, []string{"--precision", "int8", "--calibration", t.TempDir()}},
		"no such file":             {1, []string{"--precision", "int8", "--calibration", "missing"}},
		"c.png":                    {1, []string{"--precision", "int8", "--calibration", broken}},
		"images without labels":    {1, []string{"--precision", "int8", "--calibration", images, "--eval", images, "--max-drop", "100"}},
		"are not those of glyphs":  {1, []string{"--precision", "int8", "--calibration", "glyphs:train:5"}},
		"must be one of \"float32": {2, []string{"--precision", "int4"}},
	} {
		parent := t.TempDir()
		code, stdout, stderr := fathom(append([]string{"convert", family, "-o", filepath.Join(parent, "b")}, c.args...)...)
		if code != c.code || stdout != "" || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", want, code, stdout, stderr)
		}
		if left, _ := os.ReadDir(parent); len(left) > 0 {
			t.Errorf("%q: %v is left behind", want, left)
		}
	}
}

// tensorOf is the frame as a fresh preprocessor sees it.
func tensorOf(t *testing.T, spec preprocess.Spec, img image.Image) []float32 {
	t.Helper()
	p, err := preprocess.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	input := make([]float32, spec.Len())
	if err := p.Apply(input, img); err != nil {
		t.Fatal(err)
	}
	return input
}
