package main

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/fathom-edge/fathom/internal/atomicfile"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
)

// escalationFlags calibrate when a doubtful answer is worth a deeper variant.
type escalationFlags struct {
	Escalation bool   `help:"Calibrate on DATA, which must not be the test split, from which doubt on a deeper variant is worth its cost."`
	Profile    string `placeholder:"FILE" help:"With --escalation: costs in milliseconds from this profile (fathom bench -o), instead of MACs."`
	Report     string `placeholder:"DATA" help:"With --escalation: judge what was chosen on these other images."`
	Write      bool   `help:"With --escalation: store what was chosen in the bundle's manifest."`
	Plot       string `placeholder:"FILE" help:"With --escalation: draw accuracy against mean cost (PNG, SVG or PDF)."`
}

// calibration is what eval --escalation prints.
type calibration struct {
	Bundle  string   `json:"bundle"`
	Data    string   `json:"data"`
	Samples int      `json:"samples"`
	Unit    string   `json:"unit"` // of costs
	Singles []single `json:"singles"`
	Pairs   []pair   `json:"pairs"`
	// Chosen is what --write stores.
	Chosen  []bundle.EscalationStep `json:"chosen"`
	Written bool                    `json:"written"`
	// Report judges the chosen steps on other samples.
	Report *judgement `json:"report,omitempty"`
}

type judgement struct {
	Data    string      `json:"data"`
	Samples int         `json:"samples"`
	Singles []single    `json:"singles"`
	Steps   []escalated `json:"steps"`
}

// check refuses flags that need --escalation, and the test split.
func (f *escalationFlags) check(data string) error {
	if !f.Escalation {
		if f.Profile != "" || f.Report != "" || f.Write || f.Plot != "" {
			return fmt.Errorf("--profile, --report, --write and --plot belong to --escalation")
		}
		return nil
	}
	if _, split := dataName(data); split == "test" {
		return fmt.Errorf("--escalation: %s is the test split: choose by validation images, and give these to --report", data)
	}
	if f.Report != "" && sameData(data, f.Report) {
		return fmt.Errorf("--report: %s is what is chosen by: other images are needed to judge it", f.Report)
	}
	return nil
}

// dataName is the data set and the split that the command line names; of a folder,
// the split is its name if that is one, and validation otherwise.
func dataName(data string) (dataset, split string) {
	if of, ok := strings.CutPrefix(data, "glyphs:"); ok {
		split, _, _ = strings.Cut(of, ":")
		return "glyphs", split
	}
	name := filepath.Base(filepath.Clean(data))
	if name == "test" || name == "validation" || name == "train" {
		return filepath.Base(filepath.Dir(filepath.Clean(data))), name
	}
	return name, "validation"
}

