// Package report turns the metrics of a training run into a page with curves that needs nothing beside it.
package report

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	_ "gonum.org/v1/plot/vg/vgsvg" // the format svg

	"github.com/fathom-edge/fathom/internal/atomicfile"
	"github.com/fathom-edge/fathom/train"
)

//go:embed report.html
var pageText string

var page = template.Must(template.New("report").Parse(pageText))

// Write reads the metrics file of a run and writes the page, whole or not at all.
func Write(metrics, file string, cfg *train.Config) error {
	lines, err := read(metrics)
	if err != nil {
		return fmt.Errorf("report: %s: %w", metrics, err)
	}
	var b bytes.Buffer
	if err := render(&b, lines, cfg); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := atomicfile.Write(file, b.Bytes()); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

const maxLine = 1 << 20

// read parses metrics line by line. A last line without an end is one that is being written, and left out.
func read(path string) ([]train.Metric, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []train.Metric
	r := bufio.NewReaderSize(f, maxLine)
	for n := 1; ; n++ {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		var m train.Metric
		if err := json.Unmarshal(line, &m); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		lines = append(lines, m)
	}
}

type chart struct {
	Title string
	SVG   template.HTML
}

type row struct {
	Name  string
	Cells []string
}

func render(w io.Writer, lines []train.Metric, cfg *train.Config) error {
	var charts []chart
	add := func(title, unit string, series map[string]plotter.XYs) error {
		if len(series) == 0 {
			return nil
		}
		svg, err := draw(unit, series)
		charts = append(charts, chart{title, svg})
		return err
	}
	losses, top1 := map[string]plotter.XYs{}, map[string]plotter.XYs{}
	rate, speed := plotter.XYs{}, plotter.XYs{}
	var final []train.Metric
	for _, m := range lines {
		x := float64(m.Step)
		switch m.Kind {
		case "step":
			for name, v := range m.Losses {
				losses[name] = append(losses[name], plotter.XY{X: x, Y: v})
			}
			rate = append(rate, plotter.XY{X: x, Y: m.LearningRate})
			speed = append(speed, plotter.XY{X: x, Y: m.ImagesPerSecond})
		case "eval":
			for name, v := range m.Top1 {
				top1[name] = append(top1[name], plotter.XY{X: x, Y: 100 * v})
			}
		case "final":
			final = append(final, m)
		}
	}
	for _, err := range []error{
		add("Loss by term", "mean over the steps since the last point", losses),
		add("Accuracy on the validation split", "top-1, %", top1),
	} {
		if err != nil {
			return err
		}
	}
	if len(rate) > 0 {
		if err := errors.Join(add("Learning rate", "", map[string]plotter.XYs{"rate": rate}),
			add("Speed", "images/s", map[string]plotter.XYs{"images/s": speed})); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(cfg, "", "  ")
	if err != nil {
		return err
	}
	header, rows, notes := table(final)
	last := train.Metric{}
	if len(lines) > 0 {
		last = lines[len(lines)-1]
	}
	return page.Execute(w, map[string]any{"Name": cfg.Name, "Step": last.Step, "Steps": cfg.Steps, "Charts": charts, "Header": header, "Rows": rows,
		"Notes": notes, "Config": string(text)})
}

// table has a row for each path and a column for each split that was measured at the end.
func table(final []train.Metric) (header []string, rows []row, notes []string) {
	names := map[string]bool{}
	for _, m := range final {
		header = append(header, fmt.Sprintf("%s (%d images)", m.Split, m.Samples))
		for name := range m.Top1 {
			names[name] = true
		}
		if m.Note != "" && !slices.Contains(notes, m.Note) {
			notes = append(notes, m.Note)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		r := row{Name: name}
		for _, m := range final {
			r.Cells = append(r.Cells, fmt.Sprintf("%.2f %%", 100*m.Top1[name]))
		}
		rows = append(rows, r)
	}
	return header, rows, notes
}

// draw is a line chart over steps as an SVG element.
func draw(unit string, series map[string]plotter.XYs) (template.HTML, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "step", unit
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	for i, name := range slices.Sorted(maps.Keys(series)) {
		line, err := plotter.NewLine(series[name])
		if err != nil {
			return "", fmt.Errorf("curve %s: %w", name, err)
		}
		line.Color, line.Width = plotutil.Color(i), vg.Points(1.2)
		p.Add(line)
		if len(series) > 1 {
			p.Legend.Add(name, line)
		}
	}
	to, err := p.WriterTo(vg.Points(520), vg.Points(300), "svg")
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if _, err := to.WriteTo(&b); err != nil {
		return "", err
	}
	_, element, ok := strings.Cut(b.String(), "<svg")
	if !ok {
		return "", errors.New("the plot has no svg element")
	}
	// The plot library escapes the names that it draws.
	return template.HTML("<svg" + element), nil
}
