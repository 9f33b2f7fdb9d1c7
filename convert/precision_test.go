package convert_test

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// frames are random images of familytest.Small, labelled in turn if classes is
// not zero.
type frames struct {
	count, values, classes int
	err                    error
}

func (f frames) Len() int { return f.count }

func (f frames) At(i int) ([]float32, int, error) {
	rng := rand.New(rand.NewPCG(uint64(i), 5))
	input := make([]float32, f.values)
	for k := range input {
		input[k] = (float32(rng.IntN(256))/255 - 0.5) / 0.25
	}
	label := -1
	if f.classes > 0 {
		label = i % f.classes
	}
	return input, label, f.err
}

const smallValues = 12 * 12 * 3

func int8Numbers() convert.Numbers {
	data := frames{count: 3, values: smallValues, classes: 5}
	return convert.Numbers{Precision: bundle.Int8, MaxDrop: 100, Calibration: &convert.Dataset{Data: data, Name: "frames", Split: "train"}}
}

// TestConvertInt8 compares two conversions, and with the float32 bundle.
func TestConvertInt8(t *testing.T) {
	f, dir := makeFamily(t, familytest.Small())
	first, second := filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "b")
	numbers := int8Numbers()
	numbers.Eval = &convert.Dataset{Data: frames{count: 5, values: smallValues, classes: 5}, Name: "frames", Split: "validation"}
	f.Variants[0].Accuracy = []profile.Accuracy{{Dataset: "frames", Split: "validation", Top1: 1, Samples: 3}, {Dataset: "frames", Split: "test", Top1: 1, Samples: 3}}
	r := mustConvert(t, f, dir, first, convert.Options{Numbers: numbers})
	mustConvert(t, f, dir, second, convert.Options{Numbers: numbers})
	if diff := cmp.Diff(files(t, first), files(t, second)); diff != "" {
		t.Errorf("two conversions differ:\n%s", diff)
	}
	if _, err := bundle.Open(first); err != nil {
		t.Fatal(err)
	}
	exact := mustConvert(t, f, dir, filepath.Join(t.TempDir(), "b"), convert.Options{})
	if a, b := bytesOf(r.Manifest), bytesOf(exact.Manifest); a > b*45/100 {
		t.Errorf("int8 takes %d bytes, float32 %d", a, b)
	}
	for i, v := range r.Manifest.Variants {
		s := r.Evidence.Quantization.Final[i]
		want := []profile.Accuracy{{Dataset: "frames", Split: "validation", Top1: s.Int8, Samples: 5}}
		if v.Name == f.Variants[0].Name {
			want = append([]profile.Accuracy{{Dataset: "frames", Split: "test", Top1: 1, Samples: 3}}, want...)
		}
		if diff := cmp.Diff(want, v.Accuracy); diff != "" {
			t.Errorf("%s: accuracy -want +got:\n%s", v.Name, diff)
		}
	}
	for _, s := range r.Manifest.Segments {
		if s.InputQuantization == nil || s.OutputQuantization == nil || s.FloatLayers != 0 {
			t.Errorf("segment %+v is not all int8", s)
		}
	}
}

func bytesOf(m *bundle.Manifest) (total int64) {
	for _, s := range m.Segments {
		total += s.Bytes
	}
	return total
}

// TestConvertFloat16 halves the bundle and keeps what is shared.
func TestConvertFloat16(t *testing.T) {
	s := familytest.Small()
	s.Widths = []int{32, 48} // worth its cuts by what they save in memory, but not by what they save on disk
	f, dir := makeFamily(t, s)
	exact := mustConvert(t, f, dir, filepath.Join(t.TempDir(), "b"), convert.Options{})
	half := mustConvert(t, f, dir, filepath.Join(t.TempDir(), "b"), convert.Options{Numbers: convert.Numbers{Precision: bundle.Float16}})
	if a, b := bytesOf(half.Manifest), bytesOf(exact.Manifest); a > b*55/100 {
		t.Errorf("float16 takes %d bytes, float32 %d", a, b)
	}
	if a, b := len(half.Manifest.Segments), len(exact.Manifest.Segments); a != b {
		t.Errorf("%d segments, float32 has %d", a, b)
	}
	if half.Manifest.Precision != bundle.Float16 {
		t.Errorf("precision is %q", half.Manifest.Precision)
	}
}

func TestEvalFillsInAccuracy(t *testing.T) {
	f, dir := makeFamily(t, familytest.Small())
	numbers := convert.Numbers{Eval: &convert.Dataset{Data: frames{count: 5, values: smallValues, classes: 5}, Name: "frames", Split: "validation"}}
	r := mustConvert(t, f, dir, filepath.Join(t.TempDir(), "b"), convert.Options{Numbers: numbers})
	for _, v := range r.Manifest.Variants {
		if len(v.Accuracy) != 1 || v.Accuracy[0].Samples != 5 || v.Accuracy[0].Dataset != "frames" {
			t.Errorf("%s: %+v", v.Name, v.Accuracy)
		}
	}
}

func TestConvertInt8Refuses(t *testing.T) {
	s := familytest.Small()
	s.Widths, s.Variants = []int{4, 6}, s.Variants[:2]
	f, dir := makeFamily(t, s)
	for want, change := range map[string]func(*convert.Numbers){
		"int8 needs calibration images": func(n *convert.Numbers) { n.Calibration = nil },
		"there are no calibration":      func(n *convert.Numbers) { n.Calibration.Data = frames{} },
		"image 0 has 5 values":          func(n *convert.Numbers) { n.Calibration.Data = frames{count: 2, values: 5} },
		"unreadable":                    func(n *convert.Numbers) { n.Calibration.Data = frames{count: 2, err: errors.New("unreadable")} },
		"cannot be measured on images":  func(n *convert.Numbers) { n.Eval = &convert.Dataset{Data: frames{count: 3, values: smallValues}} },
		`no precision "int4"`:           func(n *convert.Numbers) { n.Precision = "int4" },
		"by more than 8: net-A-1-1 by":  nil,
	} {
		numbers := int8Numbers()
		opts := convert.Options{}
		if change == nil {
			opts.Runner = wrong(1e6)
		} else {
			change(&numbers)
		}
		opts.Numbers = numbers
		refused(t, f, dir, opts, want)
	}
}
