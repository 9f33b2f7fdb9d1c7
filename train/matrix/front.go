package matrix

import (
	"fmt"
	"image/color"
	"os"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/fathom-edge/fathom/train"
)

// PlotFront draws every candidate by accuracy and MACs, a colour for each net, and the ladder as a line with names.
func PlotFront(file string, list []train.Candidate, ladder []int) error {
	p := plot.New()
	p.Title.Text = "candidates and ladder"
	p.X.Label.Text = "million MACs per image"
	p.Y.Label.Text = "top-1 on the validation split, %"
	p.Legend.Top = false
	p.Add(plotter.NewGrid())
	at := func(c train.Candidate) plotter.XY { return plotter.XY{X: float64(c.MACs) / 1e6, Y: 100 * c.Top1} }
	for i, net := range []string{"L", "A", "B"} {
		var dots plotter.XYs
		for _, c := range list {
			if c.Path.Net == net {
				dots = append(dots, at(c))
			}
		}
		if len(dots) == 0 {
			continue
		}
		s, err := plotter.NewScatter(dots)
		if err != nil {
			return fmt.Errorf("matrix: plot: %w", err)
		}
		s.GlyphStyle = draw.GlyphStyle{Color: plotutil.Color(i), Radius: vg.Points(1.8), Shape: plotutil.Shape(i)}
		p.Add(s)
		p.Legend.Add(map[string]string{"L": "Leader", "A": "Teammate A", "B": "Teammate B"}[net], s)
	}
	rungs := plotter.XYLabels{}
	for _, i := range ladder {
		rungs.XYs, rungs.Labels = append(rungs.XYs, at(list[i])), append(rungs.Labels, " "+list[i].Name)
	}
	line, dots, err := plotter.NewLinePoints(rungs.XYs)
	if err != nil {
		return fmt.Errorf("matrix: plot: %w", err)
	}
	line.StepStyle, line.Color = plotter.PostStep, color.Gray{90}
	dots.GlyphStyle = draw.GlyphStyle{Color: color.Black, Radius: vg.Points(3.5), Shape: draw.RingGlyph{}}
	names, err := plotter.NewLabels(rungs)
	if err != nil {
		return fmt.Errorf("matrix: plot: %w", err)
	}
	for i := range names.TextStyle {
		names.TextStyle[i].YAlign = draw.YTop
	}
	p.Add(line, dots, names)
	p.Legend.Add("ladder", line, dots)
	temporary := strings.TrimSuffix(file, ".png") + ".tmp.png"
	if err := p.Save(vg.Points(560), vg.Points(360), temporary); err != nil {
		return fmt.Errorf("matrix: plot: %w", err)
	}
	return os.Rename(temporary, file)
}
