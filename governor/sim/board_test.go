package sim

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// clock is set by hand.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newBoard(t *testing.T, c Config) (*Board, *clock) {
	t.Helper()
	k := &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	c.Now = k.now
	b, err := NewBoard(c)
	if err != nil {
		t.Fatal(err)
	}
	return b, k
}

func known[T any](t *testing.T, r telemetry.Reading[T]) T {
	t.Helper()
	v, ok := r.Get()
	if !ok {
		t.Fatalf("unknown: %s", r.Reason())
	}
	return v
}

// pass lets wall time go by with the given share of it busy.
func pass(t *testing.T, b *Board, k *clock, d time.Duration, share float64) telemetry.Snapshot {
	t.Helper()
	b.Busy(time.Duration(share * float64(d)))
	k.t = k.t.Add(d)
	return b.Read(t.Context())
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s: %g, want %g ± %g", what, got, want, within)
	}
}

func TestStepResponseIsTheFosterSum(t *testing.T) {
	for _, acceleration := range []float64{1, 25} {
		for _, read := range []time.Duration{100 * time.Millisecond, 7 * time.Second} {
			m := Pi4ClosedCase()
			m.Leakage = Leakage{}
			m.Poles = []Pole{{7, 3 * time.Second}, {31, 280 * time.Second}}
			b, k := newBoard(t, Config{Model: m, Acceleration: acceleration})
			start := k.t
			for simulated := 0.; simulated < 600; {
				s := pass(t, b, k, read, 0.5)
				simulated = k.t.Sub(start).Seconds() * acceleration
				want := 50 + 3.5*(1-math.Exp(-simulated/3)) + 15.5*(1-math.Exp(-simulated/280))
				near(t, "temperature", known(t, s.Heat.HottestCelsius), want, 1e-6)
				near(t, "CPU", known(t, s.Load.CPUPercent), 50, 1e-6)
			}
		}
	}
}

func TestIdleBoardStaysAndCoolsBack(t *testing.T) {
	b, k := newBoard(t, Config{Model: Pi4Bare()})
	near(t, "idle", known(t, pass(t, b, k, time.Hour, 0).Heat.HottestCelsius), 46, 0)
	pass(t, b, k, time.Hour, 0.8)
	near(t, "after work", known(t, pass(t, b, k, 6*time.Hour, 0).Heat.HottestCelsius), 46, 1e-9)
}

func TestFirmwareThrottles(t *testing.T) {
	b, k := newBoard(t, Config{Model: Pi4ClosedCase()})
	s := pass(t, b, k, 2*time.Hour, 1)
	celsius := known(t, s.Heat.HottestCelsius)
	// Where the heat of the clock and of leakage meets the line from 1 at 80 °C to 1/3 at 85 °C.
	m := Pi4ClosedCase()
	near(t, "balance", celsius, 50+(m.Poles[0].GainKelvin+m.Poles[1].GainKelvin)*(b.Clock()+m.leak(celsius)), 0.01)
	if celsius < 80.5 || celsius > 82.5 {
		t.Errorf("balance at %.1f °C, want shortly above 80", celsius)
	}
	if !known(t, s.Throttle.Throttled) {
		t.Error("the throttle flag is not set")
	}
	near(t, "requested clock", known(t, s.Throttle.ClockHertz), 1.8e9, 0)
	near(t, "CPU", known(t, s.Load.CPUPercent), 100, 0)
	// Half the work fits into the lowered clock: no more heat than at full clock, but longer.
	s = pass(t, b, k, time.Second, 0.5)
	if cpu := known(t, s.Load.CPUPercent); cpu <= 50 || cpu >= 100 {
		t.Errorf("CPU %g %% at half the work and a lowered clock, want between 50 and 100", cpu)
	}
}

func TestSaturationLosesTheExcess(t *testing.T) {
	a, ka := newBoard(t, Config{Model: Zero2Case()})
	b, kb := newBoard(t, Config{Model: Zero2Case(), WorkScale: 50})
	sa, sb := pass(t, a, ka, time.Minute, 1), pass(t, b, kb, time.Minute, 1)
	near(t, "temperature", known(t, sb.Heat.HottestCelsius), known(t, sa.Heat.HottestCelsius), 0)
}

func TestCalibrate(t *testing.T) {
	b, k := newBoard(t, Config{Model: Pi4ClosedCase(), Acceleration: 25})
	if err := b.Calibrate(4*time.Millisecond, 200*time.Millisecond, 0.95); err != nil {
		t.Fatal(err)
	}
	near(t, "work scale", b.WorkScale(), 47.5, 1e-9)
	for range 5 {
		b.Busy(4 * time.Millisecond)
	}
	near(t, "CPU", known(t, pass(t, b, k, time.Second, 0).Load.CPUPercent), 95, 1e-9)
	if d := b.Describe(); !strings.Contains(d, "simulated Raspberry Pi 4 in a closed case") || !strings.Contains(d, "25 times") || !strings.Contains(d, "47.5 ms") {
		t.Errorf("Describe: %s", d)
	}
	for _, bad := range []error{
		b.Calibrate(0, time.Second, 0.5), b.Calibrate(time.Second, 0, 0.5),
		b.Calibrate(1, 1, 0), b.Calibrate(1, 1, math.NaN()), b.Calibrate(1, 1, 1.5),
	} {
		if bad == nil {
			t.Error("a senseless calibration was not refused")
		}
	}
}

