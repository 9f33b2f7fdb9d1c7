//go:build cgo

package engine

import (
	"errors"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

const tiny = "../../testdata/bundles/tiny"

func openBundle(t testing.TB) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func openEngine(t testing.TB, opts Options) *Engine {
	t.Helper()
	e, err := Open(openBundle(t), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func activate(t testing.TB, e *Engine, name string) {
	t.Helper()
	if err := e.SetActive(name); err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}

func picture(seed uint64, width, height int) *image.RGBA {
	rng := rand.New(rand.NewPCG(seed, 1))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = byte(rng.Uint32())
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

// tensorOf is the frame as a fresh preprocessor sees it.
func tensorOf(t testing.TB, spec preprocess.Spec, img image.Image) []float32 {
	t.Helper()
	p, err := preprocess.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	in := make([]float32, spec.Len())
	if err := p.Apply(in, img); err != nil {
		t.Fatal(err)
	}
	return in
}

// alone runs each variant's path by itself: what the engine must give.
func alone(t testing.TB, b *bundle.Bundle, in []float32) map[string][]float32 {
	t.Helper()
	out := map[string][]float32{}
	for _, v := range b.Manifest.Variants {
		var files []string
		for _, id := range v.Path {
			files = append(files, b.SegmentPath(id))
		}
		logits, err := RunPath(files, in, Options{})
		if err != nil {
			t.Fatal(err)
		}
		out[v.Name] = logits
	}
	return out
}

func TestEveryVariantEqualsItsOwnPath(t *testing.T) {
	b := openBundle(t)
	img := picture(1, 40, 30)
	want := alone(t, b, tensorOf(t, b.Manifest.Preprocess, img))
	names := []string{}
	for _, v := range b.Manifest.Variants {
		names = append(names, v.Name)
	}
	if len(names) < 2 || cmp.Equal(want[names[0]], want[names[1]]) {
		t.Fatal("the fixture cannot tell two variants apart")
	}
	for _, threads := range []int{1, 2} {
		e := openEngine(t, Options{Threads: threads})
		if diff := cmp.Diff(names, e.Variants()); diff != "" {
			t.Error(diff)
		}
		if e.Active() != names[0] {
			t.Errorf("active at first: %s, want the cheapest", e.Active())
		}
		for range 2 {
			for _, name := range names {
				activate(t, e, name)
				if e.Active() != name {
					t.Errorf("active %s, want %s", e.Active(), name)
				}
				res, err := e.Infer(img)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want[name], e.Logits()); diff != "" {
					t.Errorf("%d threads, %s: logits (-alone +engine):\n%s", threads, name, diff)
				}
				checkResult(t, res, name, e.Logits())
			}
		}
	}
}

func checkResult(t *testing.T, res Result, name string, logits []float32) {
	t.Helper()
	if res.Variant != name || res.Latency <= 0 || res.Preprocess <= 0 {
		t.Errorf("result of %s: %+v", name, res)
	}
	var sum float64
	for i, p := range res.Scores {
		sum += float64(p)
		if logits[i] > logits[res.Best] || p > res.Scores[res.Best] {
			t.Errorf("best is %d, but %d is higher", res.Best, i)
		}
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("scores add up to %v", sum)
	}
}

func TestInferTensorEqualsInfer(t *testing.T) {
	e := openEngine(t, Options{})
	img := picture(2, 16, 16)
	if _, err := e.Infer(img); err != nil {
		t.Fatal(err)
	}
	want := append([]float32(nil), e.Logits()...)
	if _, err := e.InferTensor(tensorOf(t, openBundle(t).Manifest.Preprocess, img)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, e.Logits()); diff != "" {
		t.Error(diff)
	}
}

// While one goroutine infers, others switch: each result must be that of the
// variant which it names.
func TestSwitchingWhileInferring(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps all cores busy")
	}
	b := openBundle(t)
	e := openEngine(t, Options{})
	img := picture(3, 40, 30)
	want := alone(t, b, tensorOf(t, b.Manifest.Preprocess, img))
	names := e.Variants()

	var wg sync.WaitGroup
	stop := make(chan struct{})
	for g := range 4 {
		wg.Go(func() {
			for i := g; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := e.SetActive(names[i%len(names)]); err != nil {
					t.Error(err)
					return
				}
				_ = e.Active()
			}
		})
	}
	seen := map[string]bool{}
	for i := 0; i < 200 || len(seen) < len(names) && i < 100000; i++ {
		res, err := e.Infer(img)
		if err != nil {
			t.Fatal(err)
		}
		seen[res.Variant] = true
		if diff := cmp.Diff(want[res.Variant], e.Logits()); diff != "" {
			t.Fatalf("%s:\n%s", res.Variant, diff)
		}
	}
	close(stop)
	wg.Wait()
	if len(seen) != len(names) {
		t.Errorf("only %v ever ran", seen)
	}
}

func TestNoAllocationPerFrame(t *testing.T) {
	e := openEngine(t, Options{})
	rgba := picture(4, 64, 48)
	ycbcr := image.NewYCbCr(image.Rect(0, 0, 64, 48), image.YCbCrSubsampleRatio420)
	for name, img := range map[string]image.Image{"RGBA": rgba, "YCbCr": ycbcr} {
		variants, i := e.Variants(), 0
		infer := func() {
			i++
			if err := e.SetActive(variants[i%len(variants)]); err != nil {
				t.Fatal(err)
			}
			if _, err := e.Infer(img); err != nil {
				t.Fatal(err)
			}
		}
		infer()
		if n := testing.AllocsPerRun(50, infer); n != 0 {
			t.Errorf("%s: %v allocations per frame", name, n)
		}
	}
}

func TestXNNPACKTakesEveryOperator(t *testing.T) {
	delegated, all := openEngine(t, Options{}).Operators()
	if all == 0 || delegated != all {
		t.Errorf("XNNPACK took %d of %d operators", delegated, all)
	}
}

func TestBadCalls(t *testing.T) {
	e := openEngine(t, Options{})
	wantError(t, e.SetActive("z-9"), `no variant "z-9": the bundle has `+e.Variants()[0])
	_, err := e.InferTensor(make([]float32, 5))
	wantError(t, err, "tensor of 5 values: the bundle takes")
	_, err = e.Infer(image.NewRGBA(image.Rectangle{}))
	wantError(t, err, "frame of 0x0")
	if _, err := e.Infer(picture(5, 20, 20)); err != nil {
		t.Errorf("after bad calls: %v", err)
	}
	for _, threads := range []int{-1, 1000} {
		_, err := Open(openBundle(t), Options{Threads: threads})
		wantError(t, err, "threads: must be 1 to")
	}
}

func TestSoftmax(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, tc := range map[string]struct {
		logits, scores []float32
		best           int
		margin         float32
		ok             bool
	}{
		"even":          {[]float32{2, 2}, []float32{0.5, 0.5}, 0, 0, true},
		"three to one":  {[]float32{0, float32(math.Log(3))}, []float32{0.25, 0.75}, 1, 0.5, true},
		"three classes": {[]float32{float32(math.Log(6)), 0, float32(math.Log(3))}, []float32{0.6, 0.1, 0.3}, 0, 0.3, true},
		"one class":     {[]float32{-3}, []float32{1}, 0, 1, true},
		"large":         {[]float32{1000, -1000}, []float32{1, 0}, 0, 1, true},
		"not a number":  {[]float32{0, nan}, []float32{0, 0}, 0, 0, false},
		"infinite":      {[]float32{inf, 0}, []float32{0, 0}, 0, 0, false},
		"below nothing": {[]float32{0, -inf}, []float32{0, 0}, 0, 0, false},
	} {
		scores := make([]float32, len(tc.logits))
		best, margin, ok := softmax(scores, tc.logits)
		near := cmpopts.EquateApprox(0, 1e-6)
		if diff := cmp.Diff(tc.scores, scores, near) + cmp.Diff(tc.margin, margin, near); best != tc.best || ok != tc.ok || diff != "" {
			t.Errorf("%s: best %d, ok %v\n%s", name, best, ok, diff)
		}
	}
}

func TestSegmentThatXNNPACKLeavesIsRefused(t *testing.T) {
	s := segment{operators: 3}
	wantError(t, s.check(bundle.Segment{File: "f", MACs: 1}, Options{}), "XNNPACK took none of its 3 operators")
	if err := s.check(bundle.Segment{File: "f"}, Options{}); err != nil {
		t.Errorf("without arithmetic there is nothing to take: %v", err)
	}
	if err := s.check(bundle.Segment{File: "f", MACs: 1}, Options{WithoutXNNPACK: true}); err != nil {
		t.Errorf("nobody asked for XNNPACK: %v", err)
	}
}

func TestClose(t *testing.T) {
	e, err := Open(openBundle(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	_, inferErr := e.Infer(picture(6, 20, 20))
	_, tensorErr := e.InferTensor(make([]float32, openBundle(t).Manifest.Preprocess.Len()))
	for what, err := range map[string]error{"Infer": inferErr, "InferTensor": tensorErr, "SetActive": e.SetActive(e.Variants()[0])} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
}

// rewrite copies the tiny bundle with a changed manifest or changed segments.
func rewrite(t *testing.T, change func(m *bundle.Manifest, segments map[string][]byte)) *bundle.Bundle {
	t.Helper()
	b := openBundle(t)
	segments := map[string][]byte{}
	for _, s := range b.Manifest.Segments {
		data, err := os.ReadFile(b.SegmentPath(s.ID))
		if err != nil {
			t.Fatal(err)
		}
		segments[s.ID] = data
	}
	change(b.Manifest, segments)
	dir := filepath.Join(t.TempDir(), "b")
	if err := bundle.Write(dir, b.Manifest, segments, nil); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestManifestThatDoesNotFitItsSegments(t *testing.T) {
	t.Run("shapes", func(t *testing.T) {
		b := rewrite(t, func(m *bundle.Manifest, _ map[string][]byte) {
			m.Preprocess.Width *= 2
			for i, s := range m.Segments {
				if s.Input[3] == 3 {
					m.Segments[i].Input = []int{1, s.Input[1], 2 * s.Input[2], 3}
				}
			}
		})
		_, err := Open(b, Options{})
		wantError(t, err, "but the manifest says")
	})
	t.Run("labels", func(t *testing.T) {
		b := rewrite(t, func(m *bundle.Manifest, _ map[string][]byte) {
			classes := len(m.Labels)
			m.Labels = append(m.Labels, "one too many")
			for i, s := range m.Segments {
				if len(s.Output) == 2 && s.Output[1] == classes {
					m.Segments[i].Output = []int{1, classes + 1}
				}
			}
		})
		_, err := Open(b, Options{})
		wantError(t, err, "but the manifest says")
	})
}

func TestRunPathRefuses(t *testing.T) {
	b := openBundle(t)
	first := b.SegmentPath(b.Manifest.Variants[0].Path[0])
	empty := filepath.Join(t.TempDir(), "empty.tflite")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, run := range map[string]struct {
		files []string
		input []float32
	}{
		"empty path":     {nil, nil},
		"cannot read it": {[]string{"missing.tflite"}, nil},
		"empty.tflite":   {[]string{empty}, nil},
		"but is given 7": {[]string{first}, make([]float32, 7)},
		first + " takes": {[]string{first, first}, make([]float32, b.Manifest.Preprocess.Len())},
	} {
		out, err := RunPath(run.files, run.input, Options{})
		wantError(t, err, want)
		if out != nil {
			t.Errorf("%q: an output came with the error", want)
		}
	}
}

func TestBuildsWithoutCgo(t *testing.T) {
	cmd := exec.Command("go", "test", "-run", "^TestWithoutCgo$", "-v", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS: TestWithoutCgo") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func BenchmarkInfer(b *testing.B) {
	e := openEngine(b, Options{})
	img := picture(7, 16, 16)
	for _, name := range e.Variants() {
		b.Run(name, func(b *testing.B) {
			activate(b, e, name)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Infer(img); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
