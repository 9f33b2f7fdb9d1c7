package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/convert/family"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// modelFlags say of models without a family.json what that would say.
type modelFlags struct {
	Variant    []string  `sep:"none" placeholder:"NAME=MODEL" help:"A variant of a family; give one flag for each. Numbers at the end of NAME, as in deep-3-3-3, are its depth."`
	Labels     string    `placeholder:"FILE" help:"Text file with one class a line, in the order of the outputs."`
	Mean       []float32 `placeholder:"R,G,B" help:"Mean that training subtracted from each channel (default 0,0,0)."`
	Std        []float32 `placeholder:"R,G,B" help:"Deviation that training divided each channel by (default 1,1,1)."`
	InputRange []float32 `placeholder:"LOW,HIGH" help:"What black and white were before mean and deviation (default 0,1)."`
	Channels   string    `enum:"RGB,BGR" default:"RGB" help:"Order of the colour channels: RGB or BGR."`
	Fit        string    `enum:"crop,stretch,letterbox" default:"crop" help:"How frames of another shape are brought to the input: crop, stretch or letterbox."`
	Name       string    `help:"Name of the bundle (default: that of the model, or family)."`
}

// family reads family.json, or makes one of the flags; then first is the model
// of its first variant, which says how large images are. Models are below dir.
func (c *convertCommand) family() (fam *family.Family, dir string, first *onnx.ModelProto, err error) {
	info, err := os.Stat(c.Source)
	switch {
	case c.Source == "" && len(c.Variant) == 0:
		return nil, "", nil, &usageError{errors.New("nothing to convert (name an ONNX model, a family's folder, or --variant NAME=MODEL)")}
	case c.Source != "" && len(c.Variant) > 0:
		return nil, "", nil, &usageError{fmt.Errorf("both %s and --variant are given (name all models by --variant)", c.Source)}
	case c.Source != "" && err != nil:
		return nil, "", nil, fmt.Errorf("%w (name an ONNX model, or a folder with family.json)", err)
	case c.Source != "" && info.IsDir():
		if c.Labels != "" || len(c.Mean)+len(c.Std)+len(c.InputRange) > 0 || c.Name != "" || c.Channels != "RGB" || c.Fit != "crop" {
			return nil, "", nil, &usageError{fmt.Errorf("%s has a family.json, which says labels, name and preprocessing (leave those flags out)", c.Source)}
		}
		fam, err = family.Read(c.Source)
		return fam, c.Source, nil, err
	}
	fam = &family.Family{Format: family.Format, Name: c.Name}
	if c.Source != "" {
		name := strings.TrimSuffix(filepath.Base(c.Source), filepath.Ext(c.Source))
		fam.Variants = []family.Variant{{Name: name, Net: "A", Depth: []int{1}, Model: c.Source}}
		fam.Name = or(fam.Name, name)
	}
	for i, v := range c.Variant {
		name, model, ok := strings.Cut(v, "=")
		if !ok || model == "" {
			return nil, "", nil, &usageError{fmt.Errorf("--variant %q: want NAME=MODEL", v)}
		}
		fam.Variants = append(fam.Variants, family.Variant{Name: name, Net: "A", Depth: depthOf(name, i+1), Model: model})
	}
	fam.Name = or(fam.Name, "family")
	if fam.Labels, err = readLabels(c.Labels); err != nil {
		return nil, "", nil, err
	}
	if first, err = onnx.Load(fam.Variants[0].Model); err != nil {
		return nil, "", nil, err
	}
	height, width, err := inputSize(first)
	if err != nil {
		return nil, "", nil, fmt.Errorf("%s: %w", fam.Variants[0].Model, err)
	}
	if fam.Preprocess, err = c.preprocess(height, width); err != nil {
		return nil, "", nil, err
	}
	return fam, "", first, validated(fam)
}

// validated checks the family as if it were read; paths of models may be any.
func validated(fam *family.Family) error {
	named := *fam
	named.Variants = nil
	for i, v := range fam.Variants {
		v.Model = fmt.Sprintf("%d.onnx", i)
		named.Variants = append(named.Variants, v)
	}
	return named.Validate()
}

func or(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// depthOf reads the numbers at the end of a name: deep-3-3-3 has depth 3, 3, 3.
// A name without any has its place in the list.
func depthOf(name string, place int) []int {
	parts := strings.Split(name, "-")
	var depth []int
	for i := len(parts) - 1; i > 0; i-- {
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			break
		}
		depth = append([]int{n}, depth...)
	}
	if len(depth) == 0 {
		return []int{place}
	}
	return depth
}

func readLabels(file string) ([]string, error) {
	if file == "" {
		return nil, &usageError{errors.New("--labels is missing: a text file with one class a line")}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--labels: %w", err)
	}
	var labels []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" {
			labels = append(labels, line)
		}
	}
	return labels, nil
}

// preprocess is what the flags say. With black at low and white at high,
// x = (low + p/255*(high-low) - mean) / std; the family's form has 0 and 1.
func (c *convertCommand) preprocess(height, width int) (preprocess.Spec, error) {
	spec := preprocess.Spec{Height: height, Width: width, Channels: c.Channels, Fit: preprocess.Fit(c.Fit), Std: [3]float32{1, 1, 1}}
	limits := [2]float32{0, 1}
	for _, f := range []struct {
		name   string
		values []float32
		to     []float32
	}{{"mean", c.Mean, spec.Mean[:]}, {"std", c.Std, spec.Std[:]}, {"input-range", c.InputRange, limits[:]}} {
		if len(f.values) != 0 && len(f.values) != len(f.to) {
			return spec, &usageError{fmt.Errorf("--%s has %d numbers, need %d", f.name, len(f.values), len(f.to))}
		}
		copy(f.to, f.values)
	}
	low, span := limits[0], limits[1]-limits[0]
	if !(span > 0) {
		return spec, &usageError{fmt.Errorf("--input-range %g,%g: the second must be larger", limits[0], limits[1])}
	}
	for i := range 3 {
		spec.Mean[i] = (spec.Mean[i] - low) / span
		spec.Std[i] /= span
	}
	return spec, nil
}

// inputSize reads height and width of a model's image input.
func inputSize(m *onnx.ModelProto) (height, width int, err error) {
	weights := map[string]bool{}
	for _, t := range m.GetGraph().GetInitializer() {
		weights[t.GetName()] = true
	}
	for _, in := range m.GetGraph().GetInput() {
		dims := in.GetType().GetTensorType().GetShape().GetDim()
		if weights[in.GetName()] {
			continue
		}
		if len(dims) != 4 || dims[2].GetDimValue() < 1 || dims[3].GetDimValue() < 1 {
			return 0, 0, fmt.Errorf("input %q has no fixed height and width (export with a dynamic batch only)", in.GetName())
		}
		return int(min(dims[2].GetDimValue(), 1<<20)), int(min(dims[3].GetDimValue(), 1<<20)), nil
	}
	return 0, 0, errors.New("the model has no input")
}
