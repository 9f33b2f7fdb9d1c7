// Package chart draws what a governor did: temperature, depth, rate, power and
// charge over time, one line a policy, as PNG, SVG and a page that needs nothing
// beside itself. It knows neither simulations nor logs; callers hand it numbers.
package chart

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Run is one line of a figure. All slices that are not nil are as long as
// Seconds; NaN is unknown and leaves a gap.
type Run struct {
	Name    string
	Seconds []float64 // since the beginning, rising
	Celsius []float64
	Depth   []float64 // rung, 0 is the shallowest
	FPS     []float64
	Watts   []float64
	Percent []float64 // state of charge
}

// Figure is a stack of panels over one time axis. A panel that no run has values for is left out.
type Figure struct {
	Title  string
	Depths []string // names of the rungs
	// CeilingCelsius and ReservePercent are drawn as dashed lines; 0 for none.
	CeilingCelsius, ReservePercent float64
	Runs                           []Run
}

// colors tell runs apart, also for those who see red and green alike (Okabe and Ito's palette).
var colors = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255}, color.RGBA{230, 159, 0, 255}, color.RGBA{86, 180, 233, 255},
}

var gray = color.Gray{110}

const (
	width       = 9.2 * vg.Inch
	panelHeight = 1.75 * vg.Inch
	headHeight  = 0.35 * vg.Inch
	dpi         = 110
	// mostPoints of a line; more would only thicken it.
	mostPoints = 900
)

// panel is one quantity of a figure.
type panel struct {
	label  string
	values func(Run) []float64
	line   float64 // dashed; 0 for none
	ticks  []string
	zero   bool // the axis begins at 0
}

func (f Figure) panels() []panel {
	var list []panel
	for _, p := range []panel{
		{label: "temperature, °C", values: func(r Run) []float64 { return r.Celsius }, line: f.CeilingCelsius},
		{label: "depth", values: func(r Run) []float64 { return r.Depth }, ticks: f.Depths},
		{label: "frames/s", values: func(r Run) []float64 { return r.FPS }, zero: true},
		{label: "power, W", values: func(r Run) []float64 { return r.Watts }, zero: true},
		{label: "charge, %", values: func(r Run) []float64 { return r.Percent }, line: f.ReservePercent, zero: true},
	} {
		for _, r := range f.Runs {
			if known(p.values(r)) {
				list = append(list, p)
				break
			}
		}
	}
	return list
}

func known(values []float64) bool {
	for _, v := range values {
		if !math.IsNaN(v) {
			return true
		}
	}
	return false
}

// size is that of the whole figure.
func (f Figure) size() (w, h vg.Length) {
	return width, headHeight + panelHeight*vg.Length(max(len(f.panels()), 1))
}

// WritePNG writes the figure as an image.
func (f Figure) WritePNG(w io.Writer) error {
	wide, high := f.size()
	canvas := vgimg.NewWith(vgimg.UseWH(wide, high), vgimg.UseDPI(dpi))
	if err := f.draw(draw.New(canvas)); err != nil {
		return err
	}
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(w)
	return err
}

// WriteSVG writes the figure as a drawing.
func (f Figure) WriteSVG(w io.Writer) error {
	canvas := vgsvg.New(f.size())
	if err := f.draw(draw.New(canvas)); err != nil {
		return err
	}
	_, err := canvas.WriteTo(w)
	return err
}

func (f Figure) draw(c draw.Canvas) error {
	panels := f.panels()
	if len(panels) == 0 {
		return fmt.Errorf("chart: %s: nothing is known to draw", f.Title)
	}
	last := 0.
	for _, r := range f.Runs {
		if n := len(r.Seconds); n > 0 {
			last = max(last, r.Seconds[n-1])
		}
	}
	column := make([][]*plot.Plot, len(panels))
	for i, p := range panels {
		drawn, err := f.panel(p, last, i == len(panels)-1)
		if err != nil {
			return fmt.Errorf("chart: %s: %w", p.label, err)
		}
		column[i] = []*plot.Plot{drawn}
	}
	f.head(c)
	body := draw.Crop(c, 0, 0, 0, -headHeight)
	tiles := draw.Tiles{Rows: len(panels), Cols: 1, PadX: vg.Points(4), PadY: vg.Points(3), PadLeft: vg.Points(6), PadRight: vg.Points(14), PadBottom: vg.Points(4)}
	for i, row := range plot.Align(column, tiles, body) {
		column[i][0].Draw(row[0])
	}
	return nil
}

