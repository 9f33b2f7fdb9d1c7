package convert

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/fathom-edge/fathom/convert/evaluate"
	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/convert/reference"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// maxSteps is how many steps of the output's scale TFLite may differ from the
// evaluator in int8. On the machines tried so far it is none; another build of
// XNNPACK may round one sum otherwise, which later layers can carry on.
const maxSteps = 8

// KernelProof compares TFLite with package evaluate on the network as it was
// written: int8 in steps of the output's scale, float16 absolutely.
type KernelProof struct {
	// XNNPACK is the largest difference on the way that boards take.
	XNNPACK float64 `json:"xnnpack"`
	// Builtin is the largest difference of TFLite's own kernels from their
	// specification; int8 only.
	Builtin *float64 `json:"builtin,omitempty"`
}

// proveStored is prove for networks that are not stored in float32: they differ
// from the ONNX model by design, so that difference is only stated, and what
// must hold is that TFLite computes what the evaluator does.
func proveStored(variants []*variant, a *alphabet, spec preprocess.Spec, b *built, opts Options) ([]Proof, error) {
	files, remove, err := b.unpack()
	if err != nil {
		return nil, err
	}
	defer remove()
	unit, limit := "steps", float64(maxSteps)
	if opts.Numbers.Precision == bundle.Float16 {
		unit, limit = "", opts.MaxError
	}
	var proofs []Proof
	var failures []string
	for i, v := range variants {
		p, err := v.proveStored(spec, a.concat(a.words[i]), files(i), opts.Runner)
		if err != nil {
			return nil, fmt.Errorf("convert: proving variant %s: %w", v.Name, err)
		}
		worst := p.Kernels.XNNPACK
		if p.Kernels.Builtin != nil {
			worst = max(worst, *p.Kernels.Builtin)
		}
		if !(worst <= limit) {
			failures = append(failures, strings.TrimSpace(fmt.Sprintf("%s by %.3g %s", v.Name, worst, unit)))
		}
		proofs = append(proofs, p)
	}
	if len(failures) > 0 {
		return nil, fmt.Errorf("convert: TFLite differs from the evaluator by more than %g: %s (report this model)", limit, strings.Join(failures, ", "))
	}
	return proofs, nil
}

func (v *variant) proveStored(spec preprocess.Spec, g *graph.Graph, path []string, runner Runner) (Proof, error) {
	proof := Proof{Variant: v.Name, Samples: samples, Kernels: &KernelProof{}}
	m, err := onnx.Load(v.path)
	if err != nil {
		return proof, err
	}
	original, err := reference.Prepare(m)
	if err != nil {
		return proof, err
	}
	step := 1.0
	if g.Output.Quantized() {
		step = float64(g.Output.Storage.Output.Scale)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	for range samples {
		nhwc, nchw := randomFrame(random, spec)
		got, err := runner.Run(path, nhwc, v.graph.Output.Shape[1])
		if err != nil {
			return proof, err
		}
		want, err := evaluated(g, evaluate.XNNPACK, nhwc)
		if err != nil {
			return proof, err
		}
		proof.Kernels.XNNPACK = max(proof.Kernels.XNNPACK, inSteps(got, want, step))
		if g.Input().Quantized() || g.Output.Quantized() {
			if err := proof.Kernels.builtin(g, path, nhwc, step, runner); err != nil {
				return proof, err
			}
		}
		exact, err := original.Run(map[string]reference.Tensor{v.graph.Input().Name: {Shape: []int{1, 3, spec.Height, spec.Width}, Data: nchw}})
		if err != nil {
			return proof, err
		}
		for _, e := range exact { // the one output
			proof.MaxAbsError = max(proof.MaxAbsError, reference.MaxDifference(got, e.Data))
		}
	}
	return proof, nil
}

func (k *KernelProof) builtin(g *graph.Graph, path []string, input []float32, step float64, runner Runner) error {
	got, err := runner.RunBuiltin(path, input, g.Output.Shape[1])
	if err != nil {
		return err
	}
	want, err := evaluated(g, evaluate.Builtin, input)
	if err != nil {
		return err
	}
	worst := inSteps(got, want, step)
	if k.Builtin != nil {
		worst = max(worst, *k.Builtin)
	}
	k.Builtin = &worst
	return nil
}

// inSteps is the largest difference, in whole steps unless a step is 1.
func inSteps(got, want []float32, step float64) float64 {
	d := reference.MaxDifference(got, want) / step
	if step != 1 {
		d = math.Round(d)
	}
	return d
}

// evaluated runs a whole variant on a preprocessed frame.
func evaluated(g *graph.Graph, a evaluate.Arithmetic, input []float32) ([]float32, error) {
	p, err := evaluate.Prepare(g, a)
	if err != nil {
		return nil, err
	}
	in := evaluate.Value{Shape: g.Input().Shape, Floats: input}
	if g.Input().Quantized() {
		in = evaluate.Builtin.Quantize(in.Shape, input, *g.Input().Storage.Output)
	}
	out, err := p.Run(in, nil)
	return out.Real(), err
}
