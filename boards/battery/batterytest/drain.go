package batterytest

import (
	"fmt"
	"math"
	"time"

	"github.com/fathom-edge/fathom/boards/battery"
)

// Drain is a pack that is emptied while a device watches it. The configuration has
// other ideas of capacity and resistance than are true.
type Drain struct {
	Name    string
	Pack    Pack
	Address uint16
	Chip    func(*Pack) Chip
	Config  battery.Config
}

// Drained is how what a device said compares with what was true.
type Drained struct {
	// Charges and Times are how many were said.
	Charges, Times int
	// MeanOff and MostOff are the errors of the charge, in points.
	MeanOff, MostOff float64
	// ChargesBeyond are the shares of charges that were off by more than two of their
	// standard deviations, and TimesBeyond that of times to empty by more than two and a half.
	ChargesBeyond, TimesBeyond float64
}

// Drains are the ways to estimate a charge. The Li-ion cell is one that package
// battery does not know; for LiFePO4 there is only the one that it knows.
func Drains() []Drain {
	ion := Pack{Chemistry: battery.LiIon, Cells: 2, CapacityAh: 3.0, Ohms: 0.10, Percent: 100}
	iron := Pack{Chemistry: battery.LiFePO4, Cells: 4, CapacityAh: 6, Ohms: 0.12, Percent: 100}
	return []Drain{
		{"Li-ion by voltage and counted current", ion, 0x42,
			func(p *Pack) Chip { return NewINA219(p, 0.1) },
			battery.Config{Device: "waveshare-ups-hat", CapacityAh: 3.2}},
		{"Li-ion by voltage and current", ion, 0x40,
			func(p *Pack) Chip { return NewINA226(p, 0.02) },
			battery.Config{Device: "ina226", ShuntOhms: 0.02, Cells: 2}},
		{"LiFePO4 by voltage and counted current", iron, 0x40,
			func(p *Pack) Chip { return NewINA260(p) },
			battery.Config{Device: "ina260", Cells: 4, Chemistry: battery.LiFePO4, CapacityAh: 5.6}},
	}
}

// Run drains the pack to 3 %, with a board that works for ten minutes and rests for ten.
func (d Drain) Run() (Drained, error) {
	const step = 10 * time.Second
	pack := d.Pack
	d.Config.Bus = new(1)
	b, err := battery.Open(NewBus(d.Address, d.Chip(&pack)).Host(1, ""), d.Config)
	if err != nil {
		return Drained{}, err
	}
	var r Drained
	var chargesBeyond, timesBeyond int
	at := time.Unix(0, 0)
	for pack.Percent > 3 {
		amps := -0.4
		if r.Charges/60%2 == 0 {
			amps = -0.9
		}
		pack.Step(step, amps)
		at = at.Add(step)
		s, err := b.Sense(at)
		if err != nil {
			return Drained{}, err
		}
		charge, ok := s.ChargePercent.Get()
		if drained, _ := s.Discharging.Get(); !ok || !drained {
			return Drained{}, fmt.Errorf("batterytest: at %.1f %%: charge %q, discharging %q", pack.Percent, s.ChargePercent.Reason(), s.Discharging.Reason())
		}
		off := math.Abs(charge - pack.Percent)
		r.Charges++
		r.MeanOff += off
		r.MostOff = max(r.MostOff, off)
		if sigma, ok := s.ChargeUncertaintyPercent.Get(); !ok || off > 2*sigma {
			chargesBeyond++
		}
		hours, ok := s.RemainingHours.Get()
		if sigma, known := s.RemainingUncertaintyHours.Get(); ok && known {
			r.Times++
			if truth := pack.Percent / 100 * pack.CapacityAh / -amps; math.Abs(hours-truth) > 2.5*sigma {
				timesBeyond++
			}
		}
	}
	r.MeanOff /= float64(r.Charges)
	r.ChargesBeyond = float64(chargesBeyond) / float64(r.Charges)
	if r.Times > 0 {
		r.TimesBeyond = float64(timesBeyond) / float64(r.Times)
	}
	return r, nil
}
