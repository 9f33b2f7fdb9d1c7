package sim

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// Sun is heat from outside that comes and goes: idle temperature ± Kelvin, as a
// sine of simulated time that begins at 0 and rises. The zero Sun is none.
type Sun struct {
	Kelvin float64
	Period time.Duration
}

// Config is what a Board needs.
type Config struct {
	Model BoardModel
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Acceleration is how many simulated seconds pass in one; 0 means 1.
	Acceleration float64
	// WorkScale is how long the simulated board takes for what took one second here; 0 means 1. See Calibrate.
	WorkScale float64
	Sun       Sun
	Battery   *Battery // nil for none
}

// Board is a simulated board and the telemetry.Source of its readings. What is
// simulated is the board alone: it is heated by the busy time that it is told,
// so heat follows work that was really done. All methods: any goroutine.
type Board struct {
	config Config

	mu      sync.Mutex
	scale   float64
	last    time.Time
	elapsed time.Duration // simulated
	busy    time.Duration // since last
	heat    thermal
	pack    *pack   // nil for none
	load    float64 // utilisation in [0, 1] at the end of the last interval
	drive   float64
}

// NewBoard begins cold: idle for a long time.
func NewBoard(c Config) (*Board, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Acceleration == 0 {
		c.Acceleration = 1
	}
	if c.WorkScale == 0 {
		c.WorkScale = 1
	}
	if err := c.Model.Validate(); err != nil {
		return nil, err
	}
	if !(c.Acceleration > 0 && c.Acceleration <= maxAcceleration) {
		return nil, fmt.Errorf("sim: acceleration %g: want more than 0 and at most %d", c.Acceleration, maxAcceleration)
	}
	if !(c.WorkScale > 0) || math.IsInf(c.WorkScale, 0) {
		return nil, fmt.Errorf("sim: work scale %g: want a positive number", c.WorkScale)
	}
	if math.IsNaN(c.Sun.Kelvin) || math.IsInf(c.Sun.Kelvin, 0) || c.Sun.Kelvin != 0 && c.Sun.Period <= 0 {
		return nil, fmt.Errorf("sim: sun of %g K every %v: want a number and a positive time", c.Sun.Kelvin, c.Sun.Period)
	}
	b := &Board{config: c, scale: c.WorkScale, last: c.Now(), heat: newThermal(c.Model)}
	if c.Battery != nil {
		if err := c.Battery.Validate(); err != nil {
			return nil, err
		}
		p := newPack(*c.Battery)
		b.pack = &p
	}
	return b, nil
}

const (
	maxAcceleration = 1000
	// maxStep is the longest simulated time over which the clock counts as constant;
	// well below the die's time constant.
	maxStep = 500 * time.Millisecond
	// longest is the simulated time that one Read catches up with; a machine that
	// slept for longer finds the board as it was then.
	longest = 24 * time.Hour
)

// Calibrate sets the work scale so that an inference of the given real latency,
// once per frame period, keeps the simulated board busy for the given share of
// its time (e.g. the deepest variant for 0.95) at full clock. A scale above 1
// pretends a slower board or a larger network; it is what a page has to tell.
func (b *Board) Calibrate(latency, framePeriod time.Duration, utilisation float64) error {
	if latency <= 0 || framePeriod <= 0 || !(utilisation > 0 && utilisation <= 1) {
		return fmt.Errorf("sim: calibrate %v every %v to %g: want positive times and a share of at most 1", latency, framePeriod, utilisation)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.scale = utilisation * float64(framePeriod) / float64(latency)
	return nil
}

// WorkScale is how long the simulated board takes for what took one second here.
func (b *Board) WorkScale() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.scale
}

// Describe says in one sentence what is simulated.
func (b *Board) Describe() string {
	s := fmt.Sprintf("Temperature, throttling and load are those of a simulated %s, whose time runs %g times as fast; "+
		"each millisecond of real inference keeps it busy for %.3g ms.", b.config.Model.Name, b.config.Acceleration, b.WorkScale())
	if b.config.Sun.Kelvin != 0 {
		s += fmt.Sprintf(" Simulated sun moves its temperature by ±%g K every %v.", b.config.Sun.Kelvin, b.config.Sun.Period)
	}
	if b.config.Battery != nil {
		s += " Its battery is simulated too."
	}
	return s
}

// Busy tells of work that was really done: the time that it took.
func (b *Board) Busy(d time.Duration) {
	if d <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy += d
}

// Clock is the share of its full clock that the simulated firmware allows now.
func (b *Board) Clock() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.config.Model.clock(b.celsius())
}

// Read integrates up to now and returns what the board would report. The work
// told since the last Read counts as spread evenly; what exceeds the whole time
// is lost, as the board is saturated.
func (b *Board) Read(context.Context) telemetry.Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.config.Now()
	b.advance(now)
	return b.snapshot(now)
}

func (b *Board) advance(now time.Time) {
	wall := now.Sub(b.last)
	if wall <= 0 { // read twice at once, or the clock was set back
		if wall < 0 {
			b.last = now
		}
		return
	}
	offered := b.busy.Seconds() * b.scale / wall.Seconds()
	b.last, b.busy = now, 0
	rest := time.Duration(min(float64(wall)*b.config.Acceleration, float64(longest)))
	for rest > 0 {
		step := min(rest, maxStep)
		clock := b.config.Model.clock(b.celsius())
		b.load = min(offered/clock, 1) // a lower clock lengthens the work
		b.drive = b.load * clock
		b.heat.advance(step, b.drive, b.ambient())
		if b.pack != nil {
			b.pack.draw(b.watts(), 0, step) // an empty one goes on: the daemon lives elsewhere
		}
		b.elapsed += step
		rest -= step
	}
}

func (b *Board) ambient() float64 {
	ambient := b.config.Model.AmbientCelsius
	if s := b.config.Sun; s.Kelvin != 0 {
		ambient += s.Kelvin * math.Sin(2*math.Pi*b.elapsed.Seconds()/s.Period.Seconds())
	}
	return ambient
}

func (b *Board) celsius() float64 { return b.heat.celsius(b.ambient()) }

func (b *Board) watts() float64 {
	return b.config.Model.watts(b.drive, b.celsius()) + b.heat.fanWatts()
}

func (b *Board) snapshot(now time.Time) telemetry.Snapshot {
	m := b.config.Model
	celsius := b.celsius()
	s := m.tell(now, told{celsius: celsius, throttled: m.clock(celsius) < 1, watts: b.watts(), load: b.load, own: b.load})
	s.Heat.Zones = []telemetry.Zone{{Type: "cpu-thermal", TempCelsius: s.Heat.HottestCelsius, Relevant: true}}
	s.Probes = []telemetry.Probe{{Name: "simulated board", State: telemetry.Loaded}}
	if b.pack != nil {
		b.pack.tell(&s.Power, now)
	}
	return s
}
