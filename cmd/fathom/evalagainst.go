package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/convert/reference"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// comparison is TFLite against the reference evaluator on the same samples.
type comparison struct {
	Samples int `json:"samples"`
	// MaxAbsError is the largest absolute difference between two logits.
	MaxAbsError float64 `json:"max_abs_error"`
}

// compare runs the ONNX model that each variant was converted from.
func (e *evaluation) compare(eng *engine.Engine, m *bundle.Manifest, dir string, data *dataset, samples int) error {
	fam, err := family.Read(dir)
	if err != nil {
		return err
	}
	if fam.Preprocess != m.Preprocess || !slices.Equal(fam.Labels, m.Labels) {
		return fmt.Errorf("eval: %s is another family than the bundle's: preprocessing or labels differ", dir)
	}
	samples = min(samples, data.count)
	bar := progress(samples*len(e.Variants), "comparing")
	defer bar.Finish()
	for i := range e.Variants {
		v := &e.Variants[i]
		original, err := openOriginal(fam, dir, v.Name, m.Preprocess)
		if err != nil {
			return err
		}
		if err := eng.SetActive(v.Name); err != nil {
			return err
		}
		v.Against = &comparison{Samples: samples}
		err = data.each(m.Preprocess, samples, func(input []float32, _ int) error {
			want, err := original.run(input)
			if err != nil {
				return err
			}
			if _, err := eng.InferTensor(input); err != nil {
				return err
			}
			v.Against.MaxAbsError = max(v.Against.MaxAbsError, reference.MaxDifference(eng.Logits(), want))
			return bar.Add(1)
		})
		if err != nil {
			return fmt.Errorf("eval: comparing variant %s: %w", v.Name, err)
		}
	}
	return nil
}

// original is a variant as it was before conversion.
type original struct {
	program *reference.Program
	input   string
	spec    preprocess.Spec
}

func openOriginal(fam *family.Family, dir, name string, spec preprocess.Spec) (*original, error) {
	i := slices.IndexFunc(fam.Variants, func(v family.Variant) bool { return v.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("eval: family %s has no variant %s", dir, name)
	}
	model, err := onnx.Load(filepath.Join(dir, filepath.FromSlash(fam.Variants[i].Model)))
	if err != nil {
		return nil, err
	}
	program, err := reference.Prepare(model)
	if err != nil {
		return nil, err
	}
	initialized := map[string]bool{}
	for _, t := range model.GetGraph().GetInitializer() {
		initialized[t.GetName()] = true
	}
	for _, in := range model.GetGraph().GetInput() {
		if !initialized[in.GetName()] {
			return &original{program, in.GetName(), spec}, nil
		}
	}
	return nil, fmt.Errorf("eval: %s has no input", fam.Variants[i].Model)
}

// run takes a tensor in NHWC, as the engine does, and returns the logits.
func (o *original) run(nhwc []float32) ([]float32, error) {
	pixels := o.spec.Height * o.spec.Width
	in := reference.Tensor{Shape: []int{1, 3, o.spec.Height, o.spec.Width}, Data: make([]float32, 3*pixels)}
	for i, v := range nhwc {
		in.Data[i%3*pixels+i/3] = v
	}
	outputs, err := o.program.Run(map[string]reference.Tensor{o.input: in})
	if err != nil {
		return nil, err
	}
	if len(outputs) != 1 {
		return nil, fmt.Errorf("the model has %d outputs, not 1", len(outputs))
	}
	var logits []float32
	for _, t := range outputs {
		logits = t.Data
	}
	return logits, nil
}
