package chart

import (
	"bytes"
	"image/png"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/plot/plotter"
)

func figure() Figure {
	nan := math.NaN()
	return Figure{
		Title: "a figure", Depths: []string{"1-1", "2-2"}, CeilingCelsius: 75,
		Runs: []Run{
			{Name: "one", Seconds: []float64{0, 1, 2, 3}, Celsius: []float64{70, nan, 72, 73}, Depth: []float64{1, 1, 0, 0}, Percent: []float64{nan, nan, nan, nan}},
			{Name: "two", Seconds: []float64{0, 1, 2, 3}, Celsius: []float64{71, 71, 71, 71}, Depth: []float64{0, 0, 0, 0}, Watts: []float64{3, 3, 4, 4}},
		},
	}
}

func TestFigureDrawsWhatIsKnown(t *testing.T) {
	var svg bytes.Buffer
	if err := figure().WriteSVG(&svg); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a figure", "temperature, °C", "depth", "power, W", "one", "two", "2-2"} {
		if !strings.Contains(svg.String(), want) {
			t.Errorf("the drawing lacks %q", want)
		}
	}
	for _, unwanted := range []string{"charge, %", "frames/s"} { // nobody knows these
		if strings.Contains(svg.String(), unwanted) {
			t.Errorf("the drawing has %q", unwanted)
		}
	}
	var picture bytes.Buffer
	if err := figure().WritePNG(&picture); err != nil {
		t.Fatal(err)
	}
	decoded, err := png.Decode(&picture)
	if err != nil {
		t.Fatal(err)
	}
	if b := decoded.Bounds(); b.Dx() < 900 || b.Dy() < 400 {
		t.Errorf("a picture of %v", b)
	}
}

func TestFigureOfNothing(t *testing.T) {
	var out bytes.Buffer
	if err := (Figure{Title: "nothing", Runs: []Run{{Celsius: []float64{math.NaN()}}}}).WriteSVG(&out); err == nil || out.Len() > 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
}

func TestFigureOfOneInstant(t *testing.T) {
	var out bytes.Buffer
	if err := (Figure{Runs: []Run{{Seconds: []float64{0}, Celsius: []float64{50}}}}).WriteSVG(&out); err != nil {
		t.Error(err)
	}
}

func TestThin(t *testing.T) {
	nan := math.NaN()
	got := thin([]float64{0, 1, 2, 3, 4}, []float64{1, 2, nan, 4, 5}, 4)
	want := []plotter.XYs{{{X: 0, Y: 1}, {X: 1, Y: 2}}, {{X: 3, Y: 4}, {X: 4, Y: 5}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var seconds, values []float64
	for i := range 100_000 {
		seconds, values = append(seconds, float64(i)), append(values, float64(i%2))
	}
	long := thin(seconds, values, 99_999)
	if len(long) != 1 || len(long[0]) > mostPoints+1 {
		t.Fatalf("%d lines, %d points", len(long), len(long[0]))
	}
	for _, p := range long[0][:len(long[0])-1] { // the last holds one value alone
		if math.Abs(p.Y-0.5) > 0.01 {
			t.Fatalf("mean %g at %g, want 0.5", p.Y, p.X)
		}
	}
}

func TestClockTicks(t *testing.T) {
	var got []string
	for _, tick := range (clock{last: 5400, labels: true}).Ticks(0, 5400) {
		got = append(got, tick.Label)
	}
	want := []string{"0:00:00", "0:10:00", "0:20:00", "0:30:00", "0:40:00", "0:50:00", "1:00:00", "1:10:00", "1:20:00", "1:30:00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, last := range []float64{0, 1, 60, 1e4, 1e7} {
		if n := len((clock{last: last}).Ticks(0, last)); n > 20 {
			t.Errorf("%d ticks in %g s", n, last)
		}
	}
}

func TestPageEscapes(t *testing.T) {
	f := figure()
	var out bytes.Buffer
	err := Page{Title: "<script>", Sections: []Section{{Figure: &f, Table: Table{Head: []string{"a"}, Rows: [][]string{{"<b>"}}}}}}.WriteHTML(&out)
	if err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Contains(s, "<script>") || strings.Contains(s, "<b>") || strings.Contains(s, "<?xml") || !strings.Contains(s, "<svg") {
		t.Error("the page does not escape, or its drawing has a prolog")
	}
}
