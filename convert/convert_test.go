package convert_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/convert/tflite/tflitetest"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/profile"
)

var update = flag.Bool("update", false, "write testdata anew")

// makeFamily writes the family and returns its folder.
func makeFamily(t *testing.T, s familytest.Spec) (*family.Family, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := familytest.Write(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	return f, dir
}

func mustConvert(t *testing.T, f *family.Family, dir, out string, opts convert.Options) *convert.Result {
	t.Helper()
	opts.Out = out
	r, err := convert.Convert(f, dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// structure describes a bundle: its paths, and operators and tensors of every
// segment.
func structure(t *testing.T, dir string, m *bundle.Manifest) string {
	var b strings.Builder
	name := map[string]string{}
	for i, s := range m.Segments {
		name[s.ID] = fmt.Sprintf("segment%d", i)
		fmt.Fprintf(&b, "segment%d %s: %v -> %v, %d MACs, %d bytes\n", i, s.ID, s.Input, s.Output, s.MACs, s.Bytes)
		data, err := os.ReadFile(filepath.Join(dir, s.File))
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(tflitetest.Dump(data))
	}
	for _, v := range m.Variants {
		fmt.Fprintf(&b, "%s net %s depth %v, %d MACs:", v.Name, v.Net, v.Depth, v.MACs)
		for _, id := range v.Path {
			fmt.Fprint(&b, " ", name[id])
		}
		fmt.Fprintln(&b)
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (run the test with -update if this is meant): -want +got:\n%s", file, diff)
	}
}

func TestConvert(t *testing.T) {
	f, dir := makeFamily(t, familytest.Small())
	f.Variants[1].Accuracy = []profile.Accuracy{{Dataset: "d", Split: "test", Top1: 0.5, Samples: 10}}
	out := filepath.Join(t.TempDir(), "bundle")
	r := mustConvert(t, f, dir, out, convert.Options{})
	golden(t, "small.txt", structure(t, out, r.Manifest))

	b, err := bundle.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Manifest, b.Manifest); diff != "" {
		t.Errorf("what was written differs from the result:\n%s", diff)
	}
	for _, v := range b.Manifest.Variants {
		want := []profile.Accuracy(nil)
		if v.Name == "net-A-2-2" {
			want = f.Variants[1].Accuracy
		}
		if diff := cmp.Diff(want, v.Accuracy); diff != "" {
			t.Errorf("accuracy of %s: -want +got:\n%s", v.Name, diff)
		}
	}
	e, err := convert.ReadEvidence(out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Evidence, e); diff != "" {
		t.Errorf("evidence written differs from the result:\n%s", diff)
	}
	if len(e.NotShared) != 2 || !strings.Contains(e.NotShared[0].Reason, "less than 64 KiB") {
		t.Errorf("not shared: %+v; want the last layer of either net, as too small", e.NotShared)
	}
}

func TestConvertIsDeterministic(t *testing.T) {
	first, second := filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "b")
	f, dir := makeFamily(t, familytest.Small())
	mustConvert(t, f, dir, first, convert.Options{})
	f, dir = makeFamily(t, familytest.Small())
	mustConvert(t, f, dir, second, convert.Options{})
	if diff := cmp.Diff(files(t, first), files(t, second)); diff != "" {
		t.Errorf("two conversions differ:\n%s", diff)
	}
}

// files maps names below a folder to contents.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		found[strings.TrimPrefix(path, dir)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPrivateNormalizationIsNotShared(t *testing.T) {
	s := familytest.Small()
	s.Variants = s.Variants[:2]
	s.PrivateNorm = true
	f, dir := makeFamily(t, s)
	out := filepath.Join(t.TempDir(), "b")
	r := mustConvert(t, f, dir, out, convert.Options{})
	golden(t, "private.txt", structure(t, out, r.Manifest))
	for _, v := range r.Manifest.Variants {
		if len(v.Path) != 1 {
			t.Errorf("%s has %d segments, want a whole model of its own", v.Name, len(v.Path))
		}
	}
	for _, n := range r.Evidence.NotShared {
		// The stem, a block of the first stage, and one with a projection in the second.
		if strings.Contains(n.Reason, "normalization") {
			if n.Layers != 6 || n.First != "stem.conv" || n.Last != "s2.b1.skip.conv" || n.Bytes < 200<<10 {
				t.Errorf("note is %+v", n)
			}
			return
		}
	}
	t.Errorf("no note says why: %+v", r.Evidence.NotShared)
}

