package family

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/runtime/preprocess"
	"github.com/fathom-edge/fathom/runtime/profile"
)

func example() *Family {
	return &Family{
		Format: Format,
		Name:   "glyphs",
		Labels: []string{"0-O", "1-I", "Ä & <b>"},
		Preprocess: preprocess.Spec{
			Width: 32, Height: 32, Channels: "RGB", Fit: preprocess.FitCrop,
			Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.25, 0.25, 0.25},
		},
		Variants: []Variant{
			{Name: "a-1-1-1", Net: "A", Depth: []int{1, 1, 1}, Model: "a-1-1-1.onnx", Accuracy: []profile.Accuracy{
				{Dataset: "glyphs", Split: "validation", Top1: 0.9, Samples: 1000},
				{Dataset: "glyphs", Split: "test", Top1: 0.89, Samples: 1000},
			}},
			{Name: "b-2-0-2", Net: "B", Depth: []int{2, 0, 2}, Model: "deep/b.onnx"},
		},
	}
}

// folder returns a family folder with the example's models and no family.json.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, v := range example().Variants {
		if err := os.WriteFile(filepath.Join(dir, v.Model), []byte("model"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRoundTrip(t *testing.T) {
	dir := folder(t)
	if err := Write(dir, example()); err != nil {
		t.Fatal(err)
	}
	got, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example(), got); diff != "" {
		t.Errorf("read differs from written (-want +got):\n%s", diff)
	}
}

func TestRefusesContent(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Family)
		want   string
	}{
		{"newer format", func(f *Family) { f.Format = Format + 1 }, "newer than this fathom reads (1): update fathom"},
		{"format zero", func(f *Family) { f.Format = 0 }, "format 0 does not exist"},
		{"no name", func(f *Family) { f.Name = "" }, `name ""`},
		{"name with a folder", func(f *Family) { f.Name = "../x" }, `name "../x"`},
		{"no labels", func(f *Family) { f.Labels = nil }, "no labels"},
		{"empty label", func(f *Family) { f.Labels[1] = "" }, "labels[1]"},
		{"label with a line break", func(f *Family) { f.Labels[1] = "a\nb" }, "labels[1]"},
		{"label twice", func(f *Family) { f.Labels[2] = "0-O" }, `labels[2] "0-O": labels[0] is the same`},
		{"preprocessing", func(f *Family) { f.Preprocess.Std[1] = 0 }, "std of channel 1"},
		{"no variants", func(f *Family) { f.Variants = nil }, "no variants"},
		{"variant name", func(f *Family) { f.Variants[1].Name = ".b" }, `variants[1] ".b": name`},
		{"variant twice", func(f *Family) { f.Variants[1].Name = "A-1-1-1" }, "variants[0] has this name too"},
		{"no net", func(f *Family) { f.Variants[0].Net = "" }, `net ""`},
		{"no depth", func(f *Family) { f.Variants[0].Depth = nil }, "no depth"},
		{"negative depth", func(f *Family) { f.Variants[0].Depth = []int{1, -1} }, "depth [1 -1]"},
		{"no model", func(f *Family) { f.Variants[0].Model = "" }, `model ""`},
		{"model outside", func(f *Family) { f.Variants[0].Model = "../a.onnx" }, "inside the family folder"},
		{"absolute model", func(f *Family) { f.Variants[0].Model = "/a.onnx" }, "inside the family folder"},
		{"folder as model", func(f *Family) { f.Variants[0].Model = "." }, "inside the family folder"},
		{"backslash", func(f *Family) { f.Variants[0].Model = `..\a.onnx` }, "inside the family folder"},
		{"accuracy in per cent", func(f *Family) { f.Variants[0].Accuracy[0].Top1 = 90 }, "not per cent"},
		{"negative accuracy", func(f *Family) { f.Variants[0].Accuracy[0].Top1 = -0.1 }, "top1 -0.1"},
		{"accuracy on nothing", func(f *Family) { f.Variants[0].Accuracy[0].Samples = 0 }, "samples 0"},
		{"accuracy without split", func(f *Family) { f.Variants[0].Accuracy[0].Split = "" }, "say on what"},
		{"accuracy twice", func(f *Family) { f.Variants[0].Accuracy[1].Split = "validation" }, "is there twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := example()
			tt.change(f)
			data, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			refused(t, folder(t), string(data), tt.want)
			if err := f.Validate(); err == nil {
				t.Error("Validate takes it")
			}
			dir := folder(t)
			if err := Write(dir, f); err == nil {
				t.Error("Write takes it")
			}
			if _, err := os.Stat(filepath.Join(dir, FileName)); !os.IsNotExist(err) {
				t.Error("Write left a file")
			}
		})
	}
}

