package batterytest

import (
	"time"

	"github.com/fathom-edge/fathom/boards/battery"
)

// Pack is a battery that can be charged and drained. Its voltage is that of its
// cells at rest plus what the current makes at its resistance.
type Pack struct {
	Chemistry  string // battery.LiIon or battery.LiFePO4
	Cells      int    // in series
	CapacityAh float64
	Ohms       float64
	Percent    float64
	// Amps is the current into the pack.
	Amps float64
}

// Step lets a current flow into the pack for some time, or out of it if negative.
func (p *Pack) Step(d time.Duration, amps float64) {
	p.Amps = amps
	p.Percent += 100 * amps * d.Hours() / p.CapacityAh
	p.Percent = min(max(p.Percent, 0), 100)
}

// Volts is what a meter at the pack shows.
func (p *Pack) Volts() float64 {
	curve, hysteresis := liIon, 0.0
	if p.Chemistry == battery.LiFePO4 {
		curve, hysteresis = liFePO4, 0.010
	}
	cell := interpolate(curve, p.Percent)
	switch {
	case p.Amps > 0:
		cell += hysteresis
	case p.Amps < 0:
		cell -= hysteresis
	}
	return float64(p.Cells)*cell + p.Amps*p.Ohms
}

// A Molicel P42A, which is none of the cells that package battery estimates by,
// and an A123 APR18650M1B, which is the only one of its kind that it has; both
// after github.com/soorajsunil/Piecewise-Battery-OCV, 2d7f782. In per cent and V.
var (
	liIon = [][2]float64{{0, 2.506}, {1.5, 2.898}, {4.5, 3.146}, {9.6, 3.323}, {15.1, 3.422}, {29.2, 3.574}, {45.7, 3.702}, {83.4, 4.064}, {95, 4.101}, {100, 4.193}}

	liFePO4 = [][2]float64{{0, 2.010}, {0.3, 2.418}, {1.2, 2.741}, {2.7, 2.930}, {5.3, 3.087}, {8.9, 3.194}, {29.7, 3.277}, {98.3, 3.351}, {99.5, 3.418}, {100, 3.598}}
)

func interpolate(curve [][2]float64, x float64) float64 {
	for i := 1; i < len(curve); i++ {
		if a, b := curve[i-1], curve[i]; x <= b[0] {
			return a[1] + (x-a[0])/(b[0]-a[0])*(b[1]-a[1])
		}
	}
	return curve[len(curve)-1][1]
}
