package battery

import (
	"math"
	"slices"
)

// The chemistries that Config.Chemistry names.
const (
	LiIon   = "li-ion"  // 4.2 V a cell: NMC, NCA, lithium polymer
	LiFePO4 = "lifepo4" // 3.6 V a cell
)

// chemistry is what is known of a kind of cell.
type chemistry struct {
	// curves hold the open-circuit voltage of one cell over its charge, each of one
	// measured cell. Their spread is how far cells of the kind differ.
	curves []curve
	// plausible are the voltages that a cell in use can have, charging included.
	plausible span
	// nominal is the mean voltage of a discharge, V.
	nominal float64
	// hysteresis is by how much the open-circuit voltage hangs on what came before,
	// as a standard deviation, V. An assumption; relaxation is in it.
	hysteresis float64
}

type span struct{ min, max float64 }

// curve maps charge in per cent to the voltage of a cell at rest; both rise.
type curve []point

type point struct{ percent, volts float64 }

// Li-ion: Sony US18650VTC6 at C/20, the mean of charge and discharge
// (github.com/derlucae98, dac42d5), and Molicel P28A, Samsung 40T and (named by
// elimination) LG INR21700-M50T, as break points fitted by
// github.com/soorajsunil/Piecewise-Battery-OCV, 2d7f782. The fifth table of these
// sources, Molicel P42A, is not among them: package batterytest discharges by it.
// LiFePO4: A123 APR18650M1B, the same fits.
var chemistries = map[string]chemistry{
	LiIon: {
		curves: []curve{
			{{0, 2.535}, {5, 3.129}, {10, 3.268}, {15, 3.351}, {20, 3.411}, {25, 3.497}, {30, 3.558}, {35, 3.610}, {40, 3.662}, {45, 3.704},
				{50, 3.752}, {55, 3.798}, {60, 3.840}, {65, 3.881}, {70, 3.922}, {75, 3.979}, {80, 4.037}, {85, 4.075}, {90, 4.090}, {95, 4.111}, {100, 4.175}},
			{{0, 2.703}, {2, 3.007}, {4.5, 3.174}, {9.1, 3.328}, {14.6, 3.429}, {28.1, 3.570}, {45.7, 3.697}, {84.4, 4.060}, {95.5, 4.111}, {100, 4.188}},
			{{0, 2.500}, {0.5, 2.808}, {3.5, 3.118}, {8.5, 3.318}, {13.6, 3.419}, {29.2, 3.583}, {45.2, 3.694}, {83.9, 4.066}, {95.5, 4.112}, {100, 4.200}},
			{{0, 2.520}, {1.5, 2.907}, {4.5, 3.141}, {11.1, 3.330}, {18.1, 3.454}, {31.2, 3.586}, {48.2, 3.701}, {84.9, 4.067}, {96.0, 4.124}, {100, 4.194}},
		},
		plausible: span{2.0, 4.6}, nominal: 3.6, hysteresis: 0.010,
	},
	LiFePO4: {
		curves: []curve{
			{{0, 2.010}, {0.3, 2.418}, {1.2, 2.741}, {2.7, 2.930}, {5.3, 3.087}, {8.9, 3.194}, {29.7, 3.277}, {98.3, 3.351}, {99.5, 3.418}, {100, 3.598}},
		},
		plausible: span{1.8, 4.0}, nominal: 3.2, hysteresis: 0.015,
	},
}

// percent is the charge at a voltage of one cell at rest, in [0, 100].
func (c curve) percent(volts float64) float64 {
	i, exact := slices.BinarySearchFunc(c, volts, func(p point, v float64) int {
		switch {
		case p.volts < v:
			return -1
		case p.volts > v:
			return 1
		}
		return 0
	})
	switch {
	case exact:
		return c[i].percent
	case i == 0:
		return c[0].percent
	case i == len(c):
		return c[len(c)-1].percent
	}
	low, high := c[i-1], c[i]
	return low.percent + (volts-low.volts)/(high.volts-low.volts)*(high.percent-low.percent)
}

// charge estimates the charge, in per cent, from the voltage of one cell at rest
// and the standard deviation of that voltage. Its own standard deviation has three
// parts: how far cells differ, the voltage's over the slope, and one point for all
// that the tables leave out (temperature, age).
func (c chemistry) charge(volts, deviation float64) (percent, sigma float64) {
	var sum, squares float64
	for _, curve := range c.curves {
		p := curve.percent(volts)
		sum += p
		squares += p * p
	}
	n := float64(len(c.curves))
	percent = sum / n
	cells := max(0, squares/n-percent*percent)
	// Over the slope, by the ends of an interval: tables bend.
	var reach float64
	for _, curve := range c.curves {
		reach += (curve.percent(volts+deviation) - curve.percent(volts-deviation)) / 2
	}
	reach /= n
	const tables = 1.0
	return percent, math.Sqrt(cells + reach*reach + tables*tables)
}
