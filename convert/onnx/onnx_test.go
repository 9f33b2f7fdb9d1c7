package onnx_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/convert/onnx/pb"
)

// ramp returns n values that start at first.
func ramp(first float32, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = first + float32(i)
	}
	return values
}

// model is a small network with one weight that is large enough to go outside,
// one that is equal to it and one that is too small.
func model() *onnx.ModelProto {
	return onnx.NewModel("test", &onnx.GraphProto{
		Name: "g",
		Node: []*onnx.NodeProto{
			onnx.NewNode("Conv", "conv", []string{"x", "w", "b"}, []string{"y"},
				onnx.IntsAttribute("strides", 2, 2), onnx.IntAttribute("group", 1)),
			onnx.NewNode("Constant", "k", nil, []string{"c"},
				onnx.TensorAttribute("value", onnx.Int64Tensor("", []int64{2}, []int64{-1, 7}))),
		},
		Initializer: []*onnx.TensorProto{
			onnx.FloatTensor("w", []int64{16, 16}, ramp(1, 256)),
			onnx.FloatTensor("same", []int64{256}, ramp(1, 256)),
			{Name: "typed", DataType: onnx.TypeFloat, Dims: []int64{300}, FloatData: ramp(2, 300)},
			onnx.FloatTensor("b", []int64{3}, ramp(3, 3)),
		},
		Input:  []*onnx.ValueInfoProto{onnx.FloatValue("x", 1, 3, 8, 8)},
		Output: []*onnx.ValueInfoProto{onnx.FloatValue("y", 1, 16, 4, 4)},
	})
}

// save writes m into a new folder, outside weights in w.bin if external.
func save(t *testing.T, m *onnx.ModelProto, external bool) (path string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "m.onnx")
	var ext *onnx.ExternalWriter
	if external {
		var err error
		if ext, err = onnx.NewExternalWriter(dir, "w.bin"); err != nil {
			t.Fatal(err)
		}
		defer ext.Discard()
	}
	if err := onnx.Save(path, m, ext); err != nil {
		t.Fatal(err)
	}
	if external {
		if err := ext.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSaveInsideRoundTrip(t *testing.T) {
	path := save(t, model(), false)
	got, err := onnx.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(model(), got, protocmp.Transform()); diff != "" {
		t.Errorf("read differs from written (-want +got):\n%s", diff)
	}
	if again := save(t, got, false); string(read(t, again)) != string(read(t, path)) {
		t.Error("equal models gave different bytes")
	}
}

func TestSaveOutsideRoundTrip(t *testing.T) {
	m := model()
	path := save(t, m, true)
	if diff := cmp.Diff(model(), m, protocmp.Transform()); diff != "" {
		t.Errorf("Save changed its argument:\n%s", diff)
	}
	got, err := onnx.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want := model()
	want.Graph.Initializer[2] = onnx.FloatTensor("typed", []int64{300}, ramp(2, 300))
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("read differs from written (-want +got):\n%s", diff)
	}
	w, same := got.Graph.Initializer[0].RawData, got.Graph.Initializer[1].RawData
	if &w[0] != &same[0] {
		t.Error("tensors of the same bytes do not share them")
	}
	if size := len(read(t, filepath.Join(filepath.Dir(path), "w.bin"))); size != 1024+1200 {
		t.Errorf("external data has %d bytes, want each content once: 2224", size)
	}
	if _, err := onnx.Parse(read(t, path)); err == nil {
		t.Error("Parse took a model with external data")
	}
}

