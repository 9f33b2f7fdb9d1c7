package battery

import (
	"encoding/binary"
	"fmt"
)

// pipower drives the microcontroller of SunFounder's PiPower 3 and 5 (and so of
// the Pironman 5 UPS), after sunfounder/spc's data sheet of its buffer and
// sunfounder/pipower5's kernel driver. Numbers come least significant byte
// first; a current into the battery is positive, as the firmware of the sister
// board computes it. (The first firmware of that board, the Pironman U1 at 0x5A,
// speaks another protocol, so it is not offered.)
type pipower struct {
	chip
	currents bool // the PiPower 3 measures none
}

const (
	pipowerBuffer  = 0
	pipowerVoltage = 8
	pipowerBoardID = 140
	// The board warns by asking for the shutdown: of the charge, or of the voltage.
	pipowerLowCharge  = 1
	pipowerLowVoltage = 3
)

func openPiPower(currents bool) func(chip, Config) sensor {
	return func(c chip, _ Config) sensor { return pipower{c, currents} }
}

func (s pipower) identify() error {
	_, err := s.byteAt(pipowerBoardID) // its values differ between the vendor's documents
	return err
}

func (s pipower) measure() (measurement, error) {
	var b [21]byte
	if err := s.read(pipowerBuffer, b[:]); err != nil {
		return nothing(), err
	}
	m, err := decodePiPower(b, s.currents)
	if err != nil {
		return nothing(), fmt.Errorf("%s: %w", s.chip, err)
	}
	return m, nil
}

// decodePiPower turns the first 21 bytes of the buffer into units.
func decodePiPower(b [21]byte, currents bool) (measurement, error) {
	word := func(i int) uint16 { return binary.LittleEndian.Uint16(b[i:]) }
	for _, flag := range []int{15, 16, 18} {
		if b[flag] > 1 {
			return nothing(), fmt.Errorf("register %d holds %#02x and should be 0 or 1 (another device, or another firmware?)", flag, b[flag])
		}
	}
	m := nothing()
	m.volts = float64(word(8)) / 1000
	m.percent = float64(b[12])
	m.externalPower = truthOf(b[16] == 1)
	m.charging = truthOf(b[18] == 1)
	m.low = truthOf(b[20] == pipowerLowCharge || b[20] == pipowerLowVoltage)
	if currents {
		m.amps = float64(int16(word(10))) / 1000
		m.loadWatts = float64(word(4)) / 1000 * float64(word(6)) / 1000
	}
	return m, nil
}