// TestFiveDepths wants all depths to take little more than the deepest alone.
func TestFiveDepths(t *testing.T) {
	s := familytest.Spec{Widths: []int{64, 128, 256}, Size: 8, Classes: 5, Seed: 1}
	for _, depth := range [][]int{{1, 1, 1}, {2, 1, 1}, {2, 2, 2}, {2, 3, 2}, {3, 3, 3}} {
		s.Variants = append(s.Variants, familytest.Variant{Net: "A", Depth: depth})
	}
	f, dir := makeFamily(t, s)
	size := func(variants []family.Variant) (bytes int64) {
		g := *f
		g.Variants = variants
		for _, segment := range mustConvert(t, &g, dir, filepath.Join(t.TempDir(), "b"), convert.Options{}).Manifest.Segments {
			bytes += segment.Bytes
		}
		return bytes
	}
	all, deepest := size(f.Variants), size(f.Variants[4:])
	if float64(all) > 1.05*float64(deepest) {
		t.Errorf("%d bytes, %.3f times those of the deepest", all, float64(all)/float64(deepest))
	}
}

func TestOtherGeometryIsNotShared(t *testing.T) {
	s := familytest.Small()
	s.Variants = s.Variants[:2]
	s.Edit = edit(func(g *onnx.GraphProto) { g.Node[0].Attribute[1] = onnx.IntsAttribute("strides", 2, 2) })
	f, dir := makeFamily(t, s)
	r := mustConvert(t, f, dir, filepath.Join(t.TempDir(), "b"), convert.Options{})
	for _, n := range r.Evidence.NotShared {
		if strings.Contains(n.Reason, "shapes or attributes differ") {
			if n.First != "stem.conv" || n.Last != "s2.b1.skip.conv" {
				t.Errorf("note is %+v", n)
			}
			return
		}
	}
	t.Errorf("no note says why: %+v", r.Evidence.NotShared)
}

// edit changes one variant of the family only.
func edit(change func(g *onnx.GraphProto)) func(string, *onnx.ModelProto) {
	return func(variant string, m *onnx.ModelProto) {
		if variant == "net-A-2-2" {
			change(m.Graph)
		}
	}
}

func TestConvertRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		spec   func(*familytest.Spec)
		family func(*family.Family)
		want   []string
	}{
		{"unsupported", func(s *familytest.Spec) {
			s.Edit = edit(func(g *onnx.GraphProto) {
				g.Node[0].OpType, g.Node[0].Name = "Einsum", "odd"
				g.Node[5].OpType, g.Node[5].Name = "Celu", "odder"
			})
		}, nil, []string{"net-A-2-2: odd (Einsum): operator not supported", "net-A-2-2: odder (Celu): operator not supported"}},
		{"shapes", func(s *familytest.Spec) {
			s.Edit = edit(func(g *onnx.GraphProto) { g.Input[0] = onnx.FloatValue("image", 1, 4, 12, 12) })
		}, nil, []string{"net-A-2-2: stem.conv (Conv): input has 4 channels, weights want 3"}},
		{"labels", nil, func(f *family.Family) { f.Labels = f.Labels[:4] },
			[]string{"variant net-A-1-1: its output is [1 5], but family.json lists 4 labels"}},
		{"size", nil, func(f *family.Family) { f.Preprocess.Width = 16 },
			[]string{"variant net-A-1-1: its input is [1 12 12 3], but preprocessing gives [1 12 16 3]"}},
		{"softmax", func(s *familytest.Spec) {
			s.Edit = edit(func(g *onnx.GraphProto) {
				g.Node[len(g.Node)-1].Output[0] = "raw"
				g.Node = append(g.Node, onnx.NewNode("Softmax", "last", []string{"raw"}, []string{"logits"}))
			})
		}, nil, []string{"variant net-A-2-2: it ends in Softmax, but logits are expected"}},
		{"model missing", nil, func(f *family.Family) { f.Variants[2].Model = "gone.onnx" }, []string{"net-B-1-1", "gone.onnx"}},
		{"no variants", nil, func(f *family.Family) { f.Variants = nil }, []string{"the family has no variants"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := familytest.Small()
			if c.spec != nil {
				c.spec(&s)
			}
			f, dir := makeFamily(t, s)
			if c.family != nil {
				c.family(f)
			}
			refused(t, f, dir, convert.Options{}, c.want...)
		})
	}
}

