package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/onnx"
)

type convertCommand struct {
	Source        string  `arg:"" optional:"" placeholder:"MODEL" help:"An ONNX model, or a folder with family.json and ONNX models."`
	Out           string  `short:"o" placeholder:"BUNDLE" help:"Folder of the bundle; an older bundle there is replaced."`
	Layout        string  `enum:"segments,monolithic,both" default:"segments" help:"segments: what variants share is stored once; monolithic: one file for each variant; both: two bundles, the second in BUNDLE.monolithic."`
	MinSaving     int64   `default:"64" placeholder:"KIB" help:"Weights, in KiB of memory, that a cut between segments must save (${default}). Fewer cuts are faster and share less."`
	MaxError      float64 `default:"1e-4" help:"Largest accepted difference between TFLite and the reference evaluator, as a share of the outputs' range."`
	DumpPasses    string  `placeholder:"DIR" help:"Write the graph of each variant after each pass to text files."`
	ListOperators bool    `help:"List the ONNX operators that can be converted, and what they become."`
	JSON          bool    `name:"json" help:"Print manifest and evidence as JSON."`

	modelFlags
	numbersFlags
}

// Help is shown by --help after the summary.
func (convertCommand) Help() string {
	return `Examples:
  fathom convert glyphs -o glyphs.bundle
  fathom convert resnet50.onnx --labels labels.txt --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 -o resnet50.bundle
  fathom convert --variant shallow=a.onnx --variant deep=b.onnx --labels labels.txt -o birds.bundle`
}

// Run converts, proves and reports.
func (c *convertCommand) Run(out *output) error {
	if c.ListOperators {
		return c.listOperators(out)
	}
	if !(c.MaxError > 0) || math.IsInf(c.MaxError, 0) {
		return &usageError{fmt.Errorf("--max-error is %g: must be positive", c.MaxError)}
	}
	if c.MinSaving < 1 || c.MinSaving > maxMinSaving {
		return &usageError{fmt.Errorf("--min-saving is %d KiB: must be 1 to %d", c.MinSaving, int64(maxMinSaving))}
	}
	if c.Out == "" {
		return &usageError{errors.New("--out names no folder for the bundle (add -o BUNDLE)")}
	}
	fam, dir, first, err := c.family()
	if err != nil {
		return err
	}
	numbers, err := c.numbers(fam.Labels, fam.Preprocess)
	if err != nil {
		return err
	}
	opts := convert.Options{
		Out: c.Out, MaxError: c.MaxError, MinSaving: c.MinSaving << 10, Numbers: numbers, Runner: runner(), Tools: tools(),
		Whole: c.Layout == "monolithic", DumpPasses: c.DumpPasses,
	}
	if first != nil {
		opts.Loaded = map[string]*onnx.ModelProto{filepath.Clean(fam.Variants[0].Model): first}
		first = nil // so that Convert can drop it
	}
	if c.Layout == "both" {
		opts.Monolithic = filepath.Clean(c.Out) + ".monolithic"
	}
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	result, err := convert.Convert(fam, dir, opts)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(out, map[string]any{"manifest": result.Manifest, "evidence": result.Evidence})
	}
	printLadder(out, result.Manifest)
	printQuantization(out, result.Evidence.Quantization)
	printProof(out, result.Evidence)
	return nil
}

// maxMinSaving is a tebibyte, in KiB: more than any bundle.
const maxMinSaving = 1 << 30

// gcPercent keeps garbage small: a conversion has few, large objects, so that
// collecting often costs little.
const gcPercent = 10

// tools names the versions of what takes part in a conversion.
func tools() map[string]string {
	t := map[string]string{"go": runtime.Version(), "arch": runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		t["fathom"] = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				t["revision"] = s.Value
			}
		}
	}
	return t
}

func printProof(w io.Writer, e *convert.Evidence) {
	if e == nil || len(e.Proof) == 0 {
		fmt.Fprintln(w, "\nNot proven: this fathom is built without cgo, so TFLite was not compared with the reference.")
		return
	}
	worst, samples := 0.0, 0
	for _, p := range e.Proof {
		samples += p.Samples
		if p.Kernels != nil {
			worst = max(worst, p.MaxAbsError)
		} else {
			worst = max(worst, p.MaxAbsError/max(p.Range, math.SmallestNonzeroFloat32))
		}
	}
	if e.Proof[0].Kernels != nil {
		printKernels(w, e, worst, samples)
		return
	}
	fmt.Fprintf(w, "\nProven: TFLite differs from the reference by at most %.2g of the outputs' range in %d runs (limit %.2g).\n", worst, samples, e.MaxError)
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
