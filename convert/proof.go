package convert

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/convert/reference"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// samples is how many random inputs each variant is proven on.
const samples = 4

// seed of the random inputs.
const seed = 20260101

// smallestRange stands for the range of outputs that are all equal.
const smallestRange = 1e-6

// Runner runs TFLite files; cmd supplies one where cgo is on. It is called from
// one goroutine.
type Runner interface {
	// Run feeds input, NHWC, to the first file and each output to the next
	// file, and returns the last output, of outputLen values.
	Run(path []string, input []float32, outputLen int) ([]float32, error)
	// RunBuiltin is Run with TFLite's own kernels in place of XNNPACK's.
	RunBuiltin(path []string, input []float32, outputLen int) ([]float32, error)
}

// unpack puts the segments into a private folder for the while of a proof, so
// that a bundle that fails is never seen by anyone, and returns the path of each
// variant.
func (b *built) unpack() (path func(variant int) []string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "fathom-convert-")
	if err != nil {
		return nil, nil, fmt.Errorf("convert: %w", err)
	}
	remove = func() { os.RemoveAll(dir) }
	file := func(id string) string { return filepath.Join(dir, id+".tflite") }
	for id, data := range b.segments {
		if err := os.WriteFile(file(id), data, 0o600); err != nil {
			remove()
			return nil, nil, fmt.Errorf("convert: %w", err)
		}
	}
	return func(variant int) []string {
		var files []string
		for _, id := range b.manifest.Variants[variant].Path {
			files = append(files, file(id))
		}
		return files
	}, remove, nil
}

// prove runs every variant's path on random frames, and the reference evaluator
// on the ONNX model that it came from.
func prove(variants []*variant, spec preprocess.Spec, b *built, opts Options) ([]Proof, error) {
	files, remove, err := b.unpack()
	if err != nil {
		return nil, err
	}
	defer remove()
	var proofs []Proof
	var failures []string
	for i, v := range variants {
		p, err := v.prove(spec, files(i), opts.Runner)
		if err != nil {
			return nil, fmt.Errorf("convert: proving variant %s: %w", v.Name, err)
		}
		if !(p.MaxAbsError <= opts.MaxError*max(p.Range, smallestRange)) { // also if it is not a number
			failures = append(failures, fmt.Sprintf("%s by %.3g of a range of %.3g", v.Name, p.MaxAbsError, p.Range))
		}
		proofs = append(proofs, p)
	}
	if len(failures) > 0 {
		return nil, fmt.Errorf("convert: TFLite differs from the reference by more than %g of the outputs' range: %s (report this model, or raise --max-error)",
			opts.MaxError, strings.Join(failures, ", "))
	}
	return proofs, nil
}

func (v *variant) prove(spec preprocess.Spec, path []string, runner Runner) (Proof, error) {
	proof := Proof{Variant: v.Name, Samples: samples}
	m, err := onnx.Load(v.path)
	if err != nil {
		return proof, err
	}
	program, err := reference.Prepare(m)
	if err != nil {
		return proof, err
	}
	input, output := v.graph.Input(), v.graph.Output
	random := rand.New(rand.NewPCG(seed, 0)) // the same frames for every variant
	for range samples {
		nhwc, nchw := randomFrame(random, spec)
		in := reference.Tensor{Shape: []int{1, 3, spec.Height, spec.Width}, Data: nchw}
		want, err := program.Run(map[string]reference.Tensor{input.Name: in})
		if err != nil {
			return proof, err
		}
		got, err := runner.Run(path, nhwc, output.Shape[1])
		if err != nil {
			return proof, err
		}
		for _, w := range want { // the one output
			proof.MaxAbsError = max(proof.MaxAbsError, reference.MaxDifference(got, w.Data))
			proof.Range = max(proof.Range, float64(slices.Max(w.Data))-float64(slices.Min(w.Data)))
		}
	}
	return proof, nil
}

// randomFrame makes pixels of even distribution and normalizes them, in both
// layouts.
func randomFrame(random *rand.Rand, spec preprocess.Spec) (nhwc, nchw []float32) {
	pixels := spec.Height * spec.Width
	nhwc, nchw = make([]float32, 3*pixels), make([]float32, 3*pixels)
	for at := range pixels {
		for c := range 3 {
			value := (random.Float32() - spec.Mean[c]) / spec.Std[c]
			nhwc[3*at+c], nchw[c*pixels+at] = value, value
		}
	}
	return nhwc, nchw
}