func TestSunMovesTheTemperature(t *testing.T) {
	b, k := newBoard(t, Config{Model: Pi4Bare(), Sun: Sun{6, 20 * time.Minute}})
	near(t, "rising", known(t, pass(t, b, k, 5*time.Minute, 0).Heat.HottestCelsius), 52, 0.3)
	near(t, "back", known(t, pass(t, b, k, 5*time.Minute, 0).Heat.HottestCelsius), 46, 0.3)
	near(t, "lowest", known(t, pass(t, b, k, 5*time.Minute, 0).Heat.HottestCelsius), 40, 0.3)
}

func TestBattery(t *testing.T) {
	b, k := newBoard(t, Config{Model: Pi4Bare(), Battery: &Battery{CapacityWattHours: 29, StartPercent: 100}})
	s := pass(t, b, k, time.Hour, 0) // 2.9 W
	// 2.9 W behind the converter, from the upper end of the charge, whose voltage is above the mean.
	near(t, "charge", known(t, s.Power.ChargePercent), 100-10/converterEfficiency*voltsMean/4.12, 0.1)
	if !known(t, s.Power.Discharging) {
		t.Error("does not say that it discharges")
	}
	near(t, "empty", known(t, pass(t, b, k, 20*time.Hour, 0).Power.ChargePercent), 0, 0)

	b, k = newBoard(t, Config{Model: Pi4Bare(), Battery: &Battery{CapacityWattHours: 29, StartPercent: 50, InputWatts: 5.8}})
	s = pass(t, b, k, time.Hour, 0)
	near(t, "charge", known(t, s.Power.ChargePercent), 50+10*converterEfficiency*voltsMean/3.8, 0.1)
	if known(t, s.Power.Discharging) {
		t.Error("says that it discharges while it charges")
	}
	if _, ok := (&Board{config: Config{Model: Pi4Bare()}, heat: newThermal(Pi4Bare())}).snapshot(k.t).Power.ChargePercent.Get(); ok {
		t.Error("a board without a battery tells a charge")
	}
}

func TestClockSetBack(t *testing.T) {
	b, k := newBoard(t, Config{Model: Pi4Bare()})
	before := known(t, pass(t, b, k, time.Minute, 1).Heat.HottestCelsius)
	k.t = k.t.Add(-time.Hour)
	near(t, "set back", known(t, b.Read(t.Context()).Heat.HottestCelsius), before, 0)
	if after := known(t, pass(t, b, k, time.Minute, 1).Heat.HottestCelsius); after <= before {
		t.Errorf("heat stopped at %g °C after the clock was set back", after)
	}
}

func TestSnapshotSaysThatItIsSimulated(t *testing.T) {
	b, k := newBoard(t, Config{Model: Pi3SolidCase()})
	s := b.Read(t.Context())
	if !s.Simulated || s.Board != "Raspberry Pi 3B in a solid case" || !s.Time.Equal(k.t) || len(s.Probes) == 0 {
		t.Errorf("%+v", s)
	}
	near(t, "limit", known(t, s.Heat.LimitCelsius), 80, 0)
}

func TestPresetsAreValid(t *testing.T) {
	for _, p := range Presets() {
		if err := p.Model().Validate(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

func TestNewBoardRefuses(t *testing.T) {
	nan := math.NaN()
	for name, change := range map[string]func(*Config){
		"idle":         func(c *Config) { c.Model.IdleCelsius = nan },
		"no poles":     func(c *Config) { c.Model.Poles = nil },
		"gain":         func(c *Config) { c.Model.Poles = []Pole{{-1, time.Second}} },
		"tau":          func(c *Config) { c.Model.Poles = []Pole{{1, 0}} },
		"no firmware":  func(c *Config) { c.Model.Firmware = nil },
		"limits":       func(c *Config) { c.Model.Firmware = []ClockPoint{{80, 1}, {80, 0.5}} },
		"least clock":  func(c *Config) { c.Model.Firmware = []ClockPoint{{80, 1}, {85, 0}} },
		"leakage":      func(c *Config) { c.Model.Leakage.Share = 1 },
		"fan":          func(c *Config) { c.Model.Fan = &Fan{Levels: []FanLevel{{50, 1}, {60, 0.5}}} },
		"watts":        func(c *Config) { c.Model.FullWatts = 1 },
		"acceleration": func(c *Config) { c.Acceleration = -1 },
		"too fast":     func(c *Config) { c.Acceleration = 1e6 },
		"work scale":   func(c *Config) { c.WorkScale = nan },
		"sun":          func(c *Config) { c.Sun.Kelvin = 1 },
		"capacity":     func(c *Config) { c.Battery = &Battery{} },
		"charge":       func(c *Config) { c.Battery = &Battery{CapacityWattHours: 1, StartPercent: nan} },
	} {
		c := Config{Model: Pi4Bare()}
		change(&c)
		if b, err := NewBoard(c); err == nil || b != nil {
			t.Errorf("%s: not refused", name)
		}
	}
}
