package main

import (
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/quant"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// defaultCalibration is how many generated images calibrate unless told.
const defaultCalibration = 512

// numbersFlags are the flags of convert about how numbers are stored.
type numbersFlags struct {
	Precision   string  `enum:"float32,float16,int8" default:"float32" help:"How weights and activations are stored: ${enum}."`
	Calibration string  `placeholder:"DATA" help:"Images that int8 is calibrated on: a folder of images, of folders named after labels, or glyphs:validation:COUNT."`
	Eval        string  `placeholder:"DATA" help:"Labelled images that top-1 of each variant is measured on, in plain Go; int8 also makes its choices by it."`
	MaxDrop     float64 `default:"1.0" placeholder:"POINTS" help:"Points of top-1 that int8 may cost a variant (${default}); layers that hurt most stay float32 until it holds."`
}

// numbers opens the data that the flags name.
func (f *numbersFlags) numbers(labels []string, spec preprocess.Spec) (convert.Numbers, error) {
	n := convert.Numbers{MaxDrop: f.MaxDrop}
	if f.Precision != bundle.Float32.String() {
		n.Precision = bundle.Precision(f.Precision)
	}
	switch {
	case !(f.MaxDrop >= 0) || math.IsInf(f.MaxDrop, 0):
		return n, &usageError{fmt.Errorf("--max-drop is %g: must not be negative", f.MaxDrop)}
	case n.Precision == bundle.Int8 && f.Calibration == "":
		return n, &usageError{errors.New("--precision int8 needs --calibration: some dozens of images of the kind that the network will see")}
	case n.Precision != bundle.Int8 && f.Calibration != "":
		return n, &usageError{fmt.Errorf("--calibration is of no use with --precision %s", f.Precision)}
	}
	var err error
	if f.Calibration != "" {
		if n.Calibration, err = openImages(f.Calibration, labels, spec); err != nil {
			return n, err
		}
	}
	if f.Eval != "" {
		if n.Eval, err = openImages(f.Eval, labels, spec); err != nil {
			return n, err
		}
	}
	n.Progress = convertProgress()
	return n, nil
}

// tensors is a dataset as the converter takes it.
type tensors struct {
	*dataset
	prep *preprocess.Preprocessor
}

func (t *tensors) Len() int { return t.count }

func (t *tensors) At(i int) ([]float32, int, error) {
	img, label, err := t.at(i)
	if err != nil {
		return nil, 0, err
	}
	input := make([]float32, t.prep.Spec().Len())
	if err := t.prep.Apply(input, img); err != nil {
		return nil, 0, fmt.Errorf("image %d: %w", i, err)
	}
	return input, label, nil
}

// openImages opens what eval takes, and folders of images without labels.
func openImages(name string, labels []string, spec preprocess.Spec) (*convert.Dataset, error) {
	prep, err := preprocess.New(spec)
	if err != nil {
		return nil, err
	}
	d := &convert.Dataset{Name: filepath.Base(name), Split: "validation"}
	var data *dataset
	if of, ok := strings.CutPrefix(name, "glyphs:"); ok {
		split, _, counted := strings.Cut(of, ":")
		d.Name, d.Split = "glyphs", split
		if !counted {
			name = fmt.Sprintf("%s:%d", name, defaultCalibration)
		}
		data, err = openData(name, labels)
	} else if data, err = openFlat(name); data == nil && err == nil {
		data, err = openData(name, labels)
	}
	if err != nil {
		return nil, err
	}
	d.Data = &tensors{data, prep}
	return d, nil
}

// openFlat lists the images that lie in the folder itself; nil if there are none.
func openFlat(dir string) (*dataset, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && isImage(e.Name()) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	return &dataset{count: len(files), at: func(i int) (image.Image, int, error) {
		img, err := readImage(files[i])
		return img, -1, err
	}}, nil
}

// convertProgress shows a bar for each of the steps that take long.
func convertProgress() func(what string, done, total int) {
	var bar *progressbar.ProgressBar
	var now string
	return func(what string, done, total int) {
		if what != now {
			bar, now = progress(total, what), what
		}
		_ = bar.Set(done)
	}
}

// printQuantization says how int8 was chosen and what it cost.
func printQuantization(w io.Writer, r *quant.Report) {
	if r == nil {
		return
	}
	correction := "without"
	if r.BiasCorrection {
		correction = "with"
	}
	fmt.Fprintf(w, "\nint8: ranges by %s over %d images, %s bias correction, the best of %d ways.\n", r.Method, r.Calibrated, correction, len(r.Tried))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if r.Labelled {
		fmt.Fprintln(t, "VARIANT\tFLOAT32 TOP-1\tINT8 TOP-1\tDROP\tSAME ANSWER")
	} else {
		fmt.Fprintln(t, "VARIANT\tSAME ANSWER")
	}
	for _, s := range r.Final {
		fmt.Fprintf(t, "%s\t", s.Variant)
		if r.Labelled {
			fmt.Fprintf(t, "%.2f %%\t%.2f %%\t%.2f points\t", 100*s.Float, 100*s.Int8, s.Drop)
		}
		fmt.Fprintf(t, "%.2f %%\n", 100*s.Agreement)
	}
	t.Flush()
	fmt.Fprintf(w, "Measured on %d images.\n", r.Evaluated)
	if len(r.Kept) > 0 {
		fmt.Fprintf(w, "Kept in float32 for accuracy: %s.\n", strings.Join(r.Kept, ", "))
	}
	if len(r.Without) > 0 {
		fmt.Fprintf(w, "In float32 for want of an int8 form, or of scales that suit: %s.\n", strings.Join(r.Without, ", "))
	}
}

// printKernels is printProof for float16 and int8.
func printKernels(w io.Writer, e *convert.Evidence, worst float64, samples int) {
	var xnnpack, builtin float64
	for _, p := range e.Proof {
		xnnpack = max(xnnpack, p.Kernels.XNNPACK)
		if p.Kernels.Builtin != nil {
			builtin = max(builtin, *p.Kernels.Builtin)
		}
	}
	if e.Quantization == nil {
		fmt.Fprintf(w, "\nProven: TFLite differs from the evaluator by at most %.2g in %d runs (limit %.2g)", xnnpack, samples, e.MaxError)
	} else {
		fmt.Fprintf(w, "\nProven: TFLite differs from the evaluator by at most %.0f steps of the output in %d runs, %.0f without XNNPACK", xnnpack, samples, builtin)
	}
	fmt.Fprintf(w, "; the float32 model differs by %.2g.\n", worst)
}
