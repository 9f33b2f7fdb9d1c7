package sim

import (
	"testing"
	"time"
)

func TestOpenVoltage(t *testing.T) {
	for _, tt := range []struct{ share, volts float64 }{{0, 2.535}, {0.5, 3.752}, {0.525, 3.775}, {1, 4.175}, {-1, 2.535}, {2, 4.175}} {
		near(t, "open", openVolts(tt.share), tt.volts, 1e-9)
	}
	for share := 0.; share <= 1; share += 0.01 {
		near(t, "inverse", shareAt(openVolts(share)), share, 1e-9)
	}
	near(t, "stored when full", storedShare(1), 1, 1e-12)
	near(t, "stored when empty", storedShare(0), 0, 1e-12)
}

// What goes out of a cell without resistance is what was stored in it.
func TestPackConservesEnergy(t *testing.T) {
	p := newPack(Battery{CapacityWattHours: 20, StartPercent: 90})
	for range 3 * 3600 {
		if !p.draw(3, 0, time.Second) {
			t.Fatal("empty")
		}
	}
	used := (storedShare(0.9) - storedShare(p.share)) * 20
	near(t, "energy", used, 3*3/converterEfficiency, 0.01)
}

func TestResistanceSagsAndCosts(t *testing.T) {
	ideal, real := newPack(Battery{CapacityWattHours: 20, StartPercent: 50}), newPack(Battery{CapacityWattHours: 20, StartPercent: 50, ResistanceOhms: 0.1, VoltageGauge: true})
	for range 3600 {
		ideal.draw(5, 0, time.Second)
		real.draw(5, 0, time.Second)
	}
	if real.share >= ideal.share || real.volts >= openVolts(real.share)-0.1 {
		t.Errorf("%g at %g V, ideal %g: want losses and at least 0.1 V of sag", real.share, real.volts, ideal.share)
	}
	if told := real.percent(); told >= 100*real.share-5 {
		t.Errorf("a gauge that reads the voltage tells %.0f %% of %.0f %%: want it fooled by the load", told, 100*real.share)
	}
	if real.draw(200, 0, time.Second) {
		t.Error("delivers 200 W")
	}
}

func TestSunCharges(t *testing.T) {
	p := newPack(Battery{CapacityWattHours: 10, StartPercent: 50})
	for range 24 * 3600 {
		p.draw(2, 6, time.Second)
	}
	near(t, "full", p.share, 1, 1e-9)
	near(t, "power into the cell", p.watts, -4*converterEfficiency, 1e-9)
}

func TestGaugeRounds(t *testing.T) {
	p := newPack(Battery{CapacityWattHours: 10, StartPercent: 57.4, GaugeStepPercent: 1})
	near(t, "in steps of 1 %", p.percent(), 57, 1e-9)
}
