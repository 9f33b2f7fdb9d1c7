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

// flag adds 1 or 0, and nothing where it is not known: a board may tell one flag and not the other.
func (t *terms) flag(name string, set bool, unknown string) {
	switch {
	case unknown != "":
	case set:
		t.add(name, 1, "")
	default:
		t.add(name, 0, "")
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
