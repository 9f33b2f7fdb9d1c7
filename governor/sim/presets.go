package sim

import (
	"fmt"
	"strings"
	"time"
)

// The presets are derived from published measurements; none was fitted to a
// board of ours. Sources: sjchiass/pitemp (Pi 3B in the official case, 0/100 %
// load, 1 s samples), ThomasKaiser/sbc-bench logs 3F9C and 3OBF (Pi 4, 1.8 GHz),
// 8-NK and Au3jaA (Pi 5), 1isD (3B+), 4rLX (Jetson Nano), 4vy7 (Orin Nano),
// picockpit.com and scruss.com (Zero 2 W), phoronix (Pi 5), pidramble (power),
// Raspberry Pi documentation (throttling from 80 °C, fully at 85 °C; the fan of the
// Pi 5), NetsPresso and ncnn (ResNet-50), NVIDIA's device trees (Jetson limits).
// Where a log does not tell the air's temperature, it is taken to be 24 °C.
// References say how far each is from its sources.

// Preset is a board by its name on command lines and in configurations.
type Preset struct {
	Name  string
	Model func() BoardModel
	// CeilingCelsius is what a trace that names none asks of it; 0 leaves the
	// default. Boards that never come near their limit get one that users have other
	// reasons for: a fan that stays quiet, a case that can be touched.
	CeilingCelsius float64
}

// FindPreset is a board by its name.
func FindPreset(name string) (Preset, error) {
	var names []string
	for _, p := range Presets() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Preset{}, fmt.Errorf("sim: no board %q (there are %s)", name, strings.Join(names, ", "))
}

// Presets are the boards that can be simulated.
func Presets() []Preset {
	return []Preset{
		{"pi-zero-2-w-case", Zero2Case, 0},
		{"pi3-solid-case", Pi3SolidCase, 0},
		{"pi3b-plus-fan", Pi3BPlusFan, 0},
		{"pi4-bare", Pi4Bare, 0},
		{"pi4-closed-case", Pi4ClosedCase, 0},
		{"pi5-cooler", Pi5Cooler, 64},
		{"jetson-nano", JetsonNano, 55},
		{"orin-nano", OrinNano, 0},
	}
}

// silicon is the leakage of every preset, since no measurement above tells it
// apart: 4 % of the dynamic power at idle, growing e-fold in 30 K.
var silicon = Leakage{Share: 0.04, Kelvin: 30}

// piFirmware throttles progressively between 80 and 85 °C.
func piFirmware(least float64) []ClockPoint { return []ClockPoint{{80, 1}, {85, least}} }

const (
	bcm2835Step = 0.538 // K of the thermometer up to the Pi 3
	bcm2711Step = 0.487 // K from the Pi 4 on
	jetsonStep  = 0.5
)

// Pi4Bare is a Raspberry Pi 4 at 1.8 GHz without a case. The two-pole fits of the
// two logs have 7 K in seconds and then 33 K in 682 s and 55 K in 1665 s, longer than
// the logs; their one-pole fits reach 21 and 23 K in 10 min. The board pole lies
// between: 30 K in 600 s. The sum, 37 K for 3.4 W, is inside the 8-12 K/W that
// steady states give.
func Pi4Bare() BoardModel {
	return pi4("Raspberry Pi 4, bare", 46, Pole{30, 10 * time.Minute}).leaking(silicon)
}

// Pi4ClosedCase is a Raspberry Pi 4 in a closed case, of which there is no curve. The
// one-pole fits of the bare board, 21 K in 158 s and 25 K in 223 s, are widened as
// the case of the Pi 3B widens its own: the solid top against no top raises the slow
// gains from 18.7 + 8.1 to 15.1 + 17.7 K (× 1.22) and their gain-weighted time
// constant from 198 to 290 s (× 1.46), which makes 31 K in 280 s of 25 K in 190 s. The
// case raises idle by 2 K (Pi 3B) to 4 K (Zero 2 W): 50 °C. At full load it would
// reach 88 °C, so the firmware throttles it.
func Pi4ClosedCase() BoardModel {
	return pi4("Raspberry Pi 4 in a closed case", 50, Pole{31, 280 * time.Second}).leaking(silicon)
}

func pi4(name string, idle float64, board Pole) BoardModel {
	return BoardModel{
		Name: name, IdleCelsius: idle, AmbientCelsius: 24,
		Poles:    []Pole{{7, 3 * time.Second}, board},
		Firmware: piFirmware(1. / 3), ClockHertz: 1.8e9, TellsThrottling: true, SensorStepKelvin: bcm2711Step,
		IdleWatts: 2.9, FullWatts: 6.3, Throughput: 7.4e9,
	}
}

