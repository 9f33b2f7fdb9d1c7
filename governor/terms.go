package governor

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Term is one quantity that a decision depended on. The value is finite; a
// quantity that is unknown has no term, and the reason says so where it matters.
type Term struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
}

// maxTerms is more than any policy tells.
const maxTerms = 32

// Terms is a list of terms of limited length, so that a decision needs no
// memory of its own. As JSON it is an array.
type Terms struct {
	list [maxTerms]Term
	n    int
}

// All returns the terms in the order in which the policy told them.
func (t Terms) All() []Term { return t.list[:t.n] }

// Get returns the value of a term.
func (t Terms) Get(name string) (value float64, ok bool) {
	for i := range t.n {
		if t.list[i].Name == name {
			return t.list[i].Value, true
		}
	}
	return 0, false
}

// MarshalJSON writes an array.
func (t Terms) MarshalJSON() ([]byte, error) { return json.Marshal(t.list[:t.n]) }

// UnmarshalJSON reads an array of at most 32 terms.
func (t *Terms) UnmarshalJSON(data []byte) error {
	var list []Term
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	if len(list) > maxTerms {
		return fmt.Errorf("%d terms, want at most %d", len(list), maxTerms)
	}
	*t = Terms{n: len(list)}
	copy(t.list[:], list)
	return nil
}

// add keeps a term; JSON has no NaN, so what is not finite counts as unknown.
func (t *Terms) add(name string, value float64, unit string) {
	if t.n == maxTerms || math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	t.list[t.n] = Term{Name: name, Value: value, Unit: unit}
	t.n++
}

func (t *Terms) heat(h heat) {
	if h.unknown == "" {
		t.add("temperature", h.celsius, "°C")
	}
	if h.trendKnown {
		t.add("trend", h.trend, "K/s")
	}
}

// flag adds 1 or 0, and nothing where it is not known: a board may tell one flag and not the other.
func (t *Terms) flag(name string, set bool, unknown string) {
	switch {
	case unknown != "":
	case set:
		t.add(name, 1, "")
	default:
		t.add(name, 0, "")
	}
}

// rung adds where on the ladder the step ended.
func (t *Terms) rung(s State) {
	if s.Slowdown != 0 {
		t.add("slowdown", s.Slowdown, "")
	}
	t.add("rung", float64(s.Rung), "")
	t.add("stretches", float64(s.Stretches), "")
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
