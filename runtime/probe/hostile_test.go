//go:build cgo

package probe_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/preprocess"
	"github.com/fathom-edge/fathom/runtime/probe"
)

// crash is a committed bundle that is whole and kills TensorFlow Lite: its MEAN
// has no axes. The tests of the commands use it, too.
//
//	go test ./runtime/probe -run CommittedBundle -update
const crash = "../../testdata/hostile/crash"

var update = flag.Bool("update", false, "write "+crash+" anew")

func TestCommittedBundleCrashes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	if *update {
		dir = crash
	}
	writeCrash(t, dir)
	for _, file := range []string{"manifest.json", "segments/" + segmentID(t, dir) + ".tflite"} {
		fresh, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		committed, err := os.ReadFile(filepath.Join(crash, file))
		if err != nil || !bytes.Equal(fresh, committed) {
			t.Errorf("%s is not the committed one (%v)", file, err)
		}
	}
	if r := run(t, crash, limits()); r.Outcome != probe.Crashed || r.Signal != "SIGSEGV" {
		t.Errorf("%+v", r)
	}
}

func segmentID(t *testing.T, dir string) string {
	t.Helper()
	b, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return b.Manifest.Segments[0].ID
}

func writeCrash(t *testing.T, dir string) {
	t.Helper()
	in := &graph.Node{Op: graph.OpInput, Shape: []int{1, 4, 4, 3}}
	conv := &graph.Node{Op: graph.OpConv, Inputs: []*graph.Node{in}, Shape: []int{1, 4, 4, 2},
		Weights: []graph.Tensor{{Shape: []int{2, 1, 1, 3}, Data: make([]float32, 6)}, {Shape: []int{2}, Data: make([]float32, 2)}},
		Attrs:   graph.Attrs{Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Padding: graph.Valid}}
	mean := &graph.Node{Op: graph.OpMean, Inputs: []*graph.Node{conv}, Shape: []int{1, 2}}
	data, err := tflite.Write(&graph.Graph{Layout: graph.NHWC, Nodes: []*graph.Node{in, conv, mean}, Output: mean})
	if err != nil {
		t.Fatal(err)
	}
	data = operator(1, func(op *schema.Operator) bool { return op.MutateInputs(1, -1) })(data)
	sum := sha256.Sum256(data)
	digits := hex.EncodeToString(sum[:])
	m := &bundle.Manifest{
		Format: bundle.Format, Name: "crash", Labels: []string{"cat", "dog"},
		Preprocess: preprocess.Spec{Width: 4, Height: 4, Channels: "RGB", Fit: preprocess.FitCrop, Std: [3]float32{1, 1, 1}},
		Segments: []bundle.Segment{{ID: digits[:12], SHA256: digits, File: "segments/" + digits[:12] + ".tflite",
			Bytes: int64(len(data)), MACs: 96, Input: []int{1, 4, 4, 3}, Output: []int{1, 2}}},
		Variants: []bundle.Variant{{Name: "a-1", Net: "A", Depth: []int{1}, Path: []string{digits[:12]}, MACs: 96}},
	}
	if err := bundle.Write(dir, m, map[string][]byte{digits[:12]: data}, nil); err != nil {
		t.Fatal(err)
	}
}
