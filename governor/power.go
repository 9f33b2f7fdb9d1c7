package governor

import "strings"

// powers are what boards draw without and with all cores at work, in watts, by a
// part of the name that the board gives itself, lower case; the first match
// counts. They are where learning begins, and stay where nothing measures power:
// then what is wrong with their size goes into the learned capacity of the battery.
var powers = []struct {
	model string
	watts [2]float64
}{
	{"zero 2", [2]float64{0.6, 2.5}},      // cnx-software, andrejacobs.org
	{"pi 5", [2]float64{3.5, 7.4}},        // sbc-bench Au3jaA
	{"pi 4", [2]float64{2.9, 6.3}},        // pidramble, Raspberry Pi documentation
	{"pi 3 model b+", [2]float64{1.9, 5}}, // pidramble
	{"pi 3", [2]float64{1.4, 3.7}},        // pidramble
	{"orin nano", [2]float64{4.5, 9}},     // tegrastats
	{"jetson nano", [2]float64{1.7, 5.5}}, // tegrastats
}

var unknownBoard = [2]float64{3, 6}

func powersOf(board string) [2]float64 {
	name := strings.ToLower(board)
	for _, p := range powers {
		if strings.Contains(name, p.model) {
			return p.watts
		}
	}
	return unknownBoard
}

// openVolts of a lithium-ion cell (NMC, US18650VTC6) at each tenth of its charge:
// the last tenths hold less energy than the first.
var openVolts = [...]float64{2.54, 3.27, 3.41, 3.56, 3.66, 3.75, 3.84, 3.92, 4.04, 4.09, 4.18}

// stored is the share of a full battery's energy that a charge in percent holds.
func stored(percent float64) float64 {
	const tenths = len(openVolts) - 1
	at := float64(min(max(percent/100, 0), 1) * float64(tenths))
	sum, all := 0., 0.
	for i := range tenths {
		mean := float64((openVolts[i] + openVolts[i+1]) / 2)
		all += mean
		sum += float64(mean * min(max(at-float64(i), 0), 1))
	}
	return sum / all
}
