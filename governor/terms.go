package governor

import "time"

// terms collects what a decision depended on.
type terms []Term

func (t *terms) add(name string, value float64, unit string) {
	*t = append(*t, Term{Name: name, Value: value, Unit: unit})
}

func (t *terms) heat(h heat) {
	if h.unknown == "" {
		t.add("temperature", h.celsius, "°C")
	}
	if h.trendKnown {
		t.add("trend", h.trend, "K/s")
	}
}

// rung adds where on the ladder the step ended.
func (t *terms) rung(s State) {
	if s.Slowdown != 0 {
		t.add("slowdown", s.Slowdown, "")
	}
	t.add("rung", float64(s.Rung), "")
	t.add("stretches", float64(s.Stretches), "")
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
