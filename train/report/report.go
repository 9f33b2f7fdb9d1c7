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
	"image/color"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
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

// chart is a drawing and what its curves are called.
type chart struct {
	Title  string
	SVG    template.HTML
	Curves []curve
}

type curve struct {
	Name   string
	Colour template.CSS
	Dashed bool
}

type row struct {
	Name  string
	Cells []string
}

func render(w io.Writer, lines []train.Metric, cfg *train.Config) error {
	losses, top1, rate, speed := series{}, series{}, series{}, series{}
	var final []train.Metric
	var last train.Metric
	for _, m := range lines {
		switch m.Kind {
		case "step":
			last = m
			for name, v := range m.Losses {
				losses.add(name, m.Step, v)
			}
			rate.add("learning rate", m.Step, m.LearningRate)
			speed.add("speed", m.Step, m.ImagesPerSecond)
		case "eval":
			for name, v := range m.Top1 {
				top1.add(name, m.Step, 100*v)
			}
		case "final":
			final = append(final, m)
		}
	}
	var charts []chart
	for _, c := range []struct {
		title, unit string
		series
	}{
		{"Loss by term, before its weight", "nats", losses}, {"Accuracy on the validation split", "top-1, %", top1},
		{"Learning rate", "rate", rate}, {"Speed", "images/s", speed},
	} {
		if len(c.series) == 0 {
			continue
		}
		drawn, err := draw(c.unit, c.series)
		if err != nil {
			return fmt.Errorf("%s: %w", c.title, err)
		}
		drawn.Title = c.title
		charts = append(charts, drawn)
	}
	text, err := json.MarshalIndent(cfg, "", "  ")
	if err != nil {
		return err
	}
	header, rows, notes := table(final)
	return page.Execute(w, map[string]any{"Name": cfg.Name, "Progress": progress(last, cfg, len(final) > 0), "Live": len(final) == 0,
		"Charts": charts, "Header": header, "Rows": rows, "Notes": notes, "Config": string(text)})
}

// progress is a sentence on how far the run is.
func progress(last train.Metric, cfg *train.Config, finished bool) string {
	if finished {
		return fmt.Sprintf("Finished: %d steps of %d images.", cfg.Steps, cfg.Batch)
	}
	if last.Step == 0 {
		return fmt.Sprintf("Begun: %d steps of %d images to come.", cfg.Steps, cfg.Batch)
	}
	left := time.Duration(float64((cfg.Steps-last.Step)*cfg.Batch)/last.ImagesPerSecond) * time.Second
	return fmt.Sprintf("Step %d of %d, %d images, %.0f images/s; %v of training left at that speed.", last.Step, cfg.Steps, last.Images,
		last.ImagesPerSecond, left)
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

// series are points over steps by name.
type series map[string]plotter.XYs

func (s series) add(name string, step int, v float64) {
	s[name] = append(s[name], plotter.XY{X: float64(step), Y: v})
}

// colours that are told apart with any kind of colour vision (Okabe and Ito); dashes follow when they are used up.
var colours = []color.RGBA{{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {230, 159, 0, 255},
	{86, 180, 233, 255}, {0, 0, 0, 255}}

const chartFont = 12 // points; the page shows a chart at two thirds of its size or more

// draw is a line chart over steps. Its legend is left to the page, where it covers nothing.
func draw(unit string, s series) (chart, error) {
	var c chart
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = "step", unit
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font.Size, axis.Tick.Label.Font.Size = chartFont, chartFont
	}
	p.Add(plotter.NewGrid())
	for i, name := range slices.Sorted(maps.Keys(s)) {
		line, err := plotter.NewLine(s[name])
		if err != nil {
			return c, fmt.Errorf("curve %s: %w", name, err)
		}
		colour := colours[i%len(colours)]
		line.Color, line.Width = colour, vg.Points(1.6)
		dashed := i >= len(colours)
		if dashed {
			line.Dashes = []vg.Length{vg.Points(5), vg.Points(3)}
		}
		p.Add(line)
		if len(s) > 1 {
			c.Curves = append(c.Curves, curve{name, template.CSS(fmt.Sprintf("#%02x%02x%02x", colour.R, colour.G, colour.B)), dashed})
		}
	}
	p.Y.Min = min(0, p.Y.Min)
	to, err := p.WriterTo(vg.Points(380), vg.Points(240), "svg")
	if err != nil {
		return c, err
	}
	var b bytes.Buffer
	if _, err := to.WriteTo(&b); err != nil {
		return c, err
	}
	_, element, ok := strings.Cut(b.String(), "<svg")
	if !ok {
		return c, errors.New("the plot has no svg element")
	}
	// Nothing in it but numbers and our own labels.
	c.SVG = template.HTML(`<svg role="img"` + element)
	return c, nil
}