// refused checks that Read and Parse do not take the content.
func refused(t *testing.T, dir, content, want string) {
	t.Helper()
	path := filepath.Join(dir, FileName)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := Read(dir)
	if err == nil || got != nil {
		t.Fatalf("Read gave %v and error %v", got, err)
	}
	if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
		t.Errorf("Read: error %q lacks %q or the path", err, want)
	}
	if _, err := Parse([]byte(content)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Parse: error %v lacks %q", err, want)
	}
}

func TestRefusesText(t *testing.T) {
	data, err := example().encode()
	if err != nil {
		t.Fatal(err)
	}
	good := string(data)
	tests := []struct{ name, content, want string }{
		{"empty", "", "unexpected end"},
		{"not an object", "[]", "array"},
		{"cut short", good[:len(good)/2], "unexpected end"},
		{"no format", `{"name": "x"}`, `"format" is missing`},
		{"newer format with other fields", `{"format": 2, "nets": []}`, "update fathom"},
		{"misspelt field", strings.Replace(good, `"labels"`, `"lables"`, 1), "lables"},
		{"wrong type", strings.Replace(good, `"width": 32`, `"width": "32"`, 1), "width"},
		{"text after it", good + "{}", "after"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { refused(t, folder(t), tt.content, tt.want) })
	}
}

func TestRefusesFiles(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, dir, model string)
		want   string
	}{
		{"missing model", func(*testing.T, string, string) {}, "no such file in the family folder"},
		{"folder", func(t *testing.T, _, model string) {
			if err := os.Mkdir(model, 0o755); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		{"link out of the folder", func(t *testing.T, _, model string) {
			outside := filepath.Join(t.TempDir(), "m.onnx")
			if err := os.WriteFile(outside, []byte("model"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(outside, model); err != nil {
				t.Fatal(err)
			}
		}, "escapes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t)
			if err := Write(dir, example()); err != nil {
				t.Fatal(err)
			}
			model := filepath.Join(dir, "deep", "b.onnx")
			if err := os.Remove(model); err != nil {
				t.Fatal(err)
			}
			tt.change(t, dir, model)
			for what, err := range map[string]error{"Read": readError(dir), "Write": Write(dir, example())} {
				if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "b-2-0-2") {
					t.Errorf("%s: error %v lacks %q or the variant", what, err, tt.want)
				}
			}
		})
	}
	if err := readError(t.TempDir()); err == nil || !strings.Contains(err.Error(), FileName) {
		t.Errorf("empty folder: error %v", err)
	}
	if err := readError(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a missing folder was read")
	}
}

func readError(dir string) error {
	_, err := Read(dir)
	return err
}

func FuzzParse(f *testing.F) {
	data, err := example().encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"format": 2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Parse(data)
		if (err != nil) != (got == nil) {
			t.Fatalf("error %v with family %v", err, got)
		}
		if err != nil {
			return
		}
		again, err := got.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(again)
		if err != nil {
			t.Fatalf("what was parsed cannot be written and read: %v", err)
		}
		if diff := cmp.Diff(got, back); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestDocumentedExample keeps docs/family.md true.
func TestDocumentedExample(t *testing.T) {
	text, err := os.ReadFile("../../docs/family.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```json\n")
	block, _, _ := strings.Cut(rest, "```")
	f, err := Parse([]byte(block))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Variants) != 2 || len(f.Variants[0].Accuracy) != 2 {
		t.Errorf("the example lacks variants or accuracy: %+v", f)
	}
}