// head writes the title and the legend in one line at the top.
func (f Figure) head(c draw.Canvas) {
	style := draw.TextStyle{Color: color.Black, Font: sans(11), Handler: plot.DefaultTextHandler, YAlign: draw.YCenter}
	y := c.Max.Y - headHeight/2
	x := c.Min.X + vg.Points(8)
	c.FillText(style, vg.Point{X: x, Y: y}, f.Title)
	if len(f.Runs) < 2 {
		return
	}
	style.Font = sans(9.5)
	x = c.Max.X - vg.Points(14)
	for i := len(f.Runs) - 1; i >= 0; i-- {
		name := f.Runs[i].Name
		x -= style.Width(name)
		c.FillText(style, vg.Point{X: x, Y: y}, name)
		c.StrokeLine2(draw.LineStyle{Color: colors[i%len(colors)], Width: vg.Points(2)}, x-vg.Points(18), y, x-vg.Points(4), y)
		x -= vg.Points(30)
	}
}

func (f Figure) panel(p panel, last float64, bottom bool) (*plot.Plot, error) {
	drawn := plot.New()
	for _, s := range []*draw.TextStyle{&drawn.X.Tick.Label, &drawn.Y.Tick.Label, &drawn.X.Label.TextStyle, &drawn.Y.Label.TextStyle} {
		s.Font = sans(8.5)
	}
	drawn.Y.Label.Text = p.label
	drawn.X.Tick.Marker = clock{last, bottom}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{225}, color.Gray{225}
	drawn.Add(grid)
	for i, r := range f.Runs {
		for _, piece := range thin(r.Seconds, p.values(r), last) {
			line, err := plotter.NewLine(piece)
			if err != nil {
				return nil, err
			}
			line.Color, line.Width = colors[i%len(colors)], vg.Points(1.2)
			drawn.Add(line)
		}
	}
	if p.line != 0 {
		limit, err := plotter.NewLine(plotter.XYs{{X: 0, Y: p.line}, {X: last, Y: p.line}})
		if err != nil {
			return nil, err
		}
		limit.Color, limit.Dashes = gray, []vg.Length{vg.Points(4), vg.Points(3)}
		drawn.Add(limit)
	}
	drawn.X.Min, drawn.X.Max = 0, last
	if p.zero {
		drawn.Y.Min = min(drawn.Y.Min, 0)
	}
	if p.ticks != nil {
		drawn.Y.Min, drawn.Y.Max = -0.3, float64(len(p.ticks))-0.7
		var ticks plot.ConstantTicks
		for i, name := range p.ticks {
			ticks = append(ticks, plot.Tick{Value: float64(i), Label: name})
		}
		drawn.Y.Tick.Marker = ticks
	}
	if drawn.Y.Max-drawn.Y.Min < 1e-9 { // a constant still needs a height
		drawn.Y.Min, drawn.Y.Max = drawn.Y.Min-1, drawn.Y.Max+1
	}
	return drawn, nil
}

// thin makes lines of a series: means over equal parts of the time, cut where nothing is known.
func thin(seconds, values []float64, last float64) []plotter.XYs {
	var pieces []plotter.XYs
	var piece plotter.XYs
	cut := func() {
		if len(piece) > 0 {
			pieces = append(pieces, piece)
			piece = nil
		}
	}
	width := max(last/mostPoints, 1e-9)
	for i := 0; i < len(values); {
		end := (math.Floor(seconds[i]/width) + 1) * width
		sum, n, first := 0., 0, i
		for ; i == first || i < len(values) && seconds[i] < end; i++ {
			if !math.IsNaN(values[i]) {
				sum += values[i]
				n++
			}
		}
		if n == 0 {
			cut()
			continue
		}
		piece = append(piece, plotter.XY{X: seconds[first], Y: sum / float64(n)})
	}
	cut()
	return pieces
}

func sans(size float64) (f plotFont) {
	f = plot.DefaultFont
	f.Variant = "Sans"
	f.Size = vg.Points(size)
	return f
}
