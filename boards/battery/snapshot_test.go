package battery_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fathom-edge/fathom/boards"
	"github.com/fathom-edge/fathom/boards/battery"
	"github.com/fathom-edge/fathom/boards/battery/batterytest"
	"github.com/fathom-edge/fathom/boards/telemetry"
)

// TestSnapshot: a board's snapshot carries charge, power and time to empty of a
// device on I²C with what they may be off, and loses them with it.
func TestSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pack := &batterytest.Pack{Chemistry: battery.LiIon, Cells: 2, CapacityAh: 3, Ohms: 0.1, Percent: 80, Amps: -0.8}
		chip := batterytest.NewINA219(pack, 0.1)
		bus := batterytest.NewBus(0x42, chip)
		hat, err := battery.Open(bus.Host(1, ""), battery.Config{Device: "waveshare-ups-hat", Bus: new(1), CapacityAh: 3})
		if err != nil {
			t.Fatal(err)
		}
		board, err := boards.New(t.TempDir(), boards.Options{Gauges: []boards.Gauge{hat}})
		if err != nil {
			t.Fatal(err)
		}
		read := func() telemetry.Power {
			pack.Step(10*time.Second, -0.8)
			time.Sleep(10 * time.Second)
			return board.Read(context.Background()).Power
		}
		p := read()
		chip.BrownOut()
		p = read()
		is := func(name string, r telemetry.Reading[float64], want, off float64) {
			t.Helper()
			if v, ok := r.Get(); !ok || math.Abs(v-want) > off {
				t.Errorf("%s: %g, %q; want %g ± %g", name, v, r.Reason(), want, off)
			}
		}
		drawn := -pack.Volts() * pack.Amps
		is("charge", p.ChargePercent, pack.Percent, 5)
		is("charge uncertainty", p.ChargeUncertaintyPercent, 4, 3)
		is("watts", p.Watts, drawn, 0.05)
		is("battery watts", p.BatteryWatts, -drawn, 0.05)
		is("capacity", p.CapacityWattHours, 3*3.6*2, 1e-9)
		is("hours", p.RemainingHours, pack.Percent/100*3*3.6*2/drawn, 0.3)
		is("hours uncertainty", p.RemainingUncertaintyHours, 0.8, 0.7)
		if discharging, ok := p.Discharging.Get(); !ok || !discharging {
			t.Errorf("discharging: %v, %q", discharging, p.Discharging.Reason())
		}
		bus.SetFault(batterytest.Stuck)
		p = read()
		for name, r := range map[string]telemetry.Reading[float64]{"charge": p.ChargePercent, "battery watts": p.BatteryWatts, "hours": p.RemainingHours} {
			if _, ok := r.Get(); ok || !strings.Contains(r.Reason(), "timed out") {
				t.Errorf("%s of a stuck bus: %q", name, r.Reason())
			}
		}
		if v, ok := p.Watts.Get(); ok {
			t.Errorf("%g W of a stuck bus", v)
		}
	})
}
