package sim

import "time"

// The presets are derived from published measurements; none was fitted to a
// board of ours. Sources: sjchiass/pitemp (Pi 3B in the official case, 0/100 %
// load, 1 s samples), ThomasKaiser/sbc-bench logs 3F9C and 3OBF (Pi 4, 1.8 GHz),
// picockpit.com and scruss.com (Zero 2 W), pidramble (power), Raspberry Pi
// documentation (throttling from 80 °C, fully at 85 °C), NetsPresso (ResNet-50).

// Pi4Bare is a Raspberry Pi 4 at 1.8 GHz without a case. One-pole fits of the
// two logs give 21 K in 158 s and 25 K in 223 s, from 46 and 36 °C idle: the board
// pole takes the larger gain and the mean time; the die adds 7 K in 3 s, as on
// every board whose fast part was resolved. The sum, 32 K for 3.4 W, is 9.4 K/W,
// inside the 8-12 K/W that steady states give.
func Pi4Bare() BoardModel {
	return BoardModel{
		Name:        "Raspberry Pi 4, bare",
		IdleCelsius: 46,
		Poles:       []Pole{{7, 3 * time.Second}, {25, 190 * time.Second}},

		LimitCelsius: 80, HardLimitCelsius: 85, MinClock: 1. / 3, ClockHertz: 1.8e9,
		IdleWatts: 2.9, FullWatts: 6.3, Throughput: 7.4e9,
	}
}

// Pi4ClosedCase is Pi4Bare in a closed case. On the Pi 3B the solid top against
// no top raises the slow gains from 18.7 + 8.1 to 15.1 + 17.7 K (× 1.22) and their
// gain-weighted time constant from 198 to 290 s (× 1.46): 25 K in 190 s becomes 31 K
// in 280 s. The case raises idle by 2 K (Pi 3B) to 4 K (Zero 2 W): 50 °C. At full
// load it would reach 88 °C, so the firmware throttles it.
func Pi4ClosedCase() BoardModel {
	m := Pi4Bare()
	m.Name = "Raspberry Pi 4 in a closed case"
	m.IdleCelsius = 50
	m.Poles = []Pole{{7, 3 * time.Second}, {31, 280 * time.Second}}
	return m
}

// Pi3SolidCase is a Raspberry Pi 3B with heatsinks in the official case with its
// solid top: a three-pole fit, rms error 0.7 K.
func Pi3SolidCase() BoardModel {
	return BoardModel{
		Name:        "Raspberry Pi 3B in a solid case",
		IdleCelsius: 52.4,
		Poles:       []Pole{{6.9, 1900 * time.Millisecond}, {15.1, 56 * time.Second}, {17.7, 490 * time.Second}},

		LimitCelsius: 80, HardLimitCelsius: 85, MinClock: 0.5, ClockHertz: 1.2e9,
		IdleWatts: 1.4, FullWatts: 3.7, Throughput: 3.8e9, // of the 3B+
	}
}

// Zero2Case is a Raspberry Pi Zero 2 W in the official case: 46 °C idle and 61 °C
// at 35 % load mean 44 K at full load without throttling, of which the die takes 7;
// from 47 to 80 °C in 3.5 min of full load, the rest has a time constant of 165 s.
func Zero2Case() BoardModel {
	return BoardModel{
		Name:        "Raspberry Pi Zero 2 W in its case",
		IdleCelsius: 46,
		Poles:       []Pole{{7, 3 * time.Second}, {37, 165 * time.Second}},

		LimitCelsius: 80, HardLimitCelsius: 85, MinClock: 0.6, ClockHertz: 1e9,
		IdleWatts: 0.6, FullWatts: 2.5, Throughput: 4.4e9,
	}
}
