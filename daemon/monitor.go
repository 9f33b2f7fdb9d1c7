package daemon

import (
	"image"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/daemon/events"
	"github.com/fathom-edge/fathom/governor"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/engine"
	"github.com/fathom-edge/fathom/runtime/profile"
)

// MonitorConfig describes what a Monitor watches.
type MonitorConfig struct {
	Manifest   *bundle.Manifest
	Bundle     BundleState
	Profile    profile.Profile
	Source     string
	Policy     string
	Objectives governor.Objectives
	Simulated  *Simulation
	StaleAfter time.Duration
	Log        *slog.Logger
	Now        func() time.Time
}

// Monitor gathers what happens and tells it to the page, the metrics and the
// log. Safe for concurrent use.
type Monitor struct {
	config  MonitorConfig
	metrics *Metrics

	mu          sync.Mutex
	state       State // Ladder, Frame, Decision, counters; the rest is filled in by State
	faults      faults
	history     history
	rolling     rolling
	classified  time.Time       // when the last frame was
	second      []time.Duration // latencies since the last sample of the history
	latencies   []recent        // by rung
	sequence    uint64          // of the last frame
	sawSequence bool
	events      []events.Event // the newest first
	pending     []string       // pictures of events that are not on the disk yet
}

// topGuesses is how many labels are shown.
const topGuesses = 3

// NewMonitor starts watching.
func NewMonitor(c MonitorConfig) *Monitor {
	m := &Monitor{config: c, faults: faults{log: c.Log, now: map[string]string{}, failed: map[string]time.Time{}}, history: newHistory()}
	m.state = State{Started: c.Now(), Bundle: c.Bundle, Source: c.Source, Policy: c.Policy,
		Simulated: c.Simulated, Active: -1}
	for _, r := range c.Profile.Rungs {
		m.state.Ladder = append(m.state.Ladder, LadderRung{Variant: r.Variant, Depth: depthOf(c.Manifest, r.Variant),
			MACs: r.MACs, Stated: r.Accuracy, LatencyMS: milliseconds(r.Cost.Latency)})
	}
	m.latencies = make([]recent, len(m.state.Ladder))
	m.metrics = newMetrics(m)
	return m
}

func depthOf(m *bundle.Manifest, variant string) []int {
	for _, v := range m.Variants {
		if v.Name == variant {
			return v.Depth
		}
	}
	return []int{}
}

// Classified notes one frame, of which a region with these bounds was looked at, with its smoothed probabilities, and returns what
// is shown of it.
func (m *Monitor) Classified(f camera.Frame, region string, bounds image.Rectangle, r engine.Result, smoothed []float64) FrameState {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.config.Now()
	m.classified = now
	m.faults.works(partCamera, now)
	m.faults.works(partInference, now)
	m.state.Frames++
	m.count(f.Sequence)
	m.metrics.classified(r)
	m.second = append(m.second, r.Latency)

	top := m.best(smoothed)
	answer := FrameState{ID: frameID(f), Sequence: f.Sequence, Captured: f.Captured, Truth: f.Truth, Region: region,
		Seen: m.seen(f.Image, bounds), Label: top[0].Label, Probability: top[0].Probability, Top: top,
		Variant: r.Variant, First: r.First, LatencyMS: milliseconds(r.Latency), PreprocessMS: milliseconds(r.Preprocess)}
	m.state.Frame = &answer
	m.shown(f.Captured, top[0])
	if f.Truth != "" {
		m.rolling.add(now, top[0].Label == f.Truth)
	}
	m.ran(r, f.Truth, m.config.Manifest.Labels[r.Best])
	return answer
}

// frameID names a frame: when it was captured, in milliseconds, and its number, which a camera that comes back begins anew.
func frameID(f camera.Frame) string {
	id := strconv.AppendInt(make([]byte, 0, 32), f.Captured.UnixMilli(), 10)
	return string(strconv.AppendUint(append(id, '-'), f.Sequence, 10))
}

// seen is the part of a picture that the network saw, given the bounds of the region.
func (m *Monitor) seen(picture image.Image, region image.Rectangle) Part {
	whole := picture.Bounds()
	window := m.config.Manifest.Preprocess.Window(region.Dx(), region.Dy()).Add(region.Min.Sub(whole.Min))
	w, h := float64(whole.Dx()), float64(whole.Dy())
	return Part{X: float64(window.Min.X) / w, Y: float64(window.Min.Y) / h, Width: float64(window.Dx()) / w, Height: float64(window.Dy()) / h}
}

// Unchanged notes a frame in which nothing moved, and which was therefore not classified.
func (m *Monitor) Unchanged(f camera.Frame) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.classified = m.config.Now()
	m.faults.works(partCamera, m.classified)
	m.state.Gated++
	m.count(f.Sequence)
}

