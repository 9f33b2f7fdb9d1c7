package main

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/fathom-edge/fathom/internal/atomicfile"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

type evalCommand struct {
	Bundle         string   `arg:"" help:"Folder of the bundle."`
	Data           string   `arg:"" help:"Folder of images, DATA/CLASS/*.png or *.jpg, or glyphs:validation or glyphs:test, each with :COUNT."`
	Limit          int      `placeholder:"N" help:"Use the first N samples only."`
	Variant        []string `placeholder:"NAME" help:"Only these variants; may be given several times."`
	Threads        int      `default:"1" help:"Threads per inference."`
	JSON           bool     `name:"json" help:"Print as JSON."`
	LabelsOut      string   `placeholder:"FILE" help:"Write each prediction as a line: variant, tab, label."`
	LogitsOut      string   `placeholder:"FILE" help:"Write the logits of each sample as a line: variant, tab, exact numbers."`
	Against        string   `placeholder:"FAMILY" help:"Also compare logits with the reference evaluator on the family's ONNX models."`
	AgainstSamples int      `default:"32" placeholder:"N" help:"Samples of that comparison."`

	escalationFlags
}

// Help is shown by --help after the summary.
func (evalCommand) Help() string {
	return `Examples:
  fathom eval birds.bundle photos/test
  fathom eval birds.bundle photos/validation --escalation --report photos/test --write`
}

// evaluation is what eval prints.
type evaluation struct {
	Bundle    string `json:"bundle"`
	Precision string `json:"precision"`
	Data      string `json:"data"`
	Arch      string `json:"arch"`
	Threads   int    `json:"threads"`
	// Variants stand from the cheapest to the dearest.
	Variants []evalVariant `json:"variants"`
}

type evalVariant struct {
	Name    string  `json:"name"`
	MACs    int64   `json:"macs"`
	Samples int     `json:"samples"`
	Correct int     `json:"correct"`
	Top1    float64 `json:"top1"`
	// Low and High bound the 95 % Wilson score interval of Top1.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// MeanLatency is of the inference alone.
	MeanLatency time.Duration `json:"mean_latency_ns"`
	Against     *comparison   `json:"against,omitempty"`

	labels []int    // predicted, by sample
	logits [][]byte // by sample, as text
}

// Run measures every variant on every sample.
func (c *evalCommand) Run(out *output) error {
	if c.Limit < 0 || c.AgainstSamples < 1 {
		return &usageError{fmt.Errorf("--limit must not be negative, --against-samples at least 1")}
	}
	if err := c.check(c.Data); err != nil {
		return &usageError{err}
	}
	b, err := bundle.Open(c.Bundle)
	if err != nil {
		return err
	}
	variants, err := c.pick(b.Manifest)
	if err != nil {
		return err
	}
	data, err := openData(c.Data, b.Manifest.Labels)
	if err != nil {
		return err
	}
	if c.Limit > 0 {
		data.count = min(data.count, c.Limit)
	}
	if c.Escalation {
		return c.runEscalation(out, b, variants, data)
	}
	eng, err := engine.Open(b, engine.Options{Threads: c.Threads})
	if err != nil {
		return err
	}
	defer eng.Close()

	result := &evaluation{Bundle: b.Manifest.Name, Precision: b.Manifest.Precision.String(), Data: c.Data, Arch: runtime.GOARCH, Threads: c.Threads, Variants: variants}
	if err := result.measure(eng, b.Manifest.Preprocess, data, c.LogitsOut != ""); err != nil {
		return err
	}
	if c.Against != "" {
		if err := result.compare(eng, b.Manifest, c.Against, data, c.AgainstSamples); err != nil {
			return err
		}
	}
	if c.LabelsOut != "" {
		if err := atomicfile.Write(c.LabelsOut, result.labelLines(b.Manifest.Labels)); err != nil {
			return fmt.Errorf("eval: writing predictions: %w", err)
		}
	}
	if c.LogitsOut != "" {
		if err := atomicfile.Write(c.LogitsOut, result.logitLines()); err != nil {
			return fmt.Errorf("eval: writing logits: %w", err)
		}
	}
	if c.JSON {
		return writeJSON(out, result)
	}
	result.print(out)
	return nil
}

// pick lists the variants to measure.
func (c *evalCommand) pick(m *bundle.Manifest) ([]evalVariant, error) {
	var picked []evalVariant
	var known []string
	for _, v := range m.Variants {
		known = append(known, v.Name)
		if len(c.Variant) == 0 || slices.Contains(c.Variant, v.Name) {
			picked = append(picked, evalVariant{Name: v.Name, MACs: v.MACs})
		}
	}
	for _, name := range c.Variant {
		if !slices.Contains(known, name) {
			return nil, &usageError{fmt.Errorf("no variant %q: the bundle has %s", name, strings.Join(known, ", "))}
		}
	}
	return picked, nil
}

