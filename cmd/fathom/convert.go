package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/debug"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/family"
)

type convertCommand struct {
	Family   string  `arg:"" help:"Folder with family.json and ONNX models."`
	Out      string  `short:"o" required:"" placeholder:"BUNDLE" help:"Folder of the bundle; an older bundle there is replaced."`
	MaxError float64 `default:"1e-4" help:"Largest accepted difference between TFLite and the reference evaluator."`
	JSON     bool    `name:"json" help:"Print manifest and evidence as JSON."`

	numbersFlags
}

// Run converts, proves and reports.
func (c *convertCommand) Run(out *output) error {
	if !(c.MaxError > 0) || math.IsInf(c.MaxError, 0) {
		return &usageError{fmt.Errorf("--max-error is %g: must be positive", c.MaxError)}
	}
	fam, err := family.Read(c.Family)
	if err != nil {
		return err
	}
	numbers, err := c.numbers(fam.Labels, fam.Preprocess)
	if err != nil {
		return err
	}
	result, err := convert.Convert(fam, c.Family, convert.Options{
		Out: c.Out, MaxError: c.MaxError, Numbers: numbers, Runner: runner(), Tools: tools(),
	})
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
		worst = max(worst, p.MaxAbsError)
		samples += p.Samples
	}
	if e.Proof[0].Kernels != nil {
		printKernels(w, e, worst, samples)
		return
	}
	fmt.Fprintf(w, "\nProven: TFLite differs from the reference by at most %.2g in %d runs (limit %.2g).\n", worst, samples, e.MaxError)
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