// refused wants an error that names everything wanted, on one line, and nothing
// left behind.
func refused(t *testing.T, f *family.Family, dir string, opts convert.Options, want ...string) {
	t.Helper()
	parent, temporary := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temporary)
	opts.Out = filepath.Join(parent, "bundle")
	r, err := convert.Convert(f, dir, opts)
	if r != nil || err == nil {
		t.Fatalf("got %v, %v; want an error", r, err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error is %q, want %q in it", err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines:\n%v", err)
	}
	for _, folder := range []string{parent, temporary} {
		if left := files(t, folder); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// wrong is a Runner that is off by a fixed amount.
type wrong float32

func (w wrong) Run(path []string, input []float32, outputLen int) ([]float32, error) {
	for _, p := range path {
		if _, err := os.Stat(p); err != nil {
			return nil, err
		}
	}
	out := make([]float32, outputLen)
	for i := range out {
		out[i] = float32(w)
	}
	return out, nil
}

func (w wrong) RunBuiltin(path []string, input []float32, outputLen int) ([]float32, error) {
	return w.Run(path, input, outputLen)
}

type broken struct{}

func (broken) RunBuiltin([]string, []float32, int) ([]float32, error) { return nil, nil }

func (broken) Run([]string, []float32, int) ([]float32, error) {
	return nil, fmt.Errorf("no such thing")
}

func TestProofFails(t *testing.T) {
	s := familytest.Small()
	s.Widths, s.Size = []int{4, 6}, 6 // the reference is slow
	f, dir := makeFamily(t, s)
	nan := wrong(0)
	nan /= nan
	refused(t, f, dir, convert.Options{Runner: wrong(1000)}, "differs from the reference by more than 0.0001 of the outputs' range: net-A-1-1 by 1e+03 of a range of", "net-B-1-1")
	refused(t, f, dir, convert.Options{Runner: nan}, "net-A-1-1 by +Inf")
	refused(t, f, dir, convert.Options{Runner: broken{}}, "proving variant net-A-1-1: no such thing")
	r := mustConvert(t, f, dir, filepath.Join(t.TempDir(), "b"), convert.Options{Runner: wrong(0), MaxError: 1e6})
	for i, p := range r.Evidence.Proof {
		if p.Variant != r.Manifest.Variants[i].Name || p.Samples < 1 || !(p.MaxAbsError > 0) {
			t.Errorf("proof %d is %+v", i, p)
		}
	}
}

// TestWhole shares nothing, and writes one file for each variant.
func TestWhole(t *testing.T) {
	f, dir := makeFamily(t, familytest.Small())
	r := mustConvert(t, f, dir, filepath.Join(t.TempDir(), "b"), convert.Options{Whole: true})
	for _, v := range r.Manifest.Variants {
		if len(v.Path) != 1 {
			t.Errorf("%s has %d segments, want one", v.Name, len(v.Path))
		}
	}
}

// TestBothLayouts writes two bundles, or none where the second cannot be written.
func TestBothLayouts(t *testing.T) {
	f, dir := makeFamily(t, familytest.Small())
	parent := t.TempDir()
	out, second := filepath.Join(parent, "b"), filepath.Join(parent, "b.monolithic")
	if err := os.WriteFile(second, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	opts := convert.Options{Out: out, Monolithic: second}
	if _, err := convert.Convert(f, dir, opts); err == nil || len(files(t, parent)) != 1 {
		t.Errorf("beside a file in the place of the second: %v, and %d files", err, len(files(t, parent)))
	}
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	r := mustConvert(t, f, dir, out, opts)
	separate := filepath.Join(t.TempDir(), "b")
	mustConvert(t, f, dir, separate, convert.Options{Whole: true})
	if diff := cmp.Diff(files(t, separate), files(t, second)); diff != "" {
		t.Errorf("the second differs from a bundle of whole files:\n%s", diff)
	}
	b, err := bundle.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Manifest, b.Manifest); diff != "" {
		t.Errorf("what was written differs from the result:\n%s", diff)
	}
}

// TestDumpPasses looks for a file after each pass of each variant.
func TestDumpPasses(t *testing.T) {
	s := familytest.Small()
	s.Variants = s.Variants[:2]
	f, dir := makeFamily(t, s)
	dump := t.TempDir()
	mustConvert(t, f, dir, filepath.Join(t.TempDir(), "b"), convert.Options{DumpPasses: dump})
	got := files(t, dump)
	if want := 2 * (1 + len(graph.Steps())); len(got) != want {
		t.Errorf("%d files, want %d", len(got), want)
	}
	if first := got["/net-A-1-1/00-import.txt"]; !strings.Contains(first, "%2 = BatchNorm(%1) [1 32 12 12]") {
		t.Errorf("the first dump is\n%s", first)
	}
	for name, text := range got {
		if strings.Contains(name, "check-finite") && strings.Contains(text, "BatchNorm(") {
			t.Errorf("%s still has a BatchNorm", name)
		}
	}
}

func TestConvertKeepsForeignFolders(t *testing.T) {
	f, dir := makeFamily(t, familytest.Small())
	out := t.TempDir()
	if err := os.WriteFile(filepath.Join(out, "thesis.tex"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := convert.Convert(f, dir, convert.Options{Out: out}); err == nil {
		t.Error("a folder with other files was overwritten")
	}
	if got := files(t, out); len(got) != 1 {
		t.Errorf("folder now holds %d files", len(got))
	}
}

// TestMinSaving: where no cut saves enough, every variant is one segment.
func TestMinSaving(t *testing.T) {
	f, dir := makeFamily(t, familytest.Small())
	r := mustConvert(t, f, dir, filepath.Join(t.TempDir(), "b"), convert.Options{MinSaving: 1 << 40})
	for _, v := range r.Manifest.Variants {
		if len(v.Path) != 1 {
			t.Errorf("%s has %d segments", v.Name, len(v.Path))
		}
	}
	if n := len(r.Evidence.NotShared); n == 0 || !strings.Contains(r.Evidence.NotShared[0].Reason, fmt.Sprint(1<<30, " KiB")) {
		t.Errorf("not shared: %+v", r.Evidence.NotShared)
	}
}
