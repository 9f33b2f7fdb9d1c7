package sim

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/governor"
)

// Trace is what happens to a board: a small spec from which a case draws one
// value a second. It is a YAML file; docs/simulate.md documents every field.
//
// A trace fits any board: work, solar power and the battery are given relative
// to what the board's deepest variant needs.
type Trace struct {
	Name  string `yaml:"-"` // of the file, without its folder and .yaml
	About string `yaml:"about"`
	// Duration is the simulated time.
	Duration time.Duration `yaml:"duration"`
	// Start is the time of the day at which it begins; default 00:00.
	Start governor.Clock `yaml:"start"`
	// Utilisation is the share of its time that the deepest variant needs at the
	// wanted rate on an idle board at full clock.
	Utilisation float64 `yaml:"utilisation"`
	// Ambient is the temperature of the air in °C, Load what other programs use of
	// all cores in [0, 1], Solar what a panel brings as a share of the board's full power.
	Ambient Signal `yaml:"ambient"`
	Load    Signal `yaml:"load"`
	Solar   Signal `yaml:"solar"`
	// Battery is nil for a board on mains.
	Battery *TraceBattery `yaml:"battery"`
	Sensor  Sensor        `yaml:"sensor"`
	// Objectives are the user's, but for the rate, which follows from Utilisation.
	Objectives governor.Objectives `yaml:"objectives"`

	// recorded is what the weather is made of instead of signals; nil where it is drawn.
	recorded []telemetry.Snapshot
}

// TraceBattery is a battery relative to the board.
type TraceBattery struct {
	// DeepestLasts is how long the full battery would feed the deepest variant at
	// the wanted rate, without sun.
	DeepestLasts   time.Duration `yaml:"deepest_lasts"`
	StartPercent   float64       `yaml:"start_percent"`
	ResistanceOhms float64       `yaml:"resistance_ohms"`
	VoltageGauge   bool          `yaml:"voltage_gauge"`
	// GaugeStepPercent is the resolution of the gauge; 0 for none.
	GaugeStepPercent float64 `yaml:"gauge_step_percent"`
	// StatedSolarHours is what the user says that the panel brings in a day, in hours of
	// the board's full power; 0 where nothing is said.
	StatedSolarHours float64 `yaml:"stated_solar_hours"`
}

// Signal is the sum of its shapes; Shade and Lag change what stands before them.
type Signal []Shape

// Shape is one part of a signal; exactly one field is set.
type Shape struct {
	// Points are joined by straight lines; the first and last value hold outside.
	Points []SignalPoint `yaml:"points"`
	// Steps hold their value until the next.
	Steps  []SignalPoint `yaml:"steps"`
	Sine   *Sine         `yaml:"sine"`
	Bursts *Bursts       `yaml:"bursts"`
	// Shade multiplies by its value while a burst lasts.
	Shade *Bursts `yaml:"shade"`
	// Walk wanders around 0 with the given standard deviation and correlation time.
	Walk *Walk `yaml:"walk"`
	// Lag makes what stands before it follow with this time constant, as a wall follows the sun.
	Lag time.Duration `yaml:"lag"`
}

// SignalPoint is a value at a time since the beginning.
type SignalPoint struct {
	At    time.Duration `yaml:"at"`
	Value float64       `yaml:"value"`
}

// Sine is Mean + Amplitude · sin(2π (t - From) / Period).
type Sine struct {
	Mean      float64       `yaml:"mean"`
	Amplitude float64       `yaml:"amplitude"`
	Period    time.Duration `yaml:"period"`
	From      time.Duration `yaml:"from"`
}

// Bursts have a value for a time, every so often. Jitter in [0, 1) is by which
// share the seed may shorten or lengthen each time.
type Bursts struct {
	Every  time.Duration `yaml:"every"`
	For    time.Duration `yaml:"for"`
	Value  float64       `yaml:"value"`
	Jitter float64       `yaml:"jitter"`
}

// Walk is an Ornstein-Uhlenbeck process.
type Walk struct {
	Deviation float64       `yaml:"deviation"`
	Time      time.Duration `yaml:"time"`
}

// Instant is the weather of one second: all that does not depend on the governor.
type Instant struct {
	AmbientCelsius float64
	Load           float64 // of other programs, share of all cores
	SolarShare     float64 // of the board's full power
}

//go:embed traces
var embedded embed.FS

// Split is a half of the traces that come with Fathom: parameters are chosen on
// the one and reported on the other. A trace belongs to the half in whose folder it lies.
type Split string

const (
	Training Split = "training"
	Test     Split = "test"
)