// measure runs all variants on one sample before it goes on to the next, so
// that each image is read once and a slow moment of the machine meets all.
func (e *evaluation) measure(eng *engine.Engine, spec preprocess.Spec, data *dataset, keepLogits bool) error {
	bar := progress(data.count, "evaluating")
	defer bar.Finish()
	totals := make([]time.Duration, len(e.Variants))
	err := data.each(spec, data.count, func(input []float32, label int) error {
		for i := range e.Variants {
			v := &e.Variants[i]
			if err := eng.SetActive(v.Name); err != nil {
				return err
			}
			res, err := eng.InferTensor(input)
			if err != nil {
				return err
			}
			totals[i] += res.Latency
			v.labels = append(v.labels, res.Best)
			if keepLogits {
				v.logits = append(v.logits, logitText(eng.Logits()))
			}
			v.Samples++
			if res.Best == label {
				v.Correct++
			}
		}
		return bar.Add(1)
	})
	for i := range e.Variants {
		v := &e.Variants[i]
		v.Top1 = float64(v.Correct) / float64(max(1, v.Samples))
		v.Low, v.High = wilson(v.Correct, v.Samples)
		v.MeanLatency = totals[i] / time.Duration(max(1, v.Samples))
	}
	return err
}

// each preprocesses the first count samples and hands them on.
func (d *dataset) each(spec preprocess.Spec, count int, use func(input []float32, label int) error) error {
	prep, err := preprocess.New(spec)
	if err != nil {
		return err
	}
	input := make([]float32, spec.Len())
	for i := range count {
		var img image.Image
		img, label, err := d.at(i)
		if err != nil {
			return err
		}
		if err := prep.Apply(input, img); err != nil {
			return fmt.Errorf("eval: sample %d: %w", i, err)
		}
		if err := use(input, label); err != nil {
			return err
		}
	}
	return nil
}

// wilson is the 95 % score interval of a share (E. B. Wilson, 1927).
func wilson(correct, samples int) (low, high float64) {
	if samples == 0 {
		return 0, 1
	}
	const z = 1.959964 // of the normal distribution, two-sided 95 %
	n := float64(samples)
	p := float64(correct) / n
	centre := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, centre-half), min(1, centre+half)
}

func (e *evaluation) labelLines(labels []string) []byte {
	var buf bytes.Buffer
	for _, v := range e.Variants {
		for _, l := range v.labels {
			fmt.Fprintf(&buf, "%s\t%s\n", v.Name, labels[l])
		}
	}
	return buf.Bytes()
}

func (e *evaluation) logitLines() []byte {
	var buf bytes.Buffer
	for _, v := range e.Variants {
		for _, l := range v.logits {
			fmt.Fprintf(&buf, "%s\t%s\n", v.Name, l)
		}
	}
	return buf.Bytes()
}

// logitText writes numbers so that they read back to the same bits.
func logitText(logits []float32) []byte {
	var text []byte
	for i, v := range logits {
		if i > 0 {
			text = append(text, ' ')
		}
		text = strconv.AppendFloat(text, float64(v), 'g', -1, 32)
	}
	return text
}

func (e *evaluation) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %s, on %s, %s, threads: %d\n\n", e.Bundle, e.Precision, e.Data, e.Arch, e.Threads)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "VARIANT\tMMACS\tTOP-1\t95 % INTERVAL\tSAMPLES\tMEAN LATENCY")
	against := len(e.Variants) > 0 && e.Variants[0].Against != nil
	if against {
		fmt.Fprint(t, "\tMAX LOGIT ERROR")
	}
	fmt.Fprintln(t)
	for _, v := range e.Variants {
		fmt.Fprintf(t, "%s\t%.2f\t%.2f %%\t%.2f - %.2f %%\t%d\t%.3f ms", v.Name, float64(v.MACs)/1e6,
			100*v.Top1, 100*v.Low, 100*v.High, v.Samples, float64(v.MeanLatency)/1e6)
		if against {
			fmt.Fprintf(t, "\t%.2g (%d samples)", v.Against.MaxAbsError, v.Against.Samples)
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}

// progress is a bar on a terminal, and nothing elsewhere.
func progress(steps int, what string) *progressbar.ProgressBar {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return progressbar.DefaultSilent(int64(steps))
	}
	return progressbar.NewOptions(steps, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
}
