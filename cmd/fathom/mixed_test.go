//go:build cgo

package main

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/runtime/bundle"
)

// outlier is how many times as large one channel is made, which leaves none of
// int8's eight bits to the others. A power of two changes no result of float32.
const outlier = 1024

// TestMaxDropOfTrainedNetwork converts the shallowest network of the demo family
// that is worth having, in two blocks of which one channel was made larger and the
// weights that read it smaller: the same network in float32, a bad one in int8.
// Four layers in float32 make it good again.
func TestMaxDropOfTrainedNetwork(t *testing.T) {
	fam, dir := widened(t)
	numbers := func(maxDrop float64) convert.Numbers {
		n, err := (&numbersFlags{Precision: "int8", Calibration: "glyphs:train:16", Eval: "glyphs:validation:102", MaxDrop: maxDrop}).numbers(fam.Labels, fam.Preprocess)
		if err != nil {
			t.Fatal(err)
		}
		n.Progress = nil
		return n
	}
	convertTo := func(maxDrop float64) *convert.Result {
		r, err := convert.Convert(fam, dir, convert.Options{Out: filepath.Join(t.TempDir(), "b"), Numbers: numbers(maxDrop), Runner: runner(), MaxError: 1e-4})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	bad := convertTo(100).Evidence.Quantization
	if drop := bad.Final[0].Drop; drop < 5 || len(bad.Kept) > 0 {
		t.Fatalf("int8 drops by %g points with %v in float32: the test shows nothing", drop, bad.Kept)
	}
	r := convertTo(1)
	q, layers := r.Evidence.Quantization, 0
	for _, s := range r.Manifest.Segments {
		layers += s.FloatLayers
	}
	t.Logf("drop of %.3g points, %.3g with %v in float32", bad.Final[0].Drop, q.Final[0].Drop, q.Kept)
	if q.Final[0].Drop > 1 || layers == 0 || layers != len(q.Kept) || layers > 6 {
		t.Errorf("drop of %g points with %d layers in float32, kept %v", q.Final[0].Drop, layers, q.Kept)
	}
	if k := r.Evidence.Proof[0].Kernels; k.XNNPACK != 0 || r.Manifest.Precision != bundle.Int8 {
		t.Errorf("TFLite differs from the evaluator by %g", k.XNNPACK)
	}
}

// widened is a family of one network, and its folder.
func widened(t *testing.T) (*family.Family, string) {
	t.Helper()
	fam, err := family.Read(demoFamily)
	if err != nil {
		t.Fatal(err)
	}
	blocks := func(v family.Variant) (sum int) {
		for _, n := range v.Depth {
			sum += n
		}
		return sum
	}
	fam.Variants = slices.DeleteFunc(fam.Variants, func(v family.Variant) bool { return v.Accuracy[0].Top1 < 0.9 })
	if len(fam.Variants) == 0 {
		t.Fatal("no variant of the demo family is right in 9 cases of 10")
	}
	fam.Variants = []family.Variant{slices.MinFunc(fam.Variants, func(a, b family.Variant) int { return blocks(a) - blocks(b) })}
	m, err := onnx.Load(filepath.Join(demoFamily, fam.Variants[0].Model))
	if err != nil {
		t.Fatal(err)
	}
	widen(t, m.Graph, 2)
	dir := t.TempDir()
	if err := onnx.Save(filepath.Join(dir, fam.Variants[0].Model), m, nil); err != nil {
		t.Fatal(err)
	}
	return fam, dir
}

// widen makes the first channel between the two convolutions of the first
// residual blocks larger.
func widen(t *testing.T, g *onnx.GraphProto, blocks int) {
	t.Helper()
	weights := map[string]*onnx.TensorProto{}
	for _, w := range g.Initializer {
		weights[w.Name] = w
	}
	readers := map[string][]*onnx.NodeProto{}
	for _, n := range g.Node {
		for _, in := range n.Input {
			readers[in] = append(readers[in], n)
		}
	}
	only := func(n *onnx.NodeProto, op string) *onnx.NodeProto {
		if next := readers[n.Output[0]]; len(next) == 1 && next[0].OpType == op {
			return next[0]
		}
		return &onnx.NodeProto{Output: []string{""}}
	}
	for _, norm := range g.Node {
		conv := only(only(norm, "Relu"), "Conv")
		if norm.OpType != "BatchNormalization" || len(conv.Input) == 0 {
			continue
		}
		for _, name := range norm.Input[1:3] {
			multiply(t, weights[name], outlier, func(i int) bool { return i == 0 })
		}
		dims := weights[conv.Input[1]].Dims
		window := int(dims[2] * dims[3])
		multiply(t, weights[conv.Input[1]], 1./outlier, func(i int) bool { return i/window%int(dims[1]) == 0 })
		if blocks--; blocks == 0 {
			return
		}
	}
	t.Fatal("too few blocks with two convolutions")
}

func multiply(t *testing.T, w *onnx.TensorProto, by float32, which func(int) bool) {
	t.Helper()
	values, err := onnx.Floats(w)
	if err != nil {
		t.Fatal(err)
	}
	values = slices.Clone(values)
	for i := range values {
		if which(i) {
			values[i] *= by
		}
	}
	w.RawData = onnx.FloatTensor(w.Name, w.Dims, values).RawData
}