// Traces are those of one half, by name.
func Traces(half Split) ([]Trace, error) {
	files, err := fs.Glob(embedded, path.Join("traces", string(half), "*.yaml"))
	if err != nil {
		return nil, err
	}
	var traces []Trace
	for _, f := range files {
		text, err := embedded.ReadFile(f)
		if err != nil {
			return nil, err
		}
		t, err := ParseTrace(strings.TrimSuffix(path.Base(f), ".yaml"), text)
		if err != nil {
			return nil, err
		}
		traces = append(traces, t)
	}
	return traces, nil
}

// FindTrace is one of Fathom's own traces by its name, or a file: a spec, or a
// recording of fathom board --record.
func FindTrace(nameOrFile string) (Trace, error) {
	var names []string
	for _, half := range []Split{Training, Test} {
		traces, err := Traces(half)
		if err != nil {
			return Trace{}, err
		}
		for _, t := range traces {
			if t.Name == nameOrFile {
				return t, nil
			}
			names = append(names, t.Name)
		}
	}
	text, err := os.ReadFile(nameOrFile)
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(nameOrFile, "./\\") {
		slices.Sort(names)
		return Trace{}, fmt.Errorf("sim: no trace %q (there are %s; or give a file)", nameOrFile, strings.Join(names, ", "))
	}
	if err != nil {
		return Trace{}, fmt.Errorf("sim: trace: %w", err)
	}
	name := strings.TrimSuffix(filepath.Base(nameOrFile), filepath.Ext(nameOrFile))
	if isRecording(text) {
		return RecordedTrace(name, text)
	}
	return ParseTrace(name, text)
}

// ParseTrace reads a spec.
func ParseTrace(name string, text []byte) (Trace, error) {
	t := Trace{Name: name}
	if err := yaml.UnmarshalWithOptions(text, &t, yaml.Strict()); err != nil {
		line, _, _ := bytes.Cut([]byte(yaml.FormatError(err, false, false)), []byte("\n"))
		return Trace{}, fmt.Errorf("sim: trace %s: %s", name, line)
	}
	if err := t.Validate(); err != nil {
		return Trace{}, err
	}
	return t, nil
}

// longestTrace bounds what a case has to hold.
const longestTrace = 7 * 24 * time.Hour

// Validate says what makes a trace impossible.
func (t Trace) Validate() error {
	fail := func(format string, a ...any) error {
		return fmt.Errorf("sim: trace %s: %w", t.Name, fmt.Errorf(format, a...))
	}
	if t.Duration < time.Minute || t.Duration > longestTrace {
		return fail("duration: %v: want a minute to %v", t.Duration, longestTrace)
	}
	if !(t.Utilisation > 0 && t.Utilisation <= 4) {
		return fail("utilisation: %g: want more than 0 and at most 4 (above 1 the deepest variant is too slow)", t.Utilisation)
	}
	if t.Objectives.FPS != 0 || t.Objectives.LeastFPS != 0 {
		return fail("objectives: fps and least_fps follow from utilisation: leave them out")
	}
	if len(t.Ambient) == 0 && t.recorded == nil {
		return fail("ambient: needs the temperature of the air")
	}
	for name, s := range map[string]Signal{"ambient": t.Ambient, "load": t.Load, "solar": t.Solar} {
		for i, shape := range s {
			if err := shape.validate(); err != nil {
				return fail("%s: shape %d: %w", name, i, err)
			}
		}
	}
	if b := t.Battery; b != nil && (b.DeepestLasts < time.Minute || b.DeepestLasts > longestTrace || !(b.StartPercent > 0 && b.StartPercent <= 100) ||
		!(b.ResistanceOhms >= 0 && b.ResistanceOhms <= 10) || !(b.GaugeStepPercent >= 0 && b.GaugeStepPercent <= 10) || !(b.StatedSolarHours >= 0 && b.StatedSolarHours <= 24)) {
		return fail("battery: lasts %v from %g %% at %g Ω, gauge in steps of %g %%, %g h of sun: want a minute to %v, more than 0 to 100 %%, 0 to 10 Ω, steps of 0 to 10 %%, 0 to 24 h",
			b.DeepestLasts, b.StartPercent, b.ResistanceOhms, b.GaugeStepPercent, b.StatedSolarHours, longestTrace)
	}
	if err := t.Sensor.validate(); err != nil {
		return fail("sensor: %w", err)
	}
	return nil
}

