package reference_test

import (
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/convert/reference"
)

// goldens holds models with inputs and onnxruntime's outputs; see
// scripts/onnx-goldens.py.
const goldens = "../../testdata/onnx"

// tolerance is absolute; the values are of the order of 1.
const tolerance = 1e-5

func TestGoldens(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(goldens, "*", "model.onnx"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	covered := map[string]bool{}
	for _, path := range paths {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			m, err := onnx.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range m.Graph.Node {
				covered[n.OpType] = true
			}
			data := filepath.Join(filepath.Dir(path), "test_data_set_0")
			input, in := readTensor(t, filepath.Join(data, "input_0.pb"))
			output, want := readTensor(t, filepath.Join(data, "output_0.pb"))
			outputs, err := reference.Run(m, map[string]reference.Tensor{input: in})
			if err != nil {
				t.Fatal(err)
			}
			got := outputs[output]
			if diff := cmp.Diff(want.Shape, got.Shape); diff != "" {
				t.Fatalf("shape (-want +got):\n%s", diff)
			}
			worst := 0.0
			for i := range want.Data {
				worst = max(worst, math.Abs(float64(want.Data[i])-float64(got.Data[i])))
			}
			if !(worst <= tolerance) {
				t.Errorf("differs from onnxruntime by %g, want at most %g", worst, tolerance)
			}
			t.Logf("differs from onnxruntime by %.2g", worst)
		})
	}
	if diff := cmp.Diff(reference.Operators(), slices.Sorted(maps.Keys(covered))); diff != "" {
		t.Errorf("operators without a golden (-operators +goldens):\n%s", diff)
	}
}

func readTensor(t *testing.T, path string) (name string, tensor reference.Tensor) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	message := new(onnx.TensorProto)
	if err := proto.Unmarshal(data, message); err != nil {
		t.Fatal(err)
	}
	if tensor.Data, err = onnx.Floats(message); err != nil {
		t.Fatal(err)
	}
	for _, d := range message.Dims {
		tensor.Shape = append(tensor.Shape, int(d))
	}
	return message.Name, tensor
}