func sameData(a, b string) bool {
	if strings.HasPrefix(a, "glyphs:") || strings.HasPrefix(b, "glyphs:") {
		setA, splitA := dataName(a)
		setB, splitB := dataName(b)
		return setA == setB && splitA == splitB
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// runEscalation calibrates, judges, writes and prints.
func (c *evalCommand) runEscalation(out *output, b *bundle.Bundle, variants []evalVariant, data *dataset) error {
	if len(variants) < 2 {
		return &usageError{fmt.Errorf("--escalation needs two variants at least")}
	}
	var report *dataset
	if c.Report != "" {
		var err error
		if report, err = openData(c.Report, b.Manifest.Labels); err != nil {
			return err
		}
	}
	cost := macCosts(b.Manifest)
	if c.Profile != "" {
		var err error
		if cost, err = measuredCosts(b.Manifest, c.Profile, c.Threads); err != nil {
			return err
		}
	}
	eng, err := engine.Open(b, engine.Options{Threads: c.Threads})
	if err != nil {
		return err
	}
	defer eng.Close()
	seen := map[uint64]bool{}
	all, err := ask(eng, b.Manifest, variants, data, func(image uint64) error {
		seen[image] = true
		return nil
	})
	if err != nil {
		return err
	}
	result := &calibration{Bundle: b.Manifest.Name, Data: c.Data, Samples: data.count, Unit: cost.unit}
	list, hull := singles(all, cost)
	result.Singles = list
	for i, from := range all {
		for _, to := range all[i+1:] {
			result.Pairs = append(result.Pairs, curve(from, to, cost, hull))
		}
	}
	result.Chosen = chooseSteps(result.Pairs)
	if report != nil {
		all, err = ask(eng, b.Manifest, variants, report, func(image uint64) error {
			if seen[image] {
				return fmt.Errorf("eval: --report: an image of %s is also in %s, which is chosen by: other images are needed to judge it", c.Report, c.Data)
			}
			return nil
		})
		if err != nil {
			return err
		}
		j := &judgement{Data: c.Report, Samples: report.count}
		j.Singles, _ = singles(all, cost)
		for _, s := range result.Chosen {
			j.Steps = append(j.Steps, apply(s, all, cost))
		}
		result.Report = j
	}
	if c.Plot != "" {
		if err := result.draw(c.Plot); err != nil {
			return err
		}
	}
	if c.Write {
		if err := c.write(b, result); err != nil {
			return err
		}
	}
	if c.JSON {
		return writeJSON(out, result)
	}
	if err := result.print(out); err != nil {
		return err
	}
	if result.Written {
		fmt.Fprintf(out, "\nStored in %s.\n", c.Bundle)
		if _, err := os.Stat(filepath.Join(c.Bundle, bundle.SignatureFile)); err == nil {
			fmt.Fprintln(out, "Its signature no longer fits: sign it again (fathom sign).")
		}
	}
	return nil
}

// ask runs every variant on every sample, and hands each sample's fingerprint on first.
func ask(eng *engine.Engine, m *bundle.Manifest, variants []evalVariant, data *dataset, seen func(image uint64) error) ([]answers, error) {
	all := make([]answers, len(variants))
	for i, v := range variants {
		all[i].variant = v.Name
	}
	bar := progress(data.count, "evaluating")
	defer bar.Finish()
	err := data.each(m.Preprocess, data.count, func(input []float32, label int) error {
		if err := seen(fingerprint(input)); err != nil {
			return err
		}
		for i := range all {
			a := &all[i]
			if err := eng.SetActive(a.variant); err != nil {
				return err
			}
			res, err := eng.InferTensor(input)
			if err != nil {
				return err
			}
			a.correct = append(a.correct, res.Best == label)
			a.margin = append(a.margin, res.Margin)
		}
		return bar.Add(1)
	})
	return all, err
}

// fingerprint is the FNV-1a hash of a preprocessed image.
func fingerprint(input []float32) uint64 {
	hash := uint64(14695981039346656037)
	for _, v := range input {
		hash = (hash ^ uint64(math.Float32bits(v))) * 1099511628211
	}
	return hash
}

// write stores the chosen steps; without any, it takes older ones out.
func (c *evalCommand) write(b *bundle.Bundle, r *calibration) error {
	var e *bundle.Escalation
	if len(r.Chosen) > 0 {
		set, split := dataName(c.Data)
		e = &bundle.Escalation{Dataset: set, Split: split, Samples: r.Samples, Steps: r.Chosen}
	}
	if err := bundle.SetEscalation(b.Dir, e); err != nil {
		return err
	}
	r.Written = true
	return nil
}

func (r *calibration) print(w io.Writer) error {
	fmt.Fprintf(w, "%s, on %s, %d samples; costs are those of the mean frame\n\n", r.Bundle, r.Data, r.Samples)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "VARIANT\t%s\tTOP-1\n", r.Unit)
	for _, s := range r.Singles {
		fmt.Fprintf(t, "%s\t%.2f\t%.2f %%\n", s.Variant, s.Cost, 100*s.Top1)
	}
	fmt.Fprintf(t, "\nFROM\tTO\tMARGIN BELOW\tGO ON\t%s\tTOP-1\tOVER A MIXTURE\n", r.Unit)
	for _, p := range r.Pairs {
		for i, d := range p.Points {
			if next := i + 1; next < len(p.Points) && int(10*p.Points[next].Share) == int(10*d.Share) && !r.chose(p, d) {
				continue // a line for each 10 % of the frames, and the chosen one
			}
			mark := ""
			if r.chose(p, d) {
				mark = "  chosen"
			}
			fmt.Fprintf(t, "%s\t%s\t%.4f\t%.0f %%\t%.2f\t%.2f %%\t%+.2f points%s\n", p.From, p.To, d.Margin, 100*d.Share, d.Cost, 100*d.Top1, 100*d.OverMixture, mark)
		}
	}
	if r.Report != nil {
		fmt.Fprintf(t, "\non %s, %d samples:\nFROM\tTO\tGO ON\t%s\tTOP-1\tOVER THE BEST SINGLE DEPTH OF NO MORE COST\tOVER A MIXTURE\n", r.Report.Data, r.Report.Samples, r.Unit)
		for _, e := range r.Report.Steps {
			fmt.Fprintf(t, "%s\t%s\t%.1f %%\t%.2f\t%.2f %%\t%s over %s\t%s\n", e.From, e.To, 100*e.Share, e.Cost, 100*e.Top1, e.OverSingle, e.Single.Variant, e.OverMixture)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(r.Chosen) == 0 {
		fmt.Fprintln(w, "\nNo escalation is more often right than a mixture of depths of the same cost.")
	}
	return nil
}

func (r *calibration) chose(p pair, d doubt) bool {
	for _, s := range r.Chosen {
		if s.From == p.From && s.To == p.To && s.Margin == d.Margin {
			return true
		}
	}
	return false
}

// String is in points of top-1.
func (d difference) String() string {
	return fmt.Sprintf("%+.2f points (%+.2f … %+.2f)", 100*d.Mean, 100*d.Low, 100*d.High)
}

// draw plots a line for each pair, and the variants by themselves.
func (r *calibration) draw(file string) error {
	p := plot.New()
	p.Title.Text = r.Bundle + " on " + r.Data
	p.X.Label.Text, p.Y.Label.Text = "mean cost, "+r.Unit, "top-1, %"
	p.Legend.Top = false
	p.Add(plotter.NewGrid())
	for i, pair := range r.Pairs {
		var line plotter.XYs
		for _, d := range pair.Points {
			line = append(line, plotter.XY{X: d.Cost, Y: 100 * d.Top1})
		}
		if len(line) == 0 {
			continue
		}
		l, err := plotter.NewLine(line)
		if err != nil {
			return fmt.Errorf("eval: plot: %w", err)
		}
		l.Color = plotutil.Color(i)
		p.Add(l)
		p.Legend.Add(pair.From+" → "+pair.To, l)
	}
	var alone plotter.XYs
	for _, s := range r.Singles {
		alone = append(alone, plotter.XY{X: s.Cost, Y: 100 * s.Top1})
	}
	dots, err := plotter.NewScatter(alone)
	if err != nil {
		return fmt.Errorf("eval: plot: %w", err)
	}
	dots.Color, dots.Radius = color.Black, vg.Points(3)
	p.Add(dots)
	p.Legend.Add("one depth", dots)
	format := strings.TrimPrefix(filepath.Ext(file), ".")
	drawn, err := p.WriterTo(vg.Points(560), vg.Points(380), format)
	if err != nil {
		return fmt.Errorf("eval: plot %s: %w", file, err)
	}
	var buf strings.Builder
	if _, err := drawn.WriteTo(&buf); err != nil {
		return fmt.Errorf("eval: plot %s: %w", file, err)
	}
	return atomicfile.Write(file, []byte(buf.String()))
}
