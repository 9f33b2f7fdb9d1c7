package daemon

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// spans are the parts of the history that are kept, each in steps of its own:
// some 100 kB in all.
var spans = []struct {
	name   string
	step   time.Duration
	points int
}{
	{"minutes", time.Second, 180},
	{"hour", 5 * time.Second, 720},
	{"day", time.Minute, 1440},
}

// series are the values that are kept over time.
type series int

const (
	seriesRung     series = iota // index in State.Ladder, mean of a step
	seriesCelsius                // greatest of a step
	seriesLatency                // ms, mean of the seconds' medians
	seriesCharge                 // percent, mean
	seriesAccuracy               // of the last minute, mean
	seriesCount
)

// sample is one value of each series; NaN where it was not known.
type sample [seriesCount]float32

// History is a span as columns of the same length, oldest first.
type History struct {
	Span string `json:"span"`
	// StepSeconds is what one point stands for.
	StepSeconds float64 `json:"step_s"`
	// Age is how long ago each point was, in seconds.
	Age           []number `json:"age_s"`
	Rung          []number `json:"rung"`
	Celsius       []number `json:"celsius"`
	LatencyMS     []number `json:"latency_ms"`
	ChargePercent []number `json:"charge_percent"`
	Accuracy      []number `json:"accuracy"`
}

// number is written with two decimals, and as null where it is not known.
type number float32

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, math.Round(float64(n)*100)/100, 'f', -1, 64), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	*n = number(math.NaN())
	if string(b) == "null" {
		return nil
	}
	return json.Unmarshal(b, (*float32)(n))
}

// history keeps all spans. Its owner locks. Times are of the monotonic clock, so
// that a correction of the wall clock moves no point.
type history struct {
	rings []ring
}

func newHistory() history {
	var h history
	for _, s := range spans {
		h.rings = append(h.rings, ring{step: s.step, at: make([]time.Time, s.points), values: make([]sample, s.points)})
	}
	return h
}

func (h *history) add(at time.Time, s sample) {
	for i := range h.rings {
		h.rings[i].add(at, s)
	}
}

// span returns a span by its name, and false where there is none.
func (h *history) span(name string, now time.Time) (History, bool) {
	for i, s := range spans {
		if s.name == name {
			return h.rings[i].columns(name, now), true
		}
	}
	return History{}, false
}

// ring keeps the last points of one span, and the one that is being gathered.
type ring struct {
	step   time.Duration
	at     []time.Time
	values []sample
	next   uint64 // number of the point after the last

	begun time.Time // of the step that is being gathered; zero before the first sample
	sum   [seriesCount]float64
	count [seriesCount]int
}

// early is by how much a sample may come before the step that it opens is due.
const early = 500 * time.Millisecond

func (r *ring) add(at time.Time, s sample) {
	if r.begun.IsZero() {
		r.begun = at
	}
	if at.Sub(r.begun) >= r.step-early {
		r.push()
		r.begun = at
	}
	for i, v := range s {
		switch {
		case math.IsNaN(float64(v)):
		case series(i) == seriesCelsius && r.count[i] > 0:
			r.sum[i] = max(r.sum[i], float64(v))
		default:
			r.sum[i] += float64(v)
			r.count[i]++
		}
	}
}

// gathered is what the step holds so far.
func (r *ring) gathered() sample {
	var s sample
	for i := range s {
		s[i] = float32(math.NaN())
		if r.count[i] > 0 {
			s[i] = float32(r.sum[i] / float64(r.count[i]))
		}
	}
	return s
}

// push closes the step.
func (r *ring) push() {
	i := r.next % uint64(len(r.at))
	r.at[i], r.values[i] = r.begun, r.gathered()
	r.next++
	r.sum, r.count = [seriesCount]float64{}, [seriesCount]int{}
}

// columns lists the closed steps and the one that is being gathered.
func (r *ring) columns(name string, now time.Time) History {
	h := History{Span: name, StepSeconds: r.step.Seconds()}
	point := func(at time.Time, s sample) {
		h.Age = append(h.Age, number(now.Sub(at).Seconds()))
		for _, c := range []struct {
			column *[]number
			series series
		}{{&h.Rung, seriesRung}, {&h.Celsius, seriesCelsius}, {&h.LatencyMS, seriesLatency}, {&h.ChargePercent, seriesCharge}, {&h.Accuracy, seriesAccuracy}} {
			*c.column = append(*c.column, number(s[c.series]))
		}
	}
	n := uint64(len(r.at))
	for p := r.next - min(r.next, n); p < r.next; p++ {
		point(r.at[p%n], r.values[p%n])
	}
	if !r.begun.IsZero() {
		point(r.begun, r.gathered())
	}
	return h
}