// Condition notes that a part does not work (the error) or works (nil).
func (m *Monitor) Condition(part string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		m.faults.clear(part)
	} else {
		m.faults.set(part, err.Error(), m.config.Now())
	}
}

// eventsShown is how many events the page shows at most.
const eventsShown = 12

// Happened notes an event, whose picture is yet to be kept.
func (m *Monitor) Happened(e events.Event) {
	m.metrics.events.WithLabelValues(string(e.Kind), e.Class).Inc()
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.Snapshot != "" {
		m.pending = append(m.pending[max(0, len(m.pending)-eventsShown):], e.Snapshot)
	}
	m.events = slices.Insert(m.events[:min(len(m.events), eventsShown-1)], 0, e)
	m.state.Events++
}

// Kept notes that the picture of an event is on the disk.
func (m *Monitor) Kept(snapshot string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending = slices.DeleteFunc(m.pending, func(name string) bool { return name == snapshot })
	m.state.Events++ // there is something new to see
}

// Events are the last ones of this run, the newest first. They name the pictures that can be had by now.
func (m *Monitor) Events() []events.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := append([]events.Event{}, m.events...)
	for i := range list {
		if slices.Contains(m.pending, list[i].Snapshot) {
			list[i].Snapshot = ""
		}
	}
	return list
}

// faultCounts tells which parts failed how often, and whether they do now.
func (m *Monitor) faultCounts() (total map[string]uint64, now map[string]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now = map[string]bool{}
	for part := range m.faults.total {
		_, now[part] = m.faults.now[part]
	}
	return maps.Clone(m.faults.total), now
}

// shown keeps the list of recent labels.
func (m *Monitor) shown(at time.Time, g Guess) {
	list := m.state.Recent
	if len(list) > 0 && list[0].Label == g.Label {
		list[0].Probability = max(list[0].Probability, g.Probability)
		return
	}
	m.state.Recent = slices.Insert(list[:min(len(list), recentShown-1)], 0, Shown{Label: g.Label, Since: at, Probability: g.Probability})
}

// count keeps the frame counters. A camera that came back may start again at 0.
func (m *Monitor) count(sequence uint64) {
	if m.sawSequence && sequence > m.sequence {
		dropped := sequence - m.sequence - 1
		m.state.Dropped += dropped
		m.metrics.dropped.Add(float64(dropped))
	}
	m.sequence, m.sawSequence = sequence, true
}

// ran keeps the account of the variant that answered. A second look is no switch,
// and its time is not that of a variant by itself.
func (m *Monitor) ran(r engine.Result, truth, label string) {
	alone := observed(r, 0)
	first := m.rung(alone.Variant)
	if first != m.state.Active && m.state.Active >= 0 {
		m.state.Switches++
	}
	m.state.Active = first
	if first >= 0 {
		m.latencies[first].add(alone.Latency)
	}
	if r.First != "" {
		m.state.Escalated++
	}
	i := m.rung(r.Variant)
	if i < 0 {
		return
	}
	rung := &m.state.Ladder[i]
	rung.Frames++
	if truth == "" {
		return
	}
	if rung.Seen == nil {
		rung.Seen = &Tally{}
	}
	rung.Seen.Of++
	if label == truth {
		rung.Seen.Right++
	}
}

// best returns the best labels, best first; at least one.
func (m *Monitor) best(probabilities []float64) []Guess {
	order := make([]int, len(probabilities))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch pa, pb := probabilities[a], probabilities[b]; {
		case pa > pb:
			return -1
		case pa < pb:
			return 1
		}
		return 0
	})
	var top []Guess
	for _, i := range order[:min(topGuesses, len(order))] {
		top = append(top, Guess{Label: m.config.Manifest.Labels[i], Probability: probabilities[i]})
	}
	return top
}

// CameraFailed notes that the camera delivers nothing.
func (m *Monitor) CameraFailed(err error) { m.fail(partCamera, err) }

// InferenceFailed notes that a frame could not be classified.
func (m *Monitor) InferenceFailed(err error) { m.fail(partInference, err) }

func (m *Monitor) fail(part string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults.set(part, err.Error(), m.config.Now())
}

// Steered notes the settings that hold from now on.
func (m *Monitor) Steered(s Settings) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.config.Objectives, m.state.Policy = s.Objectives, s.Policy
	if m.state.Paused && !s.Paused {
		m.classified = m.config.Now() // the time of the pause does not count as staleness
	}
	m.state.Paused = s.Paused
}

// Decided notes a decision of the governor and reports whether it changes anything.
func (m *Monitor) Decided(d governor.Decision) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	kind := m.kindOf(d)
	m.metrics.decided(m.state.Policy, kind)
	m.state.Decision = &d
	return kind != kindHold
}

