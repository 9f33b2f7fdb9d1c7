//go:build cgo

package engine

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/runtime/bundle"
)

// form is a way in which the converter stores a family.
type form struct {
	precision bundle.Precision
	whole     bool
}

func (f form) String() string {
	if f.whole {
		return f.precision.String() + "-monolithic"
	}
	return f.precision.String() + "-segments"
}

var forms = []form{
	{bundle.Float32, false}, {bundle.Float32, true}, {bundle.Float16, false},
	{bundle.Float16, true}, {bundle.Int8, false}, {bundle.Int8, true},
}

// converted holds a family of three depths in every form.
var converted = struct {
	sync.Once
	dir string
	err error
}{}

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(converted.dir)
	os.Exit(code)
}

func openForm(t testing.TB, f form) *bundle.Bundle {
	t.Helper()
	converted.Do(func() {
		if converted.dir, converted.err = os.MkdirTemp("", "engine"); converted.err == nil {
			converted.err = convertForms(converted.dir)
		}
	})
	if converted.err != nil {
		t.Fatal(converted.err)
	}
	b, err := bundle.Open(filepath.Join(converted.dir, f.String()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func convertForms(dir string) error {
	source := filepath.Join(dir, "family")
	if err := os.Mkdir(source, 0o755); err != nil {
		return err
	}
	fam, err := familytest.Write(source, familytest.Spec{
		Variants: []familytest.Variant{{Net: "A", Depth: []int{1, 1}}, {Net: "A", Depth: []int{2, 1}}, {Net: "A", Depth: []int{2, 2}}},
		Widths:   []int{32, 32}, Size: 8, Classes: 5, Seed: 8,
	})
	if err != nil {
		return err
	}
	for _, f := range forms {
		numbers := convert.Numbers{Precision: f.precision}
		if f.precision == bundle.Int8 {
			numbers.MaxDrop = 100
			numbers.Calibration = &convert.Dataset{Data: noise{}, Name: "noise", Split: "validation"}
		}
		if _, err := convert.Convert(fam, source, convert.Options{Out: filepath.Join(dir, f.String()), Whole: f.whole, Numbers: numbers}); err != nil {
			return err
		}
	}
	return nil
}

// noise is what int8 is calibrated on.
type noise struct{}

func (noise) Len() int { return 2 }

func (noise) At(i int) ([]float32, int, error) {
	rng := rand.New(rand.NewPCG(uint64(i), 3))
	in := make([]float32, 8*8*3)
	for k := range in {
		in[k] = (float32(rng.IntN(256))/255 - 0.5) / 0.25
	}
	return in, i % 5, nil
}

// everyBundle are those that are committed, and every form of another.
func everyBundle(t testing.TB) map[string]*bundle.Bundle {
	t.Helper()
	all := map[string]*bundle.Bundle{}
	for _, f := range forms {
		all[f.String()] = openForm(t, f)
	}
	dirs, err := filepath.Glob("../../testdata/bundles/*")
	if err != nil || len(dirs) < 2 {
		t.Fatal(dirs, err)
	}
	for _, dir := range dirs {
		b, err := bundle.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(dir)] = b
	}
	return all
}

// Every variant of every bundle gives what its path gives by itself, from
// pictures and from tensors, and no frame allocates.
func TestEveryFormOfBundle(t *testing.T) {
	for name, b := range everyBundle(t) {
		t.Run(name, func(t *testing.T) {
			e, err := Open(b, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if delegated, all := e.Operators(); delegated == 0 || b.Manifest.Precision == bundle.Float32 && delegated != all {
				t.Errorf("XNNPACK took %d of %d operators", delegated, all)
			}
			img := picture(1, 40, 30)
			in := tensorOf(t, b.Manifest.Preprocess, img)
			want := alone(t, b, in)
			for _, v := range b.Manifest.Variants {
				activate(t, e, v.Name)
				for what, infer := range map[string]func() (Result, error){
					"picture": func() (Result, error) { return e.Infer(img) },
					"tensor":  func() (Result, error) { return e.InferTensor(in) },
				} {
					res, err := infer()
					if err != nil || res.Variant != v.Name {
						t.Fatalf("%s of %s: %s, %v", what, v.Name, res.Variant, err)
					}
					if diff := cmp.Diff(want[v.Name], e.Logits()); diff != "" {
						t.Errorf("%s, %s (-alone +engine):\n%s", v.Name, what, diff)
					}
					if n := testing.AllocsPerRun(3, func() { _, _ = infer() }); n != 0 {
						t.Errorf("%s, %s: %v allocations per frame", v.Name, what, n)
					}
				}
			}
		})
	}
}
