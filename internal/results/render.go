package results

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/fathom-edge/fathom/internal/atomicfile"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Render writes NAME.md and a plot NAME-GROUP.png per group of three or more
// rows beside dir/NAME.json, for every such file in dir, and returns how many
// rows do not hold.
func Render(dir string) (failing int, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		rows, err := Read(file)
		if err != nil {
			return 0, err
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		var md bytes.Buffer
		fmt.Fprintf(&md, "# Results: %s\n\nGenerated from `%s.json` by `make results`; do not edit.\n\n", name, name)
		md.WriteString("| what | value | bar | verdict | spread |\n|---|---:|---:|---|---|\n")
		for _, r := range rows {
			bar := "–"
			if r.Op != "" {
				bar = strings.TrimSpace(fmt.Sprintf("%s %s %s", map[string]string{"<=": "≤", ">=": "≥"}[r.Op], number(r.Limit), r.Unit))
			}
			verdict := r.Verdict()
			switch verdict {
			case "":
				verdict = "–"
			case "does not hold":
				verdict = "**does not hold**"
				failing++
			}
			fmt.Fprintf(&md, "| %s | %s | %s | %s | %s |\n", r.What, strings.TrimSpace(number(r.Value)+" "+r.Unit), bar, verdict, spread(r.Samples))
		}
		for _, g := range groups(rows) {
			png := fmt.Sprintf("%s-%s.png", name, g.name)
			if err := drawRows(filepath.Join(dir, png), g.name, g.rows); err != nil {
				return 0, err
			}
			fmt.Fprintf(&md, "\n![%s](%s)\n", g.name, png)
		}
		md.WriteString("\n## Commands\n\n")
		var seen []string
		for _, r := range rows {
			line := fmt.Sprintf("- `%s` on %s", r.Command, r.Machine)
			if !slices.Contains(seen, line) {
				seen = append(seen, line)
			}
		}
		md.WriteString(strings.Join(seen, "\n") + "\n")
		if err := atomicfile.Write(filepath.Join(dir, name+".md"), md.Bytes()); err != nil {
			return 0, err
		}
	}
	return failing, nil
}

func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e9 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

func spread(samples []float64) string {
	if len(samples) < 2 {
		return "one run"
	}
	return fmt.Sprintf("%s … %s (%d)", number(slices.Min(samples)), number(slices.Max(samples)), len(samples))
}

// ink is what rows are drawn in.
var ink = color.RGBA{R: 31, G: 95, B: 153, A: 255}

type group struct {
	name string
	rows []Row
}

func groups(rows []Row) []group {
	var list []group
	for _, r := range rows {
		name, _, ok := strings.Cut(r.ID, "/")
		if !ok {
			continue
		}
		i := slices.IndexFunc(list, func(g group) bool { return g.name == name })
		if i < 0 {
			list = append(list, group{name: name})
			i = len(list) - 1
		}
		list[i].rows = append(list[i].rows, r)
	}
	return slices.DeleteFunc(list, func(g group) bool { return len(g.rows) < 3 })
}

// drawRows draws each row as a line: a dot at its value, whiskers to its least
// and greatest sample, and its bar dashed.
func drawRows(file, title string, rows []Row) error {
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text = rows[0].Unit
	p.Y.Label.Text = " " // room: the names are measured too narrow
	p.Add(plotter.NewGrid())
	var spreads struct {
		plotter.XYs
		plotter.XErrors
	}
	names := make([]string, len(rows))
	for i, r := range rows {
		line := len(rows) - 1 - i // the first one on top
		_, names[line], _ = strings.Cut(r.ID, "/")
		spreads.XYs = append(spreads.XYs, plotter.XY{X: r.Value, Y: float64(line)})
		samples := append(slices.Clone(r.Samples), r.Value)
		if r.Op != "" {
			bar, err := plotter.NewLine(plotter.XYs{{X: r.Limit, Y: float64(line) - 0.5}, {X: r.Limit, Y: float64(line) + 0.5}})
			if err != nil {
				return fmt.Errorf("results: plot %s: %w", title, err)
			}
			bar.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
			p.Add(bar)
		}
		spreads.XErrors = append(spreads.XErrors, struct{ Low, High float64 }{r.Value - slices.Min(samples), slices.Max(samples) - r.Value})
	}
	dots, err := plotter.NewScatter(spreads)
	if err != nil {
		return fmt.Errorf("results: plot %s: %w", title, err)
	}
	dots.GlyphStyle = draw.GlyphStyle{Color: ink, Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
	whiskers, err := plotter.NewXErrorBars(spreads)
	if err != nil {
		return fmt.Errorf("results: plot %s: %w", title, err)
	}
	whiskers.Color, whiskers.Width, whiskers.CapWidth = ink, vg.Points(1.2), vg.Points(5)
	p.Add(whiskers, dots)
	p.NominalY(names...)
	p.Y.Min, p.Y.Max = -0.5, float64(len(rows))-0.5
	tmp := strings.TrimSuffix(file, ".png") + ".tmp.png"
	if err := p.Save(vg.Points(460), vg.Points(70+16*float64(len(rows))), tmp); err != nil {
		return fmt.Errorf("results: plot %s: %w", title, err)
	}
	return os.Rename(tmp, file)
}
