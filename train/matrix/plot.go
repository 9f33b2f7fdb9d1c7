package matrix

import (
	"fmt"
	"os"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// Plot draws accuracy (mean ± sd over seeds) against MACs, a line for each method, to a PNG file. The method Truncated is
// left out: it falls to chance, and the differences between the others could not be seen beside it.
func Plot(file, title string, points []Point) error {
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text = "million MACs per image"
	p.Y.Label.Text = "top-1 accuracy, %"
	p.Legend.Top = false
	p.Add(plotter.NewGrid())
	var methods []string
	lines := map[string]errorPoints{}
	for _, pt := range points {
		method := pt.Method
		switch {
		case strings.HasPrefix(method, Alone):
			method = strings.TrimSuffix(Alone, "-")
		case strings.HasPrefix(pt.Path, "l-"), method == Truncated:
			continue
		case method == Cooperative:
			method += " " + pt.Path[:1]
		}
		if _, ok := lines[method]; !ok {
			methods = append(methods, method)
		}
		l := lines[method]
		l.XYs = append(l.XYs, plotter.XY{X: float64(pt.MACs) / 1e6, Y: pt.Mean()})
		l.YErrors = append(l.YErrors, struct{ Low, High float64 }{pt.SD(), pt.SD()})
		lines[method] = l
	}
	for i, m := range methods {
		line, dots, err := plotter.NewLinePoints(lines[m].XYs)
		if err != nil {
			return fmt.Errorf("matrix: plot: %w", err)
		}
		bars, err := plotter.NewYErrorBars(lines[m])
		if err != nil {
			return fmt.Errorf("matrix: plot: %w", err)
		}
		line.Color, dots.Color, bars.Color = plotutil.Color(i), plotutil.Color(i), plotutil.Color(i)
		dots.Shape = plotutil.Shape(i)
		p.Add(line, dots, bars)
		p.Legend.Add(m, line, dots)
	}
	temporary := strings.TrimSuffix(file, ".png") + ".tmp.png"
	if err := p.Save(vg.Points(560), vg.Points(360), temporary); err != nil {
		return fmt.Errorf("matrix: plot: %w", err)
	}
	return os.Rename(temporary, file)
}

type errorPoints struct {
	plotter.XYs
	plotter.YErrors
}