func (s Shape) validate() error {
	set := 0
	for _, points := range [][]SignalPoint{s.Points, s.Steps} {
		if points == nil {
			continue
		}
		set++
		for i, p := range points {
			if !finite(p.Value) || p.At < 0 || i > 0 && p.At <= points[i-1].At {
				return fmt.Errorf("point %d: %g at %v: want numbers at rising times", i, p.Value, p.At)
			}
		}
		if len(points) == 0 {
			return errors.New("needs at least one point")
		}
	}
	if s.Sine != nil {
		set++
		if s.Sine.Period <= 0 || !finite(s.Sine.Mean, s.Sine.Amplitude) {
			return fmt.Errorf("sine: period %v: want a positive time and numbers", s.Sine.Period)
		}
	}
	for _, b := range []*Bursts{s.Bursts, s.Shade} {
		if b == nil {
			continue
		}
		set++
		if b.Every < 2*time.Second || b.For < time.Second || b.For >= b.Every || !finite(b.Value) || !(b.Jitter >= 0 && b.Jitter < 1) {
			return fmt.Errorf("bursts: %v every %v with jitter %g: want 1 s at least, less than every, and a jitter in [0, 1)", b.For, b.Every, b.Jitter)
		}
	}
	if s.Walk != nil {
		set++
		if s.Walk.Time < time.Second || !(s.Walk.Deviation >= 0) || !finite(s.Walk.Deviation) {
			return fmt.Errorf("walk: %g in %v: want a deviation of at least 0 and a second at least", s.Walk.Deviation, s.Walk.Time)
		}
	}
	if s.Lag != 0 {
		set++
		if s.Lag < time.Second {
			return fmt.Errorf("lag %v: want a second at least", s.Lag)
		}
	}
	if set != 1 {
		return errors.New("give exactly one of points, steps, sine, bursts, shade, walk and lag")
	}
	return nil
}

// weather draws the trace for a board, one instant a second. The same seed draws the same.
func (t Trace) weather(seed uint64, b BoardModel) []Instant {
	n := int(t.Duration / time.Second)
	if t.recorded != nil {
		return weatherOf(t.recorded, n, b)
	}
	weather := make([]Instant, n)
	ambient := t.Ambient.draw(n, t.random(seed, "ambient"))
	load := t.Load.draw(n, t.random(seed, "load"))
	solar := t.Solar.draw(n, t.random(seed, "solar"))
	for i := range weather {
		weather[i] = Instant{
			AmbientCelsius: min(max(ambient[i], -40), 90),
			Load:           min(max(load[i], 0), 0.95),
			SolarShare:     max(solar[i], 0),
		}
	}
	return weather
}

// random is a source of its own for each purpose, so that one more draw in one
// does not change the others.
func (t Trace) random(seed uint64, purpose string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(t.Name + "/" + purpose))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

func (s Signal) draw(n int, r *rand.Rand) []float64 {
	sum := make([]float64, n)
	for _, shape := range s {
		shape.add(sum, r)
	}
	return sum
}

func (s Shape) add(sum []float64, r *rand.Rand) {
	switch {
	case s.Points != nil:
		next := 0
		for i := range sum {
			at := time.Duration(i) * time.Second
			for next < len(s.Points) && s.Points[next].At <= at {
				next++
			}
			switch {
			case next == 0:
				sum[i] += s.Points[0].Value
			case next == len(s.Points):
				sum[i] += s.Points[next-1].Value
			default:
				a, b := s.Points[next-1], s.Points[next]
				sum[i] += a.Value + (b.Value-a.Value)*float64(at-a.At)/float64(b.At-a.At)
			}
		}
	case s.Steps != nil:
		next := 0
		for i := range sum {
			for next < len(s.Steps) && s.Steps[next].At <= time.Duration(i)*time.Second {
				next++
			}
			sum[i] += s.Steps[max(next-1, 0)].Value
		}
	case s.Sine != nil:
		for i := range sum {
			phase := (float64(i) - s.Sine.From.Seconds()) / s.Sine.Period.Seconds()
			sum[i] += s.Sine.Mean + s.Sine.Amplitude*math.Sin(2*math.Pi*phase)
		}
	case s.Bursts != nil:
		s.Bursts.each(len(sum), r, func(i int) { sum[i] += s.Bursts.Value })
	case s.Shade != nil:
		s.Shade.each(len(sum), r, func(i int) { sum[i] *= s.Shade.Value })
	case s.Walk != nil:
		keep := math.Exp(-1 / s.Walk.Time.Seconds())
		kick := s.Walk.Deviation * math.Sqrt(1-keep*keep)
		at := s.Walk.Deviation * r.NormFloat64()
		for i := range sum {
			sum[i] += at
			at = at*keep + kick*r.NormFloat64()
		}
	case s.Lag != 0:
		keep := math.Exp(-1 / s.Lag.Seconds())
		at := sum[0]
		for i := range sum {
			at = sum[i] + (at-sum[i])*keep
			sum[i] = at
		}
	}
}

// each calls f for every second within a burst.
func (b Bursts) each(n int, r *rand.Rand, f func(i int)) {
	vary := func(d time.Duration) float64 { return d.Seconds() * (1 + b.Jitter*(2*r.Float64()-1)) }
	for at := vary(b.Every - b.For); at < float64(n); {
		length := vary(b.For)
		for i := int(at); i < min(int(at+length), n); i++ {
			f(i)
		}
		at += length + vary(b.Every-b.For)
	}
}
