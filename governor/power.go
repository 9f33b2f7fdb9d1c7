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

// openVolts of a lithium-ion cell (NMC) at each twentieth of its charge: the mean of four
// cells, Samsung 40T, Molicel P28A and P42A and LG M50T (soorajsunil, 2d7f782).
var openVolts = [...]float64{
	2.56, 3.17, 3.33, 3.42, 3.48, 3.53, 3.58, 3.62, 3.65, 3.69, 3.73,
	3.78, 3.83, 3.88, 3.93, 3.98, 4.02, 4.07, 4.09, 4.11, 4.19,
}

const (
	voltSteps   = len(openVolts) - 1
	voltPercent = 100 / float64(voltSteps)
)

// below is the mean open voltage up to each of these charges, times their share of the charge.
var below = func() (sums [voltSteps + 1]float64) {
	for i := range voltSteps {
		sums[i+1] = sums[i] + float64((openVolts[i]+openVolts[i+1])/2/float64(voltSteps))
	}
	return sums
}()

var meanVolts = below[voltSteps]

// voltsAt is the open voltage at a charge in percent.
func voltsAt(percent float64) float64 {
	at := min(max(percent, 0), 100) / voltPercent
	i := min(int(at), voltSteps-1)
	return openVolts[i] + float64((openVolts[i+1]-openVolts[i])*(at-float64(i)))
}

// percentAt is the charge at an open voltage.
func percentAt(volts float64) float64 {
	for i := range voltSteps {
		if volts < openVolts[i+1] {
			return voltPercent * (float64(i) + max((volts-openVolts[i])/(openVolts[i+1]-openVolts[i]), 0))
		}
	}
	return 100
}

// stored is the share of a full battery's energy that a charge in percent holds.
func stored(percent float64) float64 {
	percent = min(max(percent, 0), 100)
	i := min(int(percent/voltPercent), voltSteps-1)
	part := percent/100 - float64(i)/float64(voltSteps)
	return (below[i] + float64(part*(openVolts[i]+voltsAt(percent))/2)) / meanVolts
}