// Pi3SolidCase is a Raspberry Pi 3B with heatsinks in the official case with its
// solid top: a three-pole fit, rms error 0.7 K.
func Pi3SolidCase() BoardModel {
	return BoardModel{
		Name:        "Raspberry Pi 3B in a solid case",
		IdleCelsius: 52.4, AmbientCelsius: 24,
		Poles:    []Pole{{6.9, 1900 * time.Millisecond}, {15.1, 56 * time.Second}, {17.7, 490 * time.Second}},
		Firmware: piFirmware(0.5), ClockHertz: 1.2e9, TellsThrottling: true, SensorStepKelvin: bcm2835Step,
		IdleWatts: 1.4, FullWatts: 3.7, Throughput: 3.8e9, // of the 3B+
	}.leaking(silicon)
}

// Pi3BPlusFan is a Raspberry Pi 3B+ under a fan that always blows: the two-pole
// fit of log 1isD. From 60 °C the firmware takes 1.4 to 1.2 GHz.
func Pi3BPlusFan() BoardModel {
	return BoardModel{
		Name:        "Raspberry Pi 3B+ under a fan",
		IdleCelsius: 43.7, AmbientCelsius: 24,
		Poles:    []Pole{{6.8, 5 * time.Second}, {7.9, 114 * time.Second}},
		Firmware: []ClockPoint{{60, 1}, {60.5, 6. / 7}, {80, 6. / 7}, {85, 3. / 7}}, ClockHertz: 1.4e9,
		TellsThrottling: true, SensorStepKelvin: bcm2835Step,
		IdleWatts: 1.9, FullWatts: 5.1, Throughput: 3.8e9,
	}.leaking(silicon)
}

// Zero2Case is a Raspberry Pi Zero 2 W in the official case: 46 °C idle and 61 °C
// at 35 % load mean 44 K at full load without throttling, of which the die takes 7;
// from 47 to 80 °C in 3.5 min of full load, the rest has a time constant of 165 s.
func Zero2Case() BoardModel {
	return BoardModel{
		Name:        "Raspberry Pi Zero 2 W in its case",
		IdleCelsius: 46, AmbientCelsius: 22,
		Poles:    []Pole{{7, 3 * time.Second}, {37, 165 * time.Second}},
		Firmware: piFirmware(0.6), ClockHertz: 1e9, TellsThrottling: true, SensorStepKelvin: bcm2835Step,
		IdleWatts: 0.6, FullWatts: 2.5, Throughput: 4.4e9,
	}.leaking(silicon)
}

// Pi5Cooler is a Raspberry Pi 5 with the Active Cooler: log 8-NK rises by 13 K with
// a main time constant of 16 s, while the fan blows at its first levels, and a bare
// board takes 8.5 K/W, 34 K, in some 80 s. The sink takes 20 K in 60 s with the fan
// off, which 0.4 of its duty makes 8 K in 24 s; the die takes the rest.
func Pi5Cooler() BoardModel {
	return BoardModel{
		Name:        "Raspberry Pi 5 with the Active Cooler",
		IdleCelsius: 45, AmbientCelsius: 24,
		Poles: []Pole{{6, 2 * time.Second}, {20, time.Minute}},
		Fan: &Fan{
			Levels:           []FanLevel{{50, 0.3}, {60, 0.5}, {67.5, 0.7}, {75, 1}},
			HysteresisKelvin: 5, Cooling: 3.75, Watts: 0.6,
		},
		Firmware: piFirmware(0.6), ClockHertz: 2.4e9, TellsThrottling: true, SensorStepKelvin: bcm2711Step,
		IdleWatts: 3.4, FullWatts: 7.4, Throughput: 31e9,
	}.leaking(silicon)
}

// JetsonNano is the development kit with its large heatsink: the two-pole fit of
// log 4rLX; the device tree throttles from 97 °C. Processor only.
func JetsonNano() BoardModel {
	return BoardModel{
		Name:        "Jetson Nano",
		IdleCelsius: 32, AmbientCelsius: 24,
		Poles:    []Pole{{2.5, time.Second}, {22.6, 437 * time.Second}},
		Firmware: []ClockPoint{{97, 1}, {100.5, 0.5}}, ClockHertz: 1.479e9, TellsPower: true, SensorStepKelvin: jetsonStep,
		IdleWatts: 1.7, FullWatts: 5.5, Throughput: 20e9,
	}.leaking(silicon)
}

// OrinNano is the development kit with its fan: the two-pole fit of log 4vy7.
// Processor only, which hardly warms it.
func OrinNano() BoardModel {
	return BoardModel{
		Name:        "Jetson Orin Nano",
		IdleCelsius: 48.2, AmbientCelsius: 24,
		Poles:    []Pole{{3.8, 39 * time.Second}, {1, 59 * time.Second}},
		Firmware: []ClockPoint{{99, 1}, {104, 0.5}}, ClockHertz: 1.51e9, TellsPower: true, SensorStepKelvin: 0.1,
		IdleWatts: 4.4, FullWatts: 8.5, Throughput: 52e9,
	}.leaking(silicon)
}