func TestModelsShareOneExternalFile(t *testing.T) {
	dir := t.TempDir()
	ext, err := onnx.NewExternalWriter(dir, "w.bin")
	if err != nil {
		t.Fatal(err)
	}
	defer ext.Discard()
	second := model()
	second.Graph.Initializer[0] = onnx.FloatTensor("other", []int64{257}, ramp(9, 257))
	for name, m := range map[string]*onnx.ModelProto{"a.onnx": model(), "b.onnx": second} {
		if err := onnx.Save(filepath.Join(dir, name), m, ext); err != nil {
			t.Fatal(err)
		}
	}
	if err := onnx.Save(filepath.Join(t.TempDir(), "c.onnx"), model(), ext); err == nil {
		t.Error("a model of another folder was saved")
	}
	if err := ext.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := onnx.Load(filepath.Join(dir, "b.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := onnx.Floats(got.Graph.Initializer[0])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ramp(9, 257), other); diff != "" {
		t.Error(diff)
	}
}

func TestExternalWriterGivenUp(t *testing.T) {
	dir := t.TempDir()
	ext, err := onnx.NewExternalWriter(dir, "w.bin")
	if err != nil {
		t.Fatal(err)
	}
	ext.Discard()
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("Discard left %v", entries)
	}
	if err := ext.Close(); err == nil {
		t.Error("Close after Discard succeeded")
	}
	for _, name := range []string{"", ".", "..", "a/b", "/w.bin"} {
		if _, err := onnx.NewExternalWriter(dir, name); err == nil {
			t.Errorf("file name %q was taken", name)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	external := func(keyValues ...string) func(*onnx.ModelProto) {
		return func(m *onnx.ModelProto) {
			w := m.Graph.Initializer[0]
			w.RawData, w.DataLocation = nil, pb.TensorProto_EXTERNAL
			for i := 0; i < len(keyValues); i += 2 {
				w.ExternalData = append(w.ExternalData, &onnx.StringStringEntryProto{Key: keyValues[i], Value: keyValues[i+1]})
			}
		}
	}
	tests := []struct {
		name   string
		change func(*onnx.ModelProto)
		want   string
	}{
		{"no graph", func(m *onnx.ModelProto) { m.Graph = nil }, "no graph"},
		{"no opset", func(m *onnx.ModelProto) { m.OpsetImport = nil }, "operator set"},
		{"short data", func(m *onnx.ModelProto) { m.Graph.Initializer[0].RawData = make([]byte, 1020) }, `tensor "w": shape [16 16] of FLOAT needs 1024 bytes, it has 1020`},
		{"short typed data", func(m *onnx.ModelProto) { m.Graph.Initializer[2].FloatData = ramp(0, 3) }, `tensor "typed": shape [300] needs 300 elements, it has 3`},
		{"data twice", func(m *onnx.ModelProto) { m.Graph.Initializer[2].RawData = make([]byte, 1200) }, "data twice"},
		{"negative dimension", func(m *onnx.ModelProto) { m.Graph.Initializer[0].Dims = []int64{-16, -16} }, "negative dimension"},
		{"overflowing shape", func(m *onnx.ModelProto) { m.Graph.Initializer[0].Dims = []int64{1 << 40, 1 << 40} }, "larger than"},
		{"attribute tensor", func(m *onnx.ModelProto) { m.Graph.Node[1].Attribute[0].T.Dims[0] = 3 }, "shape [3] of INT64 needs 24 bytes"},
		{"no location", external("offset", "0"), "without a location"},
		{"parent folder", external("location", "../w.bin"), "outside the model's folder"},
		{"parent folder in the middle", external("location", "a/../../w.bin"), "outside the model's folder"},
		{"absolute", external("location", "/etc/passwd"), "outside the model's folder"},
		{"link out of the folder", external("location", "link"), "escapes"},
		{"folder", external("location", "folder"), "not a regular file"},
		{"missing", external("location", "nowhere.bin"), "copy the file beside the model"},
		{"negative offset", external("location", "w.bin", "offset", "-1"), "not a byte offset"},
		{"offset past the end", external("location", "w.bin", "offset", "9223372036854775807"), "cut short"},
		{"length of another shape", external("location", "w.bin", "length", "5"), `has length "5"`},
		{"cut short", external("location", "w.bin", "offset", "64"), "the file has 1024"},
		{"overlapping", func(m *onnx.ModelProto) {
			external("location", "w.bin")(m)
			w := proto.CloneOf(m.Graph.Initializer[0])
			w.Name, w.Dims = "half", []int64{8, 16}
			w.ExternalData = append(w.ExternalData, &onnx.StringStringEntryProto{Key: "offset", Value: "64"})
			m.Graph.Initializer = append(m.Graph.Initializer, w)
		}, "tensors overlap in its 1024 bytes"},
		{"empty parts", func(m *onnx.ModelProto) {
			for range 200_000 {
				m.Graph.Node = append(m.Graph.Node, &onnx.NodeProto{})
			}
		}, "parts, most of them empty"},
		{"inside and outside", func(m *onnx.ModelProto) {
			external("location", "w.bin")(m)
			m.Graph.Initializer[0].RawData = make([]byte, 1024)
		}, "inside and outside"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			m := model()
			tt.change(m)
			data, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			secret := filepath.Join(t.TempDir(), "secret")
			path := filepath.Join(dir, "m.onnx")
			for name, content := range map[string][]byte{path: data, filepath.Join(dir, "w.bin"): make([]byte, 1024), secret: make([]byte, 1024)} {
				if err := os.WriteFile(name, content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink(secret, filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
				t.Fatal(err)
			}
			got, err := onnx.Load(path)
			if err == nil || got != nil {
				t.Fatalf("got a model and error %v", err)
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %q lacks %q or the path", err, tt.want)
			}
		})
	}
}

func TestLoadOfNoFile(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none.onnx")} {
		if m, err := onnx.Load(path); err == nil || m != nil {
			t.Errorf("Load(%s) succeeded", path)
		}
	}
}

func TestSaveRefuses(t *testing.T) {
	m := model()
	m.Graph.Initializer[0].RawData = nil
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := onnx.Save(path, m, nil); err == nil || !strings.Contains(err.Error(), `tensor "w"`) {
		t.Errorf("error %v, want one about tensor w", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error("a file was written")
	}
}

func TestValues(t *testing.T) {
	floats, err := onnx.Floats(onnx.FloatTensor("f", []int64{2, 2}, ramp(1, 4)))
	if diff := cmp.Diff(ramp(1, 4), floats); diff != "" || err != nil {
		t.Error(err, diff)
	}
	typed, err := onnx.Floats(&onnx.TensorProto{DataType: onnx.TypeFloat, Dims: []int64{3}, FloatData: ramp(1, 3)})
	if diff := cmp.Diff(ramp(1, 3), typed); diff != "" || err != nil {
		t.Error(err, diff)
	}
	scalar, err := onnx.Int64s(&onnx.TensorProto{DataType: onnx.TypeInt64, Int64Data: []int64{-5}})
	if diff := cmp.Diff([]int64{-5}, scalar); diff != "" || err != nil {
		t.Error(err, diff)
	}
	raw, err := onnx.Int64s(onnx.Int64Tensor("i", []int64{2}, []int64{-5, 1 << 40}))
	if diff := cmp.Diff([]int64{-5, 1 << 40}, raw); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if _, err := onnx.Floats(onnx.Int64Tensor("i", []int64{1}, []int64{1})); err == nil {
		t.Error("int64 read as float32")
	}
	if _, err := onnx.Int64s(onnx.FloatTensor("f", []int64{1}, ramp(0, 1))); err == nil {
		t.Error("float32 read as int64")
	}
}

func TestAttributes(t *testing.T) {
	n := onnx.NewNode("Any", "n", nil, nil,
		onnx.IntAttribute("i", 3), onnx.IntsAttribute("is", 1, 2), onnx.FloatAttribute("f", 0.5), onnx.StringAttribute("s", "NOTSET"),
		onnx.TensorAttribute("t", onnx.Int64Tensor("", []int64{1}, []int64{4})))
	type values struct {
		I  int64
		Is []int64
		F  float32
		S  string
		T  bool
	}
	read := func(i, is, f, s, tensor string) (v values, errs []error) {
		var err [5]error
		var t *onnx.TensorProto
		v.I, err[0] = onnx.Int(n, i, -1)
		v.Is, err[1] = onnx.Ints(n, is, -1, -1)
		v.F, err[2] = onnx.Float(n, f, -1)
		v.S, err[3] = onnx.String(n, s, "def")
		t, err[4] = onnx.Tensor(n, tensor)
		v.T = t != nil
		for _, e := range err {
			if e != nil {
				errs = append(errs, e)
			}
		}
		return v, errs
	}
	got, errs := read("i", "is", "f", "s", "t")
	if diff := cmp.Diff(values{3, []int64{1, 2}, 0.5, "NOTSET", true}, got); diff != "" || errs != nil {
		t.Error(errs, diff)
	}
	got, errs = read("?", "?", "?", "?", "?")
	if diff := cmp.Diff(values{-1, []int64{-1, -1}, -1, "def", false}, got); diff != "" || errs != nil {
		t.Error(errs, diff)
	}
	if _, errs = read("is", "f", "s", "t", "i"); len(errs) != 5 {
		t.Errorf("attributes of the wrong type gave errors %v, want 5", errs)
	}
}

func FuzzParse(f *testing.F) {
	data, err := proto.Marshal(model())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := onnx.Parse(data)
		if (err != nil) != (m == nil) {
			t.Fatalf("error %v with model %v", err, m)
		}
		if err != nil {
			return
		}
		whole := new(onnx.ModelProto)
		if err := proto.Unmarshal(data, whole); err != nil || !proto.Equal(whole, m) {
			t.Fatalf("protobuf reads %v, %v; Parse %v", whole, err, m)
		}
		for _, tensor := range m.Graph.Initializer {
			if values, err := onnx.Floats(tensor); (err != nil) != (values == nil) {
				t.Fatalf("error %v with values %v", err, values)
			}
		}
	})
}

// FuzzLoad gives damaged models beside damaged external data.
func FuzzLoad(f *testing.F) {
	dir := f.TempDir()
	ext, err := onnx.NewExternalWriter(dir, "w.bin")
	if err != nil {
		f.Fatal(err)
	}
	defer ext.Discard()
	path := filepath.Join(dir, "m.onnx")
	if err := onnx.Save(path, model(), ext); err != nil {
		f.Fatal(err)
	}
	if err := ext.Close(); err != nil {
		f.Fatal(err)
	}
	var seed [2][]byte
	for i, name := range []string{"m.onnx", "w.bin"} {
		if seed[i], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(seed[0], seed[1])
	f.Add(seed[0], seed[1][:1000])
	f.Fuzz(func(t *testing.T, data, outside []byte) {
		for name, content := range map[string][]byte{"m.onnx": data, "w.bin": outside} {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		m, err := onnx.Load(path)
		if (err != nil) != (m == nil) {
			t.Fatalf("error %v with model %v", err, m)
		}
		held, seen := 0, map[*byte]bool{}
		for _, tensor := range m.GetGraph().GetInitializer() {
			if raw := tensor.GetRawData(); len(raw) > 0 && !seen[&raw[0]] {
				seen[&raw[0]] = true
				held += len(raw)
			}
		}
		if held > len(data)+len(outside) {
			t.Fatalf("%d bytes of weights from files of %d and %d", held, len(data), len(outside))
		}
	})
}
