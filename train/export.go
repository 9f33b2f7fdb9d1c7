package train

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/onnx"
)

const (
	weightsFile = "weights.bin"
	producer    = "fathom-train"
	inputName   = "input"
	outputName  = "logits"
)

// Export writes the given paths to a family folder: one ONNX file for each (NCHW, as torch.onnx writes it), their weights
// kept once in weights.bin, and family.json with the accuracies of the report, which may be nil.
func (t *Trainer) Export(dir string, paths []Path, r *Report) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	weights, err := onnx.NewExternalWriter(dir, weightsFile)
	if err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	defer weights.Discard()
	f := &family.Family{Format: family.Format, Name: t.cfg.Name, Labels: t.data.Labels(), Preprocess: t.data.Spec()}
	for _, p := range paths {
		model, err := t.onnxModel(p)
		if err != nil {
			return fmt.Errorf("train: export %s: %w", p, err)
		}
		v := family.Variant{Name: p.String(), Net: p.Net, Depth: p.Depth, Model: p.String() + ".onnx"}
		if r != nil {
			v.Accuracy = r.Accuracy[p.String()]
		}
		if err := onnx.Save(filepath.Join(dir, v.Model), model, weights); err != nil {
			return fmt.Errorf("train: export: %w", err)
		}
		f.Variants = append(f.Variants, v)
	}
	if err := weights.Close(); err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	return family.Write(dir, f)
}

// Deployed lists the Teammates' paths. The Leader is a teacher.
func (c *Config) Deployed() []Path {
	var paths []Path
	for _, p := range c.Paths() {
		if p.Net != "L" {
			paths = append(paths, p)
		}
	}
	return paths
}

// weight reads a variable's content and dimensions.
func (t *Trainer) weight(net, layer, name string) ([]float32, []int, error) {
	v := t.store.RootScope().At("%s", net).At("%s", layer).GetVariable(name)
	if v == nil {
		return nil, nil, fmt.Errorf("no weight %s.%s.%s: train at least one step first", net, layer, name)
	}
	value, err := v.Value()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("weight %s.%s.%s", net, layer, name), err)
	}
	return tensors.MustCopyFlatData[float32](value), v.Shape().Dimensions, nil
}