// What a decision changes; also a label of fathom_decisions_total.
const (
	kindStart     = "start"
	kindDeeper    = "deeper"
	kindShallower = "shallower"
	kindPeriod    = "period"
	kindHold      = "hold"
)

// kindOf classes a decision by what it changes.
func (m *Monitor) kindOf(d governor.Decision) string {
	if m.state.Decision == nil {
		return kindStart
	}
	before, after := m.rung(m.state.Decision.Variant), m.rung(d.Variant)
	switch {
	case after > before:
		return kindDeeper
	case after < before:
		return kindShallower
	case d.FramePeriod != m.state.Decision.FramePeriod:
		return kindPeriod
	}
	return kindHold
}

func (m *Monitor) rung(variant string) int {
	return slices.IndexFunc(m.state.Ladder, func(l LadderRung) bool { return l.Variant == variant })
}

// Sensed notes a snapshot of the board and adds a sample to the history.
func (m *Monitor) Sensed(s telemetry.Snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.Board = &s
	now, unknown := m.config.Now(), float32(math.NaN())
	p := sample{seriesRung: unknown, seriesCelsius: unknown, seriesLatency: unknown, seriesCharge: unknown, seriesAccuracy: unknown}
	if m.state.Active >= 0 {
		p[seriesRung] = float32(m.state.Active)
	}
	if c, known := s.Heat.HottestCelsius.Get(); known {
		p[seriesCelsius] = float32(c)
		m.faults.works(partSensors, now)
	} else {
		m.faults.set(partSensors, s.Heat.HottestCelsius.Reason(), now)
	}
	if c, known := s.Power.ChargePercent.Get(); known {
		p[seriesCharge] = float32(c)
	}
	if n := len(m.second); n > 0 {
		slices.Sort(m.second)
		p[seriesLatency] = float32(milliseconds(m.second[n/2]))
	}
	m.second = m.second[:0]
	m.rolling.forget(now)
	if t := m.rolling.tally; t.Of > 0 {
		p[seriesAccuracy] = float32(t.Right) / float32(t.Of)
	}
	m.history.add(now, p)
}

// State returns what the daemon is doing. The result is the caller's, but not
// what its Frame, Decision and Board point to.
func (m *Monitor) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.state
	s.Now = m.config.Now()
	s.Health = m.health(s.Now)
	s.Ladder, s.Recent = slices.Clone(s.Ladder), slices.Clone(s.Recent)
	m.estimate(s.Ladder)
	for i := range s.Ladder {
		if seen := s.Ladder[i].Seen; seen != nil {
			s.Ladder[i].Seen = new(*seen)
		}
	}
	if m.rolling.tally.Of > 0 {
		s.Accuracy = new(m.rolling.tally)
	}
	s.Ceiling = m.ceiling()
	return s
}

// estimate puts measured latencies in place of the profile's, and multiplies those
// of rungs that never ran by how much slower than profiled the measured ones are, as their median.
func (m *Monitor) estimate(ladder []LadderRung) {
	var slowdowns []float64
	for i := range ladder {
		if measured := milliseconds(m.latencies[i].median()); measured > 0 {
			slowdowns = append(slowdowns, measured/ladder[i].LatencyMS)
			ladder[i].LatencyMS = measured
		}
	}
	if len(slowdowns) == 0 {
		return
	}
	slices.Sort(slowdowns)
	n := len(slowdowns)
	for i := range ladder {
		if m.latencies[i].n == 0 {
			ladder[i].LatencyMS *= (slowdowns[(n-1)/2] + slowdowns[n/2]) / 2
		}
	}
}

// ceiling is the temperature to stay below, 0 where it is not known yet.
func (m *Monitor) ceiling() float64 {
	if m.state.Board == nil {
		return m.config.Objectives.CeilingCelsius
	}
	return m.config.Objectives.Ceiling(m.state.Board.Heat.LimitCelsius)
}

// History returns a span of the history by its name: minutes, hour or day.
func (m *Monitor) History(span string) (History, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.history.span(span, m.config.Now())
}

// SetStaleAfter changes how long no frame may have been classified.
func (m *Monitor) SetStaleAfter(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.config.StaleAfter = d
}

// Health tells whether everything works.
func (m *Monitor) Health() Health {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.health(m.config.Now())
}

func (m *Monitor) health(now time.Time) Health {
	h := Health{Status: HealthOK, Reasons: m.faults.reasons()}
	last, what := m.classified, "no frame classified for "
	if last.IsZero() {
		last, what = m.state.Started, "no frame classified yet, after "
	}
	if quiet := now.Sub(last); quiet > m.config.StaleAfter && !m.state.Paused {
		h.Stale = true
		h.Reasons = append(h.Reasons, what+quiet.Round(time.Second).String())
	}
	if len(h.Reasons) > 0 {
		h.Status = HealthDegraded
	}
	return h
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
